"""Ringtrace's two paths under the site's own name, through nginx and Caddy as `docs/site.md` writes
them.
"""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from router.domain.visitors.site import Pool, Site
from router.web.rate_limits import VISITS_A_MINUTE
from tests.acceptance.script_visitor import visiting
from tests.acceptance.script_world import OWN, Company
from tests.support.ports import free_port
from tests.support.web_world import World, a_world, served

pytestmark = pytest.mark.acceptance
PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/bin"
GUIDE = Path(__file__).parents[2] / "docs/site.md"
PAGE = (
    '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
    '<script async src="/site/shop.js"></script><body>8 (495) 123-45-67'
)


def documented(language: str, behind: str) -> str:
    """The block of the guide, with the address of a running Ringtrace in it."""
    block = re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert block
    return block[1].replace("127.0.0.1:8080", behind)


def nginx(home: Path, port: int, behind: str) -> list[str]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    (home / "nginx.conf").write_text(
        f"daemon off; user root; pid {home}/pid; error_log {home}/error.log; events {{}}"
        f"http {{ access_log off; {temporary} default_type text/html;"
        f"server {{ listen 127.0.0.1:{port};\n{documented('nginx', behind)} location / {{ "
        f"root {home}/pages; }} }} }}"
    )
    return ["nginx", "-c", f"{home}/nginx.conf", "-e", f"{home}/error.log"]


def caddy(home: Path, port: int, behind: str) -> list[str]:
    (home / "Caddyfile").write_text(
        "{\nadmin off\nauto_https off\n}\n"
        f"http://127.0.0.1:{port} {{\n{documented('caddy', behind)}root * "
        f"{home}/pages\nfile_server\n}}\n"
    )
    return ["caddy", "run", "--config", f"{home}/Caddyfile"]


@asynccontextmanager
async def site(
    home: Path, command: Callable[[Path, int, str], list[str]], behind: str
) -> AsyncIterator[str]:
    """A site of one page behind this server; its address."""
    port = free_port()
    (home / "pages").mkdir()
    (home / "pages/index.html").write_text(PAGE)
    process = await asyncio.create_subprocess_exec(
        *command(home, port, behind), env={"PATH": PATH, "HOME": str(home)}
    )
    try:
        address = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(180), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    assert (await client.get(address)).text == PAGE
                    break
                await asyncio.sleep(0.05)
        yield address
    finally:
        process.terminate()
        await process.wait()


def where_there_is(command: Callable[[Path, int, str], list[str]]) -> Any:
    """No machine has to have a web server of the system's for a test."""
    name = command.__name__
    missing = shutil.which(name, path=PATH) is None
    return pytest.param(
        command, id=name, marks=pytest.mark.skipif(missing, reason=f"{name} is not installed")
    )


@pytest_asyncio.fixture(loop_scope="session", params=[where_there_is(nginx), where_there_is(caddy)])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[World, str]]:
    """A real Ringtrace behind the site's own server, and the site's address."""
    async with (
        a_world(tmp_path) as world,
        served(world.app) as behind,
        site(tmp_path, request.param, behind.removeprefix("http://")) as address,
    ):
        async with world.store.write() as session:
            mine, pool = await session.get(Site, "shop"), await session.get(Pool, "visitors")
            await session.change(replace(mine, origins=(address,)), replace(pool, replaces=(OWN,)))
        yield world, address


async def test_a_visitor_sees_their_number_and_is_known_by_a_cookie_of_the_site(
    shop: tuple[World, str], browser: Browser
) -> None:
    _, address = shop
    async with visiting(Company(), browser) as visitor:
        await visitor.page.goto(address)
        await visitor.until("document.body.textContent !== '8 (495) 123-45-67'")
        number = await visitor.text()
        assert number.startswith("8 (495) 123-45-6")
        (cookie,) = await visitor.page.context.cookies(f"{address}/api/v1/sites/shop/visits")
        assert (cookie["name"], cookie["domain"], cookie["httpOnly"]) == (
            "ringtrace_visitor",
            "127.0.0.1",
            True,
        )
        await visitor.page.evaluate("localStorage.clear()")
        await visitor.page.goto(address)
        await visitor.until("document.body.textContent !== '8 (495) 123-45-67'")
        assert await visitor.text() == number


async def test_a_crowd_is_known_by_the_browsers_address_which_cannot_be_forged(
    shop: tuple[World, str],
) -> None:
    _, address = shop

    async def arrives(host: str, claims: str) -> Any:
        transport = httpx.AsyncHTTPTransport(local_address=host)
        headers = {
            "Origin": address,
            "User-Agent": "Mozilla/5.0 Chrome/140.0",
            "X-Forwarded-For": claims,
        }
        async with httpx.AsyncClient(transport=transport, headers=headers) as client:
            body = {"url": f"{address}/", "referrer": "", "pools": ["visitors"], "consent": True}
            answer = await client.post(f"{address}/api/v1/sites/shop/visits", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["visit_id"]

    # More than two minutes' share, for the minute may turn in the middle.
    visits = [
        await arrives("127.0.0.9", f"203.0.113.{at}") for at in range(2 * VISITS_A_MINUTE + 1)
    ]
    assert visits[0]
    assert None in visits
    assert await arrives("127.0.0.10", "203.0.113.1")
