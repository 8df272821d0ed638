"""The documents are complete: settings, decisions, links between pages."""

import re
from pathlib import Path

import pytest

from tests.support import outcomes_table
from tests.support.settings_table import PAGE, page

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
HEAD = re.compile(
    r"# (.+)\n\n- Date: (20\d\d-[01]\d-[0-3]\d)\n- Status: (accepted|rejected|superseded by)"
)
LINK = re.compile(r"(?<!`)\[[^\]`]*\]\(([^)\s]+)\)")


def test_the_page_of_outcomes_lists_every_code() -> None:
    assert outcomes_table.PAGE.read_text(encoding="utf-8") == outcomes_table.page(), (
        "run `make outcomes`"
    )


def test_the_page_of_settings_is_what_the_settings_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make settings`"


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem[:4])
def test_a_decision_has_date_status_and_alternatives(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert HEAD.match(text), f"{path.name} begins with its title, then `- Date:` and `- Status:`"
    assert re.search(r"^## Alternatives considered\n\n- \S", text, re.MULTILINE), path.name


def test_the_index_lists_every_decision_with_its_title_and_date() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in index.splitlines() if line.startswith("| [")]
    heads = {path: HEAD.match(path.read_text(encoding="utf-8")) for path in DECISIONS}
    expected = [
        [f"| [{path.stem[:4]}]({path.name})", head[1], head[2]]
        for path, head in heads.items()
        if head
    ]
    assert [row[:3] for row in rows] == expected


def test_decisions_have_numbers_of_their_own() -> None:
    numbers = [path.stem[:4] for path in DECISIONS]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    broken = [
        link
        for link in LINK.findall(path.read_text(encoding="utf-8"))
        if not _leads_somewhere(path, link)
    ]
    assert broken == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return True
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not anchor or target.suffix != ".md":
        return target.exists()
    return target.is_file() and anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }
