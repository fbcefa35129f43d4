"""Links between pages lead somewhere, and decisions are numbered once and listed."""

import re
from pathlib import Path

import pytest

import labrig

HOUSE = Path(labrig.__file__).parents[1]
PAGES = [HOUSE / "README.md", *sorted((HOUSE / "docs").rglob("*.md"))]
DECISIONS = sorted((HOUSE / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))
def test_every_link_leads_to_a_file(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_every_decision_has_a_number_of_its_own_and_stands_in_the_index():
    numbers = [path.name[:4] for path in DECISIONS]
    assert numbers == [f"{n:04d}" for n in range(1, len(numbers) + 1)]
    index = (HOUSE / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+) \|$", index, re.MULTILINE)
    told = [
        (path.name[:4], path.name, path.read_text(encoding="utf-8").splitlines()[0])
        for path in DECISIONS
    ]
    assert [(n, name, f"# {n}: {title}") for n, name, title in listed] == told


def test_every_page_is_reached_from_the_readme():
    text = (HOUSE / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (HOUSE / "docs").glob("*.md")}
    assert pages - set(re.findall(r"docs/([a-z-]+\.md)", text)) == set()


def test_no_page_holds_what_a_merge_left():
    pages = [HOUSE / "README.md", HOUSE / "CHANGELOG.md", *(HOUSE / "docs").rglob("*.md")]
    marks = re.compile(r"^(<<<<<<< |=======$|>>>>>>> )", re.MULTILINE)
    assert [page.name for page in pages if marks.search(page.read_text(encoding="utf-8"))] == []
