"""Whole deliveries to servers that answer anything: each ends in an outcome that says why, and none
holds up the others.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import structlog

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import Connection
from router.domain.delivery.delivery import Delivery, DeliveryKind, DeliveryState, Webhook
from router.domain.delivery.outcome import CODES
from router.receivers import registry
from router.receivers.http import HttpClient
from router.receivers.registry import KINDS, Accounts
from router.receivers.webhook import WebhookSender
from router.secrets import keep_token
from router.service.delivery import dispatch
from router.service.delivery.dispatch import deliver_due, list_deliveries
from router.service.delivery.outbox import enqueue_calls
from router.service.delivery.senders import Senders
from router.store.engine import SqlStore
from tests.support.builders import NOON, Clock, furnish, later, visit, visitor
from tests.support.crm_calls import annas_call
from tests.support.hostile import HOSTILE, whole
from tests.support.receiver import Answer, receiver

WHOLE = [name for name, answer in HOSTILE.items() if isinstance(answer, bytes)]
ENDLESS = [name for name in HOSTILE if name not in WHOLE]
PATIENCE = {"whole": (20.0, 20.0), "endless": (1.0, 5.0)}  # seconds, and those of webhooks
TOKEN = b'{"access_token": "an-access-token", "expires_in": 3600}'
OPTIONS = {
    "ga4": {"measurement_id": "G-ABC123DEF4"},
    "google-ads": {"account": "1234567890", "conversion_action": "7", "token_address": "{}/token"},
    "metrica": {"counter": "42"},
    "zoho": {"accounts": "{}"},
}
# answers that mean that they took it; of a webhook's the beginning is read
TAKEN = {"ga4": {"empty", "nothing to say"}, "webhook": set(HOSTILE)}

# Tryton answers so where its user may not read what it has created
FINAL = {"tryton": {"nothing to say"}}


@asynccontextmanager
async def hostile_server(names: list[str], *, good_tokens: bool) -> AsyncIterator[str]:
    """Answers by the number at the beginning of the path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            try:
                path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
                answer = HOSTILE[names[int(path.split("/")[1].partition("?")[0])]]
                if good_tokens and path.endswith("/token"):
                    answer = whole("200 OK", TOKEN)
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(reader, writer)
            finally:
                writer.close()

    async with in_a_thread(serve) as port:
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def in_a_thread(serve: Answer) -> AsyncIterator[int]:
    """A server on a loop of its own: what it sends without end is not to slow ours."""
    ports, over = queue.Queue[int](), threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        while not over.is_set():
            await asyncio.sleep(0.05)
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        yield await asyncio.to_thread(ports.get)
    finally:
        over.set()
        await asyncio.to_thread(thread.join)


def connection(kind: str, place: int, server: str) -> Connection:
    address = f"{server}/{place}"
    options = {name: value.format(address) for name, value in OPTIONS.get(kind, {}).items()}
    return Connection(
        id=f"hostile-{place}", kind=kind, address=address, created_at=NOON, options=options
    )


async def delivered(
    store: SqlStore, home: Path, receivers: list[Connection] | list[Webhook], seconds: float
) -> dict[str, Delivery]:
    """What became of a call for each of these, and for a webhook that is well, last in the row."""
    call = annas_call(visitor_id="anna", visit_id="anna-1")
    anna = visitor(ga_client_id="123456789.1700000000", ym_client_id="1700000000123456789")
    seen = visit(click_ids={"gclid": "a-click"})
    clock = Clock(later(70))
    async with receiver() as well:
        await furnish(
            store, anna, seen, *receivers, Webhook(id="well", url=well.url, created_at=NOON)
        )
        async with store.write() as session:
            await session.calls.save([call])
            await enqueue_calls(session, [call], DeliveryKind.CALL_ENDED, clock())
        clock.move(600)
        accounts, webhooks = Accounts(store, home, clock), WebhookSender("key", seconds)
        senders = Senders(store, webhooks, accounts, "http://pages", clock, lambda *_: "")
        while await deliver_due(store, senders, clock):
            assert well.requests, "those who do not answer hold up who does"
        await accounts.close()
        await webhooks.close()
    return {delivery.receiver_id: delivery for delivery in await list_deliveries(store)}


KINDS_AND_TOKENS = [
    *((kind, True) for kind in sorted(KINDS)),
    *((kind, False) for kind in ("google-ads", "salesforce", "zoho")),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("answers", PATIENCE)
@pytest.mark.parametrize(
    ("kind", "good_tokens"),
    [*KINDS_AND_TOKENS, ("webhook", True)],
    ids=lambda value: value if isinstance(value, str) else ("" if value else "no token"),
)
async def test_every_answer_ends_in_an_outcome_and_holds_up_nothing_else(
    store: SqlStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
    kind: str,
    good_tokens: bool,
) -> None:
    names, (seconds, of_webhooks) = {"whole": WHOLE, "endless": ENDLESS}[answers], PATIENCE[answers]
    monkeypatch.setattr(registry, "HttpClient", partial(HttpClient, seconds=seconds))
    monkeypatch.setattr(dispatch, "AT_ONCE", len(names) + 1)
    async with hostile_server(names, good_tokens=good_tokens) as server:
        receivers: list[Connection] | list[Webhook]
        if kind == "webhook":
            receivers = [
                Webhook(id=f"hostile-{place}", url=f"{server}/{place}", created_at=NOON)
                for place in range(len(names))
            ]
        else:
            of_webhooks = 60.0  # the one that is well may be slow on a busy machine
            receivers = [connection(kind, place, server) for place in range(len(names))]
            for receiver in receivers:
                keep_token(tmp_path, receiver.id, dict.fromkeys(KINDS[kind].token, "7/c0defeed"))
        with structlog.testing.capture_logs() as logs:
            made = await delivered(store, tmp_path, receivers, of_webhooks)

    assert made.pop("well").state is DeliveryState.DONE
    assert [log for log in logs if log["event"] == "delivery_broke"] == []
    ended = {name: made[f"hostile-{place}"] for place, name in enumerate(names)}
    for name, delivery in ended.items():
        said = delivery.answer
        assert said is not None, name
        assert said.code in CODES, name
        assert str(said), name
        taken = delivery.state is DeliveryState.DONE
        assert not taken or name in TAKEN.get(kind, ()), f"{name}: {said}"
        assert len(str(said)) < 3000, name
        if answers == "whole":
            assert said.code != AnswerCode.TIMED_OUT, name
            # another server has answered: what it says is not the account's own refusal
            failed = delivery.state is DeliveryState.FAILED
            assert not failed or name in FINAL.get(kind, ()), f"{name}: {said}"
            assert taken or delivery.receipt is None, f"{name}: {said}"
