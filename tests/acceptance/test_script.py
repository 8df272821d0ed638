"""The script on a company's page, in a real browser: it shows each visitor a number."""

from pathlib import Path

import pytest

from tests.acceptance.script_visitor import HREFS, HTML, TEXTS, Visitor
from tests.acceptance.script_world import NEXT, OWN_SALES, Company, a_pool

pytestmark = pytest.mark.acceptance
FRONT_END = Path(__file__).parents[2] / "router/web/frontend"
OTHER_PAGE = "<p>Другая страница</p>"


SPELLINGS = [
    ("8 (495) 123-45-67", "8 (495) 777-00-01"),
    ("+7 495 123-45-67", "+7 495 777-00-01"),
    ("+7\u00a0(495)\u00a0123\u201145\u201167", "+7\u00a0(495)\u00a0777\u201100\u201101"),
    ("84951234567", "84957770001"),
    ("(495) 123 45 67", "(495) 777 00 01"),
    ("+7.495.123.45.67", "+7.495.777.00.01"),
    ("007 495 1234567", "007 495 7770001"),
    ("8 – 495 – 123 – 45 – 67", "8 – 495 – 777 – 00 – 01"),
]


async def test_every_spelling_of_the_number_is_kept_and_shows_the_visitors_own(
    visitor: Visitor,
) -> None:
    rows = "".join(
        f'<p id="p{i}">Звоните: {found}, ждём!</p>' for i, (found, _) in enumerate(SPELLINGS)
    )
    await visitor.opens(rows)
    for i, (_, shown) in enumerate(SPELLINGS):
        await visitor.shows(f"Звоните: {shown}, ждём!", f"#p{i}")


async def test_a_number_split_by_tags_keeps_its_tags(visitor: Visitor) -> None:
    split = '<b>8</b>(495)<span class="x">123-45-67</span>'
    await visitor.opens(
        f'<p id="a">{split}</p><p id="b">+7 (<i>495</i>) <em>12<u>3</u></em>-45-67<!-- -->!</p>'
    )
    await visitor.shows("8(495)777-00-01", "#a")
    await visitor.shows("+7 (495) 777-00-01!", "#b")
    await visitor.gives(HTML, split.replace("123-45-67", "777-00-01"), "#a")


async def test_other_numbers_are_left_alone(visitor: Visitor) -> None:
    others = (
        "<ul><li>84951234567890</li><li>+1 495 123-45-67</li><li>8 495 "
        "123-45-68</li><li>14951234567</li>"
        "<li>8 495 123-45</li><li>67 "
        "руб.</li></ul><table><tr><td>495</td><td>1234567</td></tr></table>"
    )
    await visitor.opens(f'<div id="others">{others}</div><p id="own">8 495 123-45-67</p>')
    await visitor.shows("8 495 777-00-01", "#own")
    now = await visitor.page.inner_html("#others")
    assert now.replace("<tbody>", "").replace("</tbody>", "") == others


async def test_links_dial_what_they_show(visitor: Visitor) -> None:
    hrefs = [
        "tel:+74951234567",
        "tel:84951234567",
        "TEL:8-495-123-45-67",
        "tel:+7%20(495)%20123-45-67",
    ]
    await visitor.opens(
        "".join(f'<a href="{href}">Позвонить</a> ' for href in hrefs)
        + '<a href="/4951234567">п</a>'
    )
    shown = (
        "tel:+74957770001", "tel:84957770001", "TEL:8-495-777-00-01", "tel:+7 (495) 777-00-01",
    )  # fmt: skip
    await visitor.gives(HREFS, [*shown, "/4951234567"])


async def test_inputs_scripts_editors_and_what_the_owner_excludes_are_never_touched(
    company: Company, visitor: Visitor
) -> None:
    company.exclude = ".requisites, footer"
    number = "8 495 123-45-67"
    untouched = (
        f'<input value="{number}"><textarea>{number}</textarea>'
        f"<select><option>{number}</option></select><script type='text/plain'>{number}</script>"
        f"<style>/* {number} */</style><div contenteditable>{number}<b>{number}</b></div>"
        f"<p data-ringtrace-ignore>{number} <b>{number}</b></p><div "
        f"class='requisites'><p>{number}</p></div>"
        f"<footer><a href='tel:84951234567'>{number}</a></footer>"
    )
    page = f'<div id="never">{untouched}</div><p id="own">{number}</p>'
    await visitor.opens(page, line="")
    before = await visitor.page.evaluate("document.querySelector('#never').innerHTML")
    await visitor.opens(page)
    await visitor.shows("8 495 777-00-01", "#own")
    assert await visitor.page.evaluate("document.querySelector('#never').innerHTML") == before
    assert await visitor.page.evaluate("document.querySelector('input').value") == number


async def test_an_ignored_number_beside_another_is_left_alone_and_the_other_is_not(
    visitor: Visitor,
) -> None:
    ignored, other = "<i data-ringtrace-ignore>8 495 123-45-67</i>", "<b>8 495 123-45-67</b>"
    await visitor.opens(
        f"<p id='a'>{ignored} {other}</p><p id='b'>{other} {ignored}</p><p id='own'>84951234567</p>"
    )
    await visitor.shows("84957770001", "#own")
    both = ["8 495 123-45-67 8 495 777-00-01", "8 495 777-00-01 8 495 123-45-67"]
    await visitor.gives(TEXTS, both, ["#a", "#b"])


