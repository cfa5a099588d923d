"""Tables in the README, in docs/ and in other pages are written by the code that measures them."""

from pathlib import Path

from minisam.files import whole

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def page_of(name: str) -> Path:
    """The page with the markers of that name: `<!-- NAME: begin ... -->` and `<!-- NAME: end -->`."""
    marks = f"<!-- {name}: begin", f"<!-- {name}: end -->"
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    counts = {
        page: [text.count(mark) for mark in marks] for page, text in texts.items() if any(m in text for m in marks)
    }
    if list(counts.values()) != [[1, 1]]:
        there = {str(page.relative_to(ROOT)): count for page, count in counts.items()}
        raise ValueError(f"one page must have the markers of {name!r}, begin and end, once each; got {there}")
    return next(iter(counts))


def splice(name: str, text: str) -> Path:
    """Put text between the markers of that name; the page that has them."""
    file = page_of(name)
    head, rest = file.read_text(encoding="utf-8").split(f"<!-- {name}: begin")
    how, tail = rest.split("-->\n", 1)[0], rest.split(f"<!-- {name}: end -->")[1]
    with whole(file) as path:
        path.write_text(f"{head}<!-- {name}: begin{how}-->\n{text}\n<!-- {name}: end -->{tail}", encoding="utf-8")
    return file


def spliced(name: str) -> str:
    """What stands between these markers."""
    page = page_of(name).read_text(encoding="utf-8")
    return page.split(f"<!-- {name}: begin")[1].split("-->\n", 1)[1].split(f"\n<!-- {name}: end -->")[0]
