"""The script on a company's page, in a real browser: it shows each visitor a number, and never
harms the page.
"""

import gzip
import os
import subprocess
from pathlib import Path

import pytest

from router.web.script import BUNDLE
from tests.acceptance.script_visitor import Visitor
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
    assert await visitor.page.inner_html("#a") == split.replace("123-45-67", "777-00-01")


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
    await visitor.until(
        "document.querySelectorAll('a')[3].getAttribute('href') === 'tel:+7 (495) 777-00-01'"
    )
    assert await visitor.page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))") == [  # noqa: E501
        "tel:+74957770001", "tel:84957770001", "TEL:8-495-777-00-01", "tel:+7 (495) 777-00-01", "/4951234567",  # noqa: E501
    ]  # fmt: skip


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
    assert await visitor.text("#a") == "8 495 123-45-67 8 495 777-00-01"
    assert await visitor.text("#b") == "8 495 777-00-01 8 495 123-45-67"


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


async def test_several_pools_stand_in_for_several_numbers(
    company: Company, visitor: Visitor
) -> None:
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


REACT = """
import React, {useState, useEffect} from "react";
import {createRoot} from "react-dom/client";
const Phone = ({phone, bold}) => bold ? <b id="phone">Тел. {phone}</b> : <i id="phone">Тел. {phone}</i>;
function App() {
  const [count, setCount] = useState(0);
  window.again = () => setCount(c => c + 1);
  return <main><h1 id="count">{count}</h1>
    <p id="text">{count % 2 ? "Москва" : "Россия"} 8 (495) 123-{45}-{67} доб. {count}</p>
    <Phone phone="+7 495 123-45-67" bold={count % 2}/>
    {count > 2 && <a id="link" href={count > 3 ? "tel:84951234567" : "tel:+74951234567"}>8 495 123 45 67</a>}</main>;
}
createRoot(document.getElementById("root")).render(<App/>);
"""  # noqa: E501


async def test_a_react_page_renders_again_and_again(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "app.jsx").write_text(REACT)
    bundling = [
        *(
            FRONT_END / "node_modules/.bin/esbuild",
            tmp_path / "app.jsx",
            "--bundle",
            "--format=iife",
        ),
        '--define:process.env.NODE_ENV="production"',
    ]
    places = {"NODE_PATH": str(FRONT_END / "node_modules"), "PATH": os.environ["PATH"]}
    made = subprocess.run(bundling, check=True, capture_output=True, text=True, env=places).stdout
    visitor.company.pages["/app.js"] = made
    await visitor.opens("<div id='root'></div><script src='/app.js'></script>")
    for count in range(6):
        await visitor.shows(str(count), "#count")
        town = "Москва" if count % 2 else "Россия"
        await visitor.shows(f"{town} 8 (495) 777-00-01 доб. {count}", "#text")
        await visitor.shows("Тел. +7 495 777-00-01", "#phone")
        if count > 2:
            await visitor.shows("8 495 777 00 01", "#link")
            href = "tel:84957770001" if count > 3 else "tel:+74957770001"
            await visitor.until(
                f"document.querySelector('#link').getAttribute('href') === '{href}'"
            )
        await visitor.page.evaluate("window.again()")


async def test_a_page_under_a_strict_policy(company: Company, visitor: Visitor) -> None:
    company.policy = (
        "default-src 'none'; script-src {server}; connect-src {server}; img-src data:; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    await visitor.opens(
        "<p>8 495 123-45-67</p><a data-ringtrace-mail href='mailto:a@b.ru'>a@b.ru</a>"
    )
    await visitor.shows("8 495 777-00-01", "p")
    await visitor.shows("info+417@shop.example", "a")


async def test_nothing_on_the_page_moves(visitor: Visitor) -> None:
    watch = """<script>window.shift = 0;
      new PerformanceObserver(list => list.getEntries().forEach(entry => window.shift += entry.value))
        .observe({type: 'layout-shift', buffered: true});</script>"""  # noqa: E501
    row = (
        "<p>Телефон: 8 (495) 123-45-67, <a href='tel:84951234567'>+7 495 123-45-67</a>. Пишите!</p>"
    )
    await visitor.opens(row * 20, head=watch)
    await visitor.shows("777-00-01")
    await visitor.page.evaluate(
        "new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))"
    )
    assert await visitor.page.evaluate("window.shift") == 0


async def test_a_page_that_fights_back_is_not_hung(visitor: Visitor) -> None:
    await visitor.opens(
        "<p id='own'>8 495 123-45-67</p><p id='fight'></p><script>const p = "
        "document.querySelector('#fight');"
        "const back = () => { if (!p.textContent.includes('123-45-67')) p.innerHTML = '8 495 "
        "123-45-67' };"
        "new MutationObserver(back).observe(p, {childList: true, characterData: true, "
        "subtree: true}); back();</script>"
    )
    await visitor.shows("777-00-01", "#own")
    await visitor.page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert "495" in await visitor.text("#fight")


async def test_a_long_page_is_read_without_holding_it_up(visitor: Visitor) -> None:
    row = "<div><p>Товар {0}, цена <b>{0}</b> руб., артикул {0:06}</p></div>"
    body = "<p id='first'>8 495 123-45-67</p>" + "".join(row.format(i) for i in range(60_000))
    await visitor.opens(body + "<p id='last'>8 495 123-45-67</p>", line="")
    await visitor.page.evaluate(
        """src => { window.turns = 0;  // idle moments that the script asked for: on a busy machine time tells nothing
          const idle = window.requestIdleCallback.bind(window);
          window.requestIdleCallback = (...asked) => { window.turns++; return idle(...asked); };
          document.head.append(Object.assign(document.createElement("script"), {src})); }""",  # noqa: E501
        f"{visitor.company.server}/site/shop.js",
    )
    await visitor.shows("777-00-01", "#first")
    await visitor.shows("777-00-01", "#last")
    assert await visitor.page.evaluate("window.turns") > 10


async def test_nothing_but_one_name_is_left_on_the_window(
    company: Company, visitor: Visitor
) -> None:
    names = "() => Object.getOwnPropertyNames(window).sort()"
    await visitor.opens("<p>8 495 123-45-67</p>", line="")
    without = await visitor.page.evaluate(names)
    await visitor.opens("<p>8 495 123-45-67</p>")
    await visitor.shows("777-00-01")
    assert set(await visitor.page.evaluate(names)) - set(without) == {"ringtrace"}


def test_the_script_is_at_most_ten_and_a_half_kilobytes_on_the_wire() -> None:
    assert len(gzip.compress(BUNDLE.read_bytes(), 9, mtime=0)) <= 10_500
