"""Tables in the README, and in other pages, are written by the code that measures them."""

from pathlib import Path

from minisam.files import whole

README = Path(__file__).resolve().parents[1] / "README.md"


def splice(name: str, text: str, file: Path = README) -> None:
    """Put text between the page's markers of that name: `<!-- NAME: begin ... -->` and `<!-- NAME: end -->`."""
    page = file.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin", f"<!-- {name}: end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(
            f"{file} must have the markers of {name!r} once, got {page.count(begin)} and {page.count(end)}"
        )
    head, rest = page.split(begin)
    how, tail = rest.split("-->\n", 1)[0], rest.split(end)[1]
    with whole(file) as path:
        path.write_text(f"{head}{begin}{how}-->\n{text}\n{end}{tail}", encoding="utf-8")


def spliced(name: str, file: Path = README) -> str:
    """What stands between these markers."""
    page = file.read_text(encoding="utf-8")
    return page.split(f"<!-- {name}: begin")[1].split("-->\n", 1)[1].split(f"\n<!-- {name}: end -->")[0]
