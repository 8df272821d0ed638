"""What others keep of the page: editors, history and paper get the company's number, and old copies
give way.
"""

import pytest
import pytest_asyncio

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import LEASED, NEXT, Company, a_pool

pytestmark = pytest.mark.acceptance

OWN, OURS = "8 (495) 123-45-67", "8 (495) 777-00-01"
BODY = f"""<main><p>Звоните: <b>8 (495)</b> 123-45-67</p><a href="tel:+7%20495%201234567" title="{OWN}">☎</a>
<i class="phone">наш номер</i><a data-ringtrace-mail href="mailto:a@b.ru">a@b.ru</a></main>"""  # noqa: E501


@pytest_asyncio.fixture(loop_scope="session")
async def opened(company: Company, visitor: Visitor) -> tuple[Visitor, str]:
    """A page with numbers on it, and what it said before."""
    company.pools = [a_pool(selector=".phone")]
    await visitor.opens(BODY, line="")
    before = await visitor.page.inner_html("main")
    await visitor.opens(BODY)
    await visitor.shows("info+417@shop.example", "main")
    await visitor.shows("777-00-01", "i")
    await visitor.shows("777-00-01", "p")
    return visitor, before


@pytest.mark.parametrize("way", ["contentEditable = 'true'", "setAttribute('contenteditable', '')"])
async def test_what_becomes_editable_says_the_companys_number_again(
    opened: tuple[Visitor, str], way: str
) -> None:
    visitor, before = opened
    await visitor.page.evaluate(f"document.querySelector('main').{way}")
    await visitor.until("!document.body.textContent.includes('777-00-01')")
    now = await visitor.page.evaluate(
        "const main = document.querySelector('main'); "
        "main.removeAttribute('contenteditable'); main.innerHTML"
    )
    assert now == before
    await visitor.shows("777-00-01", "p")


async def test_an_editable_document_says_the_companys_number_when_it_is_touched(
    opened: tuple[Visitor, str],
) -> None:
    visitor, before = opened
    await visitor.page.evaluate("document.designMode = 'on'")
    await visitor.page.click("p")
    assert await visitor.page.inner_html("main") == before


async def test_paper_has_the_companys_number_and_the_screen_the_visitors(
    opened: tuple[Visitor, str],
) -> None:
    visitor, before = opened
    printed = await visitor.page.evaluate(
        """() => { const clone = document.createElement('b'); clone.id = 'copy';
          clone.textContent = 'Звоните: 8 (495) 777-00-01'; document.body.append(clone);
          dispatchEvent(new Event('beforeprint'));
          return [document.querySelector('main').innerHTML, clone.textContent]; }"""
    )
    assert printed == [before, f"Звоните: {OWN}"]
    await visitor.page.evaluate("dispatchEvent(new Event('afterprint'))")
    await visitor.shows(f"Звоните: {OURS}", "p")
    await visitor.shows(f"Звоните: {OURS}", "#copy")


async def test_a_copy_that_a_library_keeps_for_going_back_has_the_companys_number(
    opened: tuple[Visitor, str],
) -> None:
    visitor, before = opened
    kept = await visitor.page.evaluate(
        """() => { document.body.dispatchEvent(new CustomEvent('htmx:beforeHistorySave', {bubbles: true}));
          return document.querySelector('main').innerHTML; }"""  # noqa: E501
    )
    assert kept == before
    await visitor.shows(f"Звоните: {OURS}", "p")


async def test_an_old_copy_of_the_page_says_the_number_of_now(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(f"<p>{OWN}</p>")
    await visitor.shows(OURS, "p")
    company.numbers = {"visitors": NEXT}
    await visitor.opens(f"<p>{OWN}</p><i>8 (495) 777-00-01, tel. {LEASED}</i>")
    await visitor.shows("8 (495) 777-00-02, tel. +74957770002", "i")