async def test_what_is_added_or_changed_later_shows_the_number_before_it_is_painted(
    visitor: Visitor,
) -> None:
    await visitor.opens('<p id="own">8 495 123-45-67</p><div id="text">пусто</div>')
    await visitor.shows("777-00-01", "#own")
    seen = await visitor.page.evaluate(
        """async () => {
          const popup = document.createElement("div");
          popup.id = "popup";
          popup.innerHTML = '<h2>Перезвоним</h2>'
            + '<p><b>8</b> (495) <span>123-45-67</span> <a href="tel:84951234567">☎</a>';
          document.body.append(popup);
          document.querySelector("#text").firstChild.data = "+7 495 1234567";
          await null; await null;
          return [popup.textContent, popup.querySelector("a").getAttribute("href"),
                  document.querySelector("#text").textContent];
        }"""
    )
    assert seen == ["Перезвоним8 (495) 777-00-01 ☎", "tel:84957770001", "+7 495 7770001"]
    await visitor.page.evaluate(
        "document.querySelector('#popup a').setAttribute('href', 'tel:+74951234567')"
    )
    await visitor.until(
        "document.querySelector('#popup a').getAttribute('href') === 'tel:+74957770001'"
    )


async def test_open_shadow_roots_are_read_whenever_they_come(visitor: Visitor) -> None:
    early = (
        "<div id='early'><template shadowrootmode='open'><b>8 495 "
        "123-45-67</b></template></div><div id='late'></div>"
    )
    await visitor.opens(early + "<p id='own'>8 495 123-45-67</p>")
    await visitor.shows("777-00-01", "#own")
    await visitor.until(
        "document.querySelector('#early').shadowRoot.textContent === '8 495 777-00-01'"
    )
    await visitor.page.evaluate(
        """() => {
          const root = document.querySelector("#late").attachShadow({mode: "open"});
          root.innerHTML = "<p>8 495 123-45-67</p>";
          setTimeout(() => root.append(Object.assign(document.createElement("i"), {textContent: "84951234567"})), 50);
        }"""  # noqa: E501
    )
    await visitor.until(
        "document.querySelector('#late').shadowRoot.textContent === '8 495 777-00-0184957770001'"
    )


async def test_several_pools_replace_several_numbers(company: Company, visitor: Visitor) -> None:
    company.pools = [
        a_pool(),
        a_pool("sales", replaces=(OWN_SALES,)),
        a_pool("absent", replaces=("+78120000000",)),
    ]
    # each pool shows what the other replaces: neither may be replaced twice
    company.numbers = {"visitors": "+78001234567", "sales": "+74951234567"}
    await visitor.opens("<p id='a'>8 495 123-45-67</p><p id='b'>8-800-123-45-67</p>")
    await visitor.shows("8 800 123-45-67", "#a")
    await visitor.shows("8-495-123-45-67", "#b")
    assert sorted(pool for body in company.said("visits") + company.said("numbers") for pool in body["pools"]) == [  # noqa: E501
        "sales", "visitors",
    ]  # fmt: skip


async def test_elements_named_by_selector_show_the_number_whatever_they_say(
    company: Company, visitor: Visitor
) -> None:
    company.pools = [a_pool(replaces=(), selector=".phone")]
    await visitor.opens(
        "<p class='phone' id='a'>Тел. 8 (812) 000-11-22 (круглосуточно)</p><b class='phone' "
        "id='b'>звоните</b>"
        "<a class='phone' id='c' href='tel:123'>123</a><i class='phone' id='d'></i>"
    )
    await visitor.shows("Тел. 8 (495) 777-00-01 (круглосуточно)", "#a")
    for name in "bcd":
        await visitor.until(f"document.querySelector('#{name}').textContent === '+7 495 777-00-01'")
    await visitor.until("document.querySelector('#c').getAttribute('href') === 'tel:+74957770001'")


async def test_a_number_of_another_length_is_written_whole(
    company: Company, visitor: Visitor
) -> None:
    company.numbers = {"visitors": "+442079460958"}
    await visitor.opens(
        "<p>+<b>7</b> 495 <b>123</b>-45-67!</p><a href='tel:+74951234567'>8 495 123-45-67</a>"
    )
    await visitor.shows("+44 20 7946 0958!", "p")
    await visitor.until("document.querySelector('a').textContent === '+44 20 7946 0958'")
    await visitor.until("document.querySelector('a').getAttribute('href') === 'tel:+442079460958'")


async def test_a_lost_number_gives_way_to_the_next_one_and_then_to_the_companys_own(
    company: Company, visitor: Visitor
) -> None:
    company.pools, company.alive_seconds = [a_pool(replaces=("+74951234567", "+74951234500"))], 5
    await visitor.opens(
        "<p>8 (495) 123-45-67 или +7 495 123 45 00</p><a href='tel:+74951234500'>☎</a>"
    )
    await visitor.shows("8 (495) 777-00-01 или +7 495 777 00 01")
    company.news = {"visitors": NEXT}
    await visitor.page.evaluate("history.pushState({}, '', '/next')")
    await visitor.shows("8 (495) 777-00-02 или +7 495 777 00 02")
    company.news = {"visitors": None}
    await visitor.page.evaluate("history.pushState({}, '', '/last')")
    await visitor.shows("8 (495) 123-45-67")
    await visitor.until("document.querySelector('a').getAttribute('href') === 'tel:+74951234500'")
