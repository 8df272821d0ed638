"""Pages that a server draws and a framework takes over: nothing is written there before, and
nothing typed is lost.
"""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.script_visitor import Visitor
from tests.acceptance.script_world import Company

pytestmark = pytest.mark.acceptance
FRONT_END = Path(__file__).parents[2] / "router/web/frontend"
OWN = "<p id='own'>8 495 123-45-67</p>"

APP = """
import React from "react";
export const App = () => <main><header>8 (495) 123-{45}-67</header><input id="name"/>
  <a href="tel:84951234567" title="8 495 123-45-67">Позвонить</a>
  <div dangerouslySetInnerHTML={{__html: "<p id='raw'>8 495 123-45-67</p>"}}/></main>;
"""
SERVER = """
import React, {Suspense} from "react"; import {renderToString} from "react-dom/server";
import {App} from "./app.jsx";
process.stdout.write(renderToString(<Suspense><App/></Suspense>));
"""
BROWSER = """
import React, {Suspense} from "react"; import {hydrateRoot} from "react-dom/client";
import {App} from "./app.jsx";
const root = document.querySelector("main").parentElement;
const onRecoverableError = error => console.error(String(error));
hydrateRoot(root, <Suspense><App/></Suspense>, {onRecoverableError});
"""
# an island says that its framework has begun before React has taken over what is in it
ISLAND = """
import React, {Suspense, lazy} from "react"; import {hydrateRoot} from "react-dom/client";
import {App} from "./app.jsx";
const Late = lazy(() => new Promise(done => setTimeout(done, 2000, {default: App})));
const root = document.querySelector("astro-island");
const onRecoverableError = error => console.error(String(error));
hydrateRoot(root, <Suspense><Late/></Suspense>, {onRecoverableError});
root.removeAttribute("ssr");
"""


@pytest.fixture(scope="module")
def react(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """A page React has drawn on a server, and what takes it over: the whole, or an island."""
    home = tmp_path_factory.mktemp("react")
    (home / "app.jsx").write_text(APP)
    places = {"NODE_PATH": str(FRONT_END / "node_modules"), "PATH": os.environ["PATH"]}

    def bundled(text: str, *how: str) -> str:
        (home / "entry.jsx").write_text(text)
        command = [FRONT_END / "node_modules/.bin/esbuild", home / "entry.jsx", "--bundle", *how]
        command += ['--define:process.env.NODE_ENV="production"']
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=places
        ).stdout

    (home / "server.cjs").write_text(bundled(SERVER, "--platform=node", "--format=cjs"))
    drawn = subprocess.run(
        ["node", home / "server.cjs"], check=True, capture_output=True, text=True
    ).stdout
    return drawn, bundled(BROWSER, "--format=iife"), bundled(ISLAND, "--format=iife")


@pytest_asyncio.fixture(loop_scope="session")
async def gate(company: Company) -> AsyncIterator[asyncio.Event]:
    """The page's own script is answered when this is set."""
    event = asyncio.Event()
    company.held["/app.js"] = event
    yield event
    event.set()


@pytest.mark.parametrize("root", ["id='root'", "id='__next'", "data-ringtrace-wait"])
async def test_a_page_of_react_is_written_once_react_has_taken_it_over(
    company: Company, visitor: Visitor, react: tuple[str, str, str], gate: asyncio.Event, root: str
) -> None:
    drawn, script, _ = react
    company.pages["/app.js"] = script
    page = company.page(f"{OWN}<div {root}>{drawn}</div><script async src='/app.js'></script>")
    await visitor.page.goto(page, wait_until="commit")
    await visitor.shows("777-00-01", "#own")
    assert await visitor.text("header") == "8 (495) 123-45-67"
    await visitor.page.fill("#name", "Иван")
    header = await visitor.page.query_selector("header")
    gate.set()
    for place in ("header", "#raw"):
        await visitor.shows("777-00-01", place)
    link = "['href', 'title'].map(name => document.querySelector('a').getAttribute(name))"
    await visitor.gives(link, ["tel:84957770001", "8 495 777-00-01"])
    assert await visitor.page.input_value("#name") == "Иван"
    assert header
    assert await header.evaluate("element => element.isConnected")


async def test_a_page_that_is_never_taken_over_shows_the_number_all_the_same(
    visitor: Visitor,
) -> None:
    await stopped_clock(visitor)
    await visitor.opens(f"{OWN}<div id='__nuxt'><b>8 495 123-45-67</b></div>")
    await visitor.shows("777-00-01", "#own")
    await visitor.page.clock.run_for(4_000)
    assert await visitor.text("b") == "8 495 123-45-67"
    await visitor.page.clock.run_for(2_000)
    await visitor.shows("777-00-01", "b")


async def test_a_framework_has_five_seconds_after_the_load_however_long_that_takes(
    company: Company, visitor: Visitor, gate: asyncio.Event
) -> None:
    company.pages["/app.js"] = ""
    body = (
        f"{OWN}<div id='__nuxt'><b>8 495 123-45-67</b></div><script async src='/app.js'></script>"
    )
    await stopped_clock(visitor)
    await visitor.page.goto(company.page(body), wait_until="commit")
    await visitor.shows("777-00-01", "#own")
    await visitor.page.clock.run_for(8_000)
    gate.set()
    await visitor.until("document.readyState === 'complete'")
    await visitor.page.clock.run_for(4_000)
    assert await visitor.text("b") == "8 495 123-45-67"
    await visitor.page.clock.run_for(2_000)
    await visitor.shows("777-00-01", "b")


async def stopped_clock(visitor: Visitor) -> None:
    """Time passes in the pages only where the test says so."""
    await visitor.page.clock.install(time=0)
    await visitor.page.clock.pause_at(1)


async def test_what_vue_has_mounted_and_what_is_drawn_in_the_browser_shows_the_number_at_once(
    visitor: Visitor,
) -> None:
    await visitor.page.clock.install()
    await visitor.opens(
        "<div id='__nuxt'><b>8 495 123-45-67</b></div><div id='app'><i>8 495 "
        f"123-45-67</i></div>{OWN}",
        head="<script>addEventListener('DOMContentLoaded', () =>"
        "document.querySelector('#__nuxt').__vue_app__ = {})</script>",
    )
    await visitor.shows("777-00-01", "b")
    await visitor.page.clock.run_for(1_000)  # the page has loaded, and there was no framework
    await visitor.shows("777-00-01", "i")


async def test_an_island_of_react_is_written_once_react_has_taken_it_over(
    company: Company, visitor: Visitor, react: tuple[str, str, str]
) -> None:
    drawn, _, company.pages["/app.js"] = react
    await visitor.opens(
        f"{OWN}<astro-island ssr>{drawn}</astro-island><script async src='/app.js'></script>"
    )
    marks = "Object.keys(document.querySelector('header')).join()"
    await visitor.until(f"{marks}.includes('__reactFiber')")
    await visitor.shows("777-00-01", "header")
    await visitor.shows("777-00-01", "#raw")


async def test_an_island_is_left_until_it_is_drawn(visitor: Visitor) -> None:
    await visitor.page.clock.install()
    await visitor.opens(
        f"{OWN}<astro-island ssr client='visible'><b>8 495 123-45-67</b></astro-island>"
    )
    await visitor.shows("777-00-01", "#own")
    await visitor.page.clock.run_for(20_000)
    assert await visitor.text("b") == "8 495 123-45-67"
    await visitor.page.evaluate("document.querySelector('astro-island').removeAttribute('ssr')")
    await visitor.page.clock.run_for(1_000)
    await visitor.shows("777-00-01", "b")
