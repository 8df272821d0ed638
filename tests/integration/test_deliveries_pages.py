"""Deliveries and entities on the pages, on both databases."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from router.domain.calls.call import Call
from router.domain.delivery.call_event import CallEvent
from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.delivery import DeliveryState, leave_to_person
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.receivers.webhook import WebhookSender
from router.service.delivery.crm_update import annotate
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.outcomes import NeedsReview
from tests.integration.deliveries_world import kept, page, section, write
from tests.support.web_calls import HOSTILE, a_call, a_delivery
from tests.support.web_deliveries import DEAL, LEAD, a_connection, needs_review, two_deals
from tests.support.web_world import World

pytest_plugins = ["tests.integration.deliveries_world"]


@pytest.fixture
def world(deliveries_world: World) -> World:
    return deliveries_world


@pytest.fixture
def calls(told_calls: dict[str, Call]) -> dict[str, Call]:
    return told_calls


# The page


async def test_the_page_shows_what_waits_what_was_given_up_what_was_taken_and_the_accounts(
    world: World, calls: dict[str, Call]
) -> None:
    html = await page(world)
    expected = {
        "needs_review": ["+7 916 123-45-67", "Several CRM records match", "31337",
                      "8 (916) 123-45-67", "11:25:03", "https://shop.amocrm.ru/leads/detail/31337", "No CRM record was created"],  # noqa: E501
        "failed": ["Internal Server Error", "The receiver was removed", "+49 1511 2345678"],
        "receivers": ["amo · amoCRM (Kommo) · shop.amocrm.ru", "Paused until", "11:32:00", "crm · webhook · crm.example",  # noqa: E501
                      "OK"],
        "done": ["200 {&#34;lead&#34;: 1702}"],
    }  # fmt: skip
    for name, texts in expected.items():
        assert [text for text in texts if text not in section(html, name)] == [], name


async def test_an_empty_page_says_so(world: World) -> None:
    html = await page(world)
    for text in (
        "Nothing needs review",
        "No failed deliveries",
        "Nothing delivered yet",
    ):
        assert text in html
    assert 'id="unsettled"' not in html


async def test_every_page_counts_what_waits_for_a_person(
    world: World, calls: dict[str, Call]
) -> None:
    for path in ("/calls", "/deliveries", "/pools", f"/calls/{calls['busy'].id}"):
        assert '<span id="unsettled" class="count">4<' in await page(world, path=path), path
    assert "unsettled" not in (await world.browser().get("/login")).text


async def test_hostile_titles_phones_and_reasons_stay_text(
    world: World, calls: dict[str, Call]
) -> None:
    for path in ("/deliveries", f"/calls/{calls['attributed'].id}"):
        html = await page(world, "root", path)
        assert not re.search(
            r"<script(?![^>]* src=)|<i>|<u>|<h1>oops|<b>|javascript:|\sstyle=", html
        ), path
        title = html[html.index("&lt;script&gt;") :].partition("</bdi>")[0]
        assert title.count("A") == HOSTILE.count("A"), path
        # what is written right to left ends there
        assert "<bdi" in html[: html.index("&lt;script&gt;")][-40:], path


async def test_a_supervisor_presses_this_one_and_the_call_is_sent(
    world: World, calls: dict[str, Call]
) -> None:
    anna = await world.person("anna")
    form = re.search(
        r'<form method="post" action="([^"]+)">\s*<input type="hidden" name="kind" '
        r'value="(\w+)">\s*'
        r'<button name="id" value="31338"',
        (await anna.get("/deliveries")).text,
    )
    assert form is not None
    answer = await anna.post(form[1], data={"kind": form[2], "id": "31338"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/deliveries#needs_review")
    assert ((await kept(world, "u1")).state, (await kept(world, "u1")).chosen) == (
        DeliveryState.PENDING,
        LEAD,
    )
    assert "31337" not in section((await anna.get("/deliveries")).text, "needs_review")
    # another person's page was older
    late = await anna.post(form[1], data={"kind": "deal", "id": "31337"})
    assert (late.status_code, "Someone else has changed this" in late.text) == (409, True)


async def test_another_entity_is_named_by_its_id_on_the_page_of_its_call_too(
    world: World, calls: dict[str, Call]
) -> None:
    anna, path = await world.person("anna"), f"/calls/{calls['stale'].id}"
    assert "No CRM record was created for this call" in (await anna.get(path)).text
    for wrong in ("../1", "a b", "", "5" * 81):
        bad = await anna.post(f"{path}/deliveries/u2/entity", data={"kind": "deal", "id": wrong})
        assert bad.status_code == 422, wrong
    answer = await anna.post(f"{path}/deliveries/u2/entity", data={"kind": "company", "id": "99"})
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert (await kept(world, "u2")).chosen == Ref(kind=EntityKind.COMPANY, id="99")


async def test_only_an_administrator_sends_again_and_that_ends_the_rest(
    world: World, calls: dict[str, Call]
) -> None:
    anna, root = await world.person("anna"), await world.person("root")
    mine = (await anna.get("/deliveries")).text
    assert "Resend" not in mine
    assert "Resend all" not in mine
    for path in ("/deliveries/d2/resend", "/deliveries/resend"):
        assert (await anna.post(path)).status_code == 403, path
    assert "Resend all" in (await root.get("/deliveries")).text
    assert (await root.post("/deliveries/u2/resend")).status_code == 303  # look again
    assert (await kept(world, "u2")).state is DeliveryState.PENDING
    async with world.store.read() as session:
        assert (await session.get(ReceiverHealth, "amo")).paused_until <= world.clock.now
    assert (await root.post("/deliveries/resend")).status_code == 303
    assert {(await kept(world, name)).state for name in ("d2", "x1")} == {DeliveryState.PENDING}
    assert (await kept(world, "u1")).state is DeliveryState.NEEDS_REVIEW


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_no_other_site_decides_or_sends(
    world: World, calls: dict[str, Call], headers: dict[str, str]
) -> None:
    root = await world.person("root")
    call = f"/calls/{calls['attributed'].id}"
    paths = (
        "/deliveries/u1/entity",
        f"{call}/deliveries/u1/entity",
        "/deliveries/d2/resend",
        "/deliveries/resend",
    )
    for path in paths:
        answer = await root.post(path, data={"kind": "deal", "id": "31337"}, headers=headers)
        assert answer.status_code == 403, path
    assert (await kept(world, "u1")).state is DeliveryState.NEEDS_REVIEW
    assert (await kept(world, "d2")).state is DeliveryState.FAILED


async def test_without_logging_in_nothing_is_shown_or_done(
    world: World, calls: dict[str, Call]
) -> None:
    stranger = world.browser(Origin="https://ringtrace.test")
    assert (await stranger.get("/deliveries")).headers["location"] == "/login?next=/deliveries"
    for path in ("/deliveries/u1/entity", "/deliveries/d2/resend", "/deliveries/resend"):
        answer: httpx.Response = await stranger.post(path, data={"kind": "deal", "id": "31337"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path
    assert (await kept(world, "u1")).state is DeliveryState.NEEDS_REVIEW


async def test_more_goes_on_where_a_section_ended(world: World) -> None:
    call = a_call("1", world.clock.now)
    await world.save(call)
    await write(world, a_connection(world))
    await write(
        world,
        *(
            needs_review(
                call,
                f"u{i:02}",
                *two_deals(call),
                created_at=call.arrived_at - timedelta(minutes=i),
            )
            for i in range(45)
        ),
    )
    anna, path, seen = await world.person("anna"), "/deliveries", []
    for expected in (20, 20, 5):
        part = section((await anna.get(path)).text, "needs_review")
        ids = re.findall(r'<h3 id="delivery-(\w+)"', part)
        assert len(ids) == expected
        seen += ids
        more = re.search(r'<p class="more"><a class="button" href="([^"]+)"', part)
        path = more[1].replace("&amp;", "&").partition("#")[0] if more else ""
    assert (seen, path) == ([f"u{i:02}" for i in range(45)], "")
    assert (await anna.get("/deliveries?more=needs_review&cursor=nonsense")).status_code == 422
    assert (await anna.get("/deliveries?more=nonsense")).status_code == 422


class Shown:
    """A CRM in which others have created these."""

    def __init__(self, *found: Found) -> None:
        self.found = found

    async def appeared(self, *_: object) -> tuple[Found, ...]:
        return self.found


async def test_the_reasons_that_are_given_are_shown_in_the_readers_language(world: World) -> None:
    call = a_call("1", world.clock.now - timedelta(hours=1))
    await world.save(call)
    await write(world, a_connection(world))
    told = CallEvent(
        id=call.id, site_id="shop", caller="+79161234567", number=None, arrived_at=call.arrived_at,
        ended_at=call.arrived_at, answered=True, talk_seconds=1, destination_id=None, facts={"client_id": "1.2"},  # noqa: E501
    )  # fmt: skip
    alike = tuple(replace(found, phones=("+79161234567",), open=True, created_at=call.arrived_at)
                  for found in (Found(ref=DEAL), Found(ref=replace(DEAL, id="31339"))))  # fmt: skip
    stranger = Found(ref=LEAD, phones=("+78000000000",), created_at=call.arrived_at)
    for name, found in {"several": alike, "near": (stranger,), "none": ()}.items():
        with pytest.raises(NeedsReview) as said:
            await annotate(Shown(*found), a_connection(world), told, looks=9, now=world.clock.now)  # type: ignore[arg-type]
        waits = a_delivery(call, name, key=name, receiver_id="amo", done_at=None, receipt=None)
        await write(world, leave_to_person(waits, said.value.outcome, said.value.candidates))
    sent = {
        "state": DeliveryState.PENDING,
        "done_at": None,
        "receipt": None,
        "due_at": world.clock.now,
    }
    ended = world.clock.now - timedelta(days=4)
    await write(
        world,
        a_delivery(call, "y1", key="removed", receiver_id="nobody", **sent),
        a_delivery(call, "y2", key="late", receiver_id="amo", **{**sent, "deadline_at": ended}),
    )
    await deliver_due(world.store, WebhookSender("key"), world.clock)
    html = await page(world, language="ru")
    waiting, failed = section(html, "needs_review"), section(html, "failed")
    for text in (
        "одинаково подходят несколько",
        "вот ближайшие",
        "По этому звонку в CRM ничего не создано",
    ):
        assert text in waiting
    for text in (
        "Получатель удалён или отключён",
        "Отправить не удалось за три дня",
        "получатель «nobody» удалён",
        "поздно: Ringtrace",
    ):
        assert text in failed


async def test_the_page_speaks_russian(world: World, calls: dict[str, Call]) -> None:
    html = await page(world, "root", language="ru")
    for text in (
        "Передача данных",
        "одинаково подходят несколько записей в CRM",
        "Сделка",
        "Пауза до",
        "Отправить всё снова",
    ):
        assert text in html
    for text in ("equally well", "Failed", "Resend"):
        assert text not in html
