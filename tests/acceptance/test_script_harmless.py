"""The script on a company's page, in a real browser: it never harms the page."""

import gzip
import os
import subprocess
from pathlib import Path

import pytest

from router.web.script import BUNDLE
from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance

FRONT_END = Path(__file__).parents[2] / "router/web/frontend"

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


def test_the_script_is_at_most_eleven_kilobytes_and_a_quarter_on_the_wire() -> None:
    assert len(gzip.compress(BUNDLE.read_bytes(), 9, mtime=0)) <= 11_250
