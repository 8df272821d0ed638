"""Elements that an owner names by selector: the number in them gives way, and nothing else there
changes.
"""

import pytest

from tests.acceptance.script_visitor import HREFS, HTML, HTMLS, TEXTS, Visitor
from tests.acceptance.script_world import LEASED, NEXT, Company, a_pool

pytestmark = pytest.mark.acceptance

WRAPPERS = [
    (
        "<span>8 (495)</span> <b>123-45-67</b><br><small>Пн–Пт 9–21</small>",
        "<span>8 (495)</span> <b>777-00-01</b><br><small>Пн–Пт 9–21</small>",
    ),
    (
        '\n <span class="n">8 (812) <b>000-11-22</b></span>\n <a href="/back">Заказать '
        "звонок</a>\n <i>Пн–Пт 9–21</i>",
        '\n <span class="n">8 (495) <b>777-00-01</b></span>\n <a href="/back">Заказать '
        "звонок</a>\n <i>Пн–Пт 9–21</i>",
    ),
    (
        '<a href="tel:+78120001122,101">+7 812 000-11-22</a><small>9–21</small>, <a '
        'href="tel:84990000000">факс</a>',
        '<a href="tel:+74957770001,101">+7 495 777-00-01</a><small>9–21</small>, <a '
        'href="tel:84990000000">факс</a>',
    ),
    (
        '<small>9–21</small><a href="tel:88120001122"><svg></svg></a><a '
        'href="https://t.me/shop">Написать</a>',
        '<small>9–21</small><a href="tel:84957770001"><svg></svg></a><a '
        'href="https://t.me/shop">Написать</a>',
    ),
    (
        '<i data-ringtrace-ignore="">8 812 333-44-55</i> <b>8 812 000-11-22</b>',
        '<i data-ringtrace-ignore="">8 812 333-44-55</i> <b>8 495 777-00-01</b>',
    ),
    (
        "<b>8 800 000-11-22</b> <p>8 812 333-44-55</p>",
        "<b>8 495 777-00-01</b> <p>8 812 333-44-55</p>",
    ),
    ("<b>Звоните</b> с 9 до 21", "<b>Звоните</b> с 9 до 21"),
    ("<u></u>", "<u></u>"),
]


@pytest.fixture
def phones(company: Company) -> Company:
    """The company's pool is for the elements of one class."""
    company.pools = [a_pool(replaces=(), selector=".phone")]
    return company


async def test_of_a_wrapper_only_the_number_changes_and_the_links_that_lead_to_it(
    phones: Company, visitor: Visitor
) -> None:
    wrappers = "".join(
        f'<div class="phone" id="w{i}">{before}</div>' for i, (before, _) in enumerate(WRAPPERS)
    )
    await visitor.opens(
        f'{wrappers}<p class="phone" id="last">8 812 555-66-77</p><p id="other">8 812 000-11-22</p>'
    )
    await visitor.shows("8 495 777-00-01", "#last")
    shown = [html for _, html in WRAPPERS]
    await visitor.gives(HTMLS, shown, [f"#w{i}" for i in range(len(WRAPPERS))])
    assert await visitor.text("#other") == "8 812 000-11-22"


async def test_a_wrapper_that_is_filled_in_several_steps_shows_the_number(
    phones: Company, visitor: Visitor
) -> None:
    await visitor.opens("<div class='phone' id='late'></div><p class='phone'>8 812 555-66-77</p>")
    await visitor.shows("8 495 777-00-01", "p")
    for part in ("<span>8 (812)</span>", " <b>000-11-22</b>", "<br><small>9–21</small>"):
        await visitor.page.evaluate(
            """part => { document.querySelector("#late").insertAdjacentHTML("beforeend", part);
                         return new Promise(setTimeout); }""",
            part,
        )
    await visitor.shows("777-00-01", "b")
    shown = "<span>8 (495)</span> <b>777-00-01</b><br><small>9–21</small>"
    await visitor.gives(HTML, shown, "#late")


