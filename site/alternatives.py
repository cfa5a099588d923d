"""The alternative texts of the lessons' figures: what they show, for those who do not see them."""

import re

WRITTEN = re.compile(r'\b(?:title|label|xlabel|ylabel|suptitle|set_title)(?:=|\()"([^"]*\w[^"]*)"')


def describe(notebook):
    """Give the figures of each cell a text: the section that they stand in, and what is written on them."""
    section, written_by = "", {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = (re.findall(r"^##? (.+)$", cell.source, flags=re.MULTILINE) or [section])[-1]
            continue
        words = dict.fromkeys(WRITTEN.findall(cell.source))
        for called in re.findall(r"(\w+)\((\w*)", cell.source):  # a function, and one that it is given first
            words |= dict.fromkeys(word for name in called for word in written_by.get(name, ()))
        written_by |= dict.fromkeys(re.findall(r"^def (\w+)\(", cell.source, flags=re.MULTILINE), words)
        text = f"Figure in “{section}”" + (f": {'; '.join(words)}" if words else "")
        cell.metadata.setdefault("mystnb", {})["image"] = {"alt": text.replace("$", "").replace("`", "")}
