"""Who is let in, who is not, and how often anybody may try: the log-in and its session, over
HTTP.
"""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from router.domain.access import Role
from router.domain.calls.call import Call
from router.errors import TooManyAttempts
from router.service.admin.access import add_person, set_password
from tests.support.web_calls import furnish
from tests.support.web_world import PASSWORD, World, a_world

OURS = {"Origin": "https://ringtrace.test"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


@pytest.fixture
async def calls(world: World) -> dict[str, Call]:
    return await furnish(world)


async def log_in(
    client: httpx.AsyncClient, login: str = "anna", password: str = PASSWORD
) -> httpx.Response:
    return await client.post("/login", data={"login": login, "password": password}, headers=OURS)


@pytest.mark.parametrize("path", ["/calls", "/calls?verdict=exact", "/calls/pbx-1768912345.1"])
async def test_who_is_not_logged_in_is_asked_to_and_comes_back(world: World, path: str) -> None:
    client = world.browser(**OURS)
    asked = await client.get(path)
    assert asked.status_code == 303
    form = await client.get(asked.headers["location"])
    wanted = re.search(
        r'name="next" value="([^"]*)"', form.text[form.text.index('class="card login"') :]
    )
    assert wanted is not None
    data = {"login": "anna", "password": PASSWORD, "next": wanted.group(1)}
    assert (await client.post("/login", data=data)).headers["location"] == path


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\tx", "evil", ""]
)
async def test_a_log_in_leads_to_no_other_site(world: World, target: str) -> None:
    data = {"login": "anna", "password": PASSWORD, "next": target}
    assert (await world.browser(**OURS).post("/login", data=data)).headers["location"] == "/calls"


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    cookie = (await log_in(world.browser())).headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "secure", "path=/"))
    plain = await log_in_over_http(world)
    assert "secure" not in plain.headers["set-cookie"].lower()


async def log_in_over_http(world: World) -> httpx.Response:
    client = world.browser(host="http://ringtrace.test")
    data = {"login": "anna", "password": PASSWORD}
    return await client.post("/login", data=data, headers={"Origin": "http://ringtrace.test"})


async def test_a_wrong_password_is_refused_in_the_readers_language(world: World) -> None:
    client = world.browser(**{"Accept-Language": "ru"})
    answer = await log_in(client, password="wrong")
    assert answer.status_code == 401
    assert "Неверный логин или пароль." in answer.text
    assert "set-cookie" not in answer.headers
    assert (await log_in(client, login="nobody")).status_code == 401


async def test_guessing_one_login_is_slowed_down(world: World) -> None:
    client = world.browser()
    answers = [(await log_in(client, password="wrong")).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    assert (await log_in(client)).status_code == 429


async def test_guessing_many_logins_from_one_address_is_slowed_down(world: World) -> None:
    client = world.browser()
    answers = [
        (await log_in(client, login=f"guess{i}", password="wrong")).status_code for i in range(31)
    ]
    assert answers == [401] * 30 + [429]


async def test_one_address_locks_no_other_out(world: World) -> None:
    for _ in range(120):
        await log_in(world.browser(address="203.0.113.9"), password="wrong")
    assert (await log_in(world.browser(address="198.51.100.7"))).status_code == 303


async def test_a_line_of_ipv6_is_one_address(world: World) -> None:
    answers = [
        (
            await log_in(
                world.browser(address=f"2001:db8:1:2::{i:x}"), login=f"guess{i}", password="wrong"
            )
        ).status_code
        for i in range(31)
    ]
    assert answers == [401] * 30 + [429]


async def test_a_shift_logs_in_from_one_office(world: World) -> None:
    assert [(await log_in(world.browser())).status_code for _ in range(20)] == [303] * 20


async def test_a_forged_or_foreign_cookie_opens_nothing(world: World) -> None:
    client = await world.person("anna")
    name, value = next(iter(client.cookies.items()))
    signed, _, signature = value.rpartition(".")
    # not the last letter: some of its bits mean nothing
    other = "a" if signature[0] != "a" else "b"
    for forged in (f"{signed}.{other}{signature[1:]}", "", "null", value.partition(".")[0]):
        stranger = world.browser(Cookie=f"{name}={forged}")
        assert (await stranger.get("/calls")).status_code == 303


async def test_a_changed_password_ends_every_session(world: World) -> None:
    client = await world.person("anna")
    assert (await client.get("/calls")).status_code == 200
    await set_password(world.store, "anna", "another password")
    assert (await client.get("/calls")).status_code == 303


async def test_logging_out_forgets_the_session(world: World) -> None:
    client = await world.person("anna")
    await client.post("/logout")
    assert (await client.get("/calls")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://ringtrace.test", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://ringtrace.test", "Sec-Fetch-Site": "same-site"},
    ],
)
async def test_other_sites_cannot_use_a_session(
    world: World, calls: dict[str, Call], headers: dict[str, str]
) -> None:
    client = await world.person("root")
    call = f"/calls/{calls['attributed'].id}"
    for path in ("/login", "/logout", "/language", f"{call}/tags", f"{call}/deliveries/d2/resend"):
        answer = await client.post(path, data={"name": "x", "language": "ru"}, headers=headers)
        assert answer.status_code == 403, path


async def test_a_session_that_ended_sends_htmx_to_the_log_in(world: World) -> None:
    answer = await world.browser(**{"HX-Request": "true"}).get("/calls")
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


async def test_someone_removed_is_let_in_no_more(world: World) -> None:
    from router.domain.access import Person

    await add_person(world.store, "temp", PASSWORD, Role.SUPERVISOR, world.clock.now)
    client = await world.person("temp")
    async with world.store.write() as session:
        await session.remove(Person, "temp")
    assert (await client.get("/calls")).status_code == 303


async def test_logging_out_ends_the_session_on_the_server(world: World) -> None:
    client = await world.person("anna")
    name, value = next(cookie for cookie in client.cookies.items() if "session" in cookie[0])
    copied = world.browser(Cookie=f"{name}={value}")
    assert (await copied.get("/calls")).status_code == 200
    await client.post("/logout")
    assert (await copied.get("/calls")).status_code == 303


async def test_a_session_ends_after_a_week(world: World) -> None:
    client = await world.person("anna")
    world.clock.now += timedelta(days=7, seconds=1)
    assert (await client.get("/calls")).status_code == 303


async def test_a_browser_that_logged_in_before_is_not_locked_out_by_others(world: World) -> None:
    client = await world.person("anna")
    await client.post("/logout")
    rate_limits = world.app.state.app_state.rate_limits
    with suppress(TooManyAttempts):
        for place in range(1000):
            rate_limits.count("anna", f"203.0.113.{place % 50}", None)
    assert (await log_in(client)).status_code == 303


async def test_an_address_without_attempts_may_try_while_others_guess(world: World) -> None:
    rate_limits = world.app.state.app_state.rate_limits
    for place in range(300):
        with suppress(TooManyAttempts):
            rate_limits.count("anna", f"203.0.113.{place % 50}", None)
    assert (await log_in(world.browser(address="198.51.100.7"))).status_code == 303


@pytest.mark.parametrize(
    ("password", "event"), [("wrong", "web.login_failed"), (PASSWORD, "web.logged_in")]
)
async def test_log_ins_leave_a_line_with_the_address(
    world: World, password: str, event: str
) -> None:
    with capture_logs() as lines:
        await log_in(world.browser(address="203.0.113.9"), password=password)
    assert [line["address"] for line in lines if line["event"] == event] == ["203.0.113.9"]
    assert PASSWORD not in str(lines)