async def test_in_a_wrapper_with_the_companys_number_no_other_number_changes(
    company: Company, visitor: Visitor
) -> None:
    company.pools = [a_pool(selector=".phone")]
    await visitor.opens(
        "<div class='phone'><i>8 800 000-11-22</i> <a href='tel:+74951234567'>8 (495) "
        "<b>123-45-67</b></a></div>"
    )
    await visitor.shows("777-00-01", ".phone")
    shown = '<i>8 800 000-11-22</i> <a href="tel:+74957770001">8 (495) <b>777-00-01</b></a>'
    await visitor.gives(HTML, shown, ".phone")


async def test_a_number_whose_last_seven_digits_are_the_same_is_another_number(
    phones: Company, visitor: Visitor
) -> None:
    phones.numbers = {"visitors": "+74991234567"}
    await visitor.opens("<b class='phone'>8 (495) 123-45-67</b>")
    await visitor.shows("8 (499) 123-45-67", "b")


async def test_what_was_there_comes_back_when_the_number_is_lost(
    phones: Company, visitor: Visitor
) -> None:
    body = (
        '<a class="phone" href="tel:123">Позвонить</a><div class="phone"><a '
        'href="tel:+78120001122">8 (812) '
        '<b>000-11-22</b></a></div><i class="phone"></i><u class="phone">звоните</u>'
    )
    await visitor.opens(f"<main>{body}</main>")
    for number, end in ((LEASED, "777-00-01"), (NEXT, "777-00-02")):
        phones.news = {"visitors": number}
        await visitor.page.evaluate("end => history.pushState({}, '', '/' + end)", end)
        shown = [f"+7 495 {end}", f"8 (495) {end}", f"+7 495 {end}", f"+7 495 {end}"]
        await visitor.gives(TEXTS, shown, ["a", "div", "i", "u"])
        await visitor.gives(HREFS, [f"tel:{number}"] * 2)
    phones.news = {"visitors": None}
    await visitor.page.evaluate("history.pushState({}, '', '/last')")
    await visitor.shows("звоните", "u")
    await visitor.gives(HTML, body, "main")


async def test_what_a_page_writes_into_a_wrapper_later_gives_way_at_once(
    phones: Company, visitor: Visitor
) -> None:
    await visitor.opens("<div class='phone'><p>8 812 000-11-22</p></div>")
    await visitor.shows("777-00-01", "p")
    seen = await visitor.page.evaluate(
        """async () => { const p = document.querySelector('p'), seen = [];
          for (const change of [() => p.textContent = '8 (812) 000-11-22',
                                () => p.innerHTML = '<a href="tel:88120001122">+7 812 000 11 22</a>']) {
            change(); await null; await null; seen.push(p.innerHTML); }
          return seen; }"""  # noqa: E501
    )
    assert seen == ["8 (495) 777-00-01", '<a href="tel:84957770001">+7 495 777 00 01</a>']


@pytest.mark.parametrize("extension", ["", ",101", ";ext=101", "p101", "%20доб.%20101"])
async def test_a_tap_is_sent_whatever_extension_the_link_dials(
    visitor: Visitor, extension: str
) -> None:
    await visitor.opens(
        f"<a href='tel:+74951234567{extension}' onclick='event.preventDefault()'>8 495 "
        "123-45-67</a>"
    )
    await visitor.until(
        "document.querySelector('a').getAttribute('href').startsWith('tel:+74957770001')"
    )
    await visitor.page.click("a")
    assert await visitor.heard("tap") == [{"number": LEASED}]


async def test_a_tap_on_another_number_with_the_same_last_seven_digits_is_not_sent(
    company: Company, visitor: Visitor
) -> None:
    await visitor.opens(
        "<a id='other' href='tel:+78127770001' onclick='event.preventDefault()'>8 812 777-00-01</a>"
        "<a id='own' href='tel:+74951234567' onclick='event.preventDefault()'>8 495 123-45-67</a>"
    )
    await visitor.shows("777-00-01", "#own")
    await visitor.page.click("#other")
    await visitor.page.click("#own")
    await visitor.heard("tap")
    await visitor.page.goto(company.page("<p>Другая страница</p>", path="/other", line=""))
    await visitor.heard("left")
    assert company.said("tap") == [{"number": LEASED}]
