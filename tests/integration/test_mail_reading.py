"""Mail as it arrives: attributed like a call, kept without its words, sent once."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.outcome import Outcome
from router.domain.mail import MailChannel
from router.errors import Conflict, NotFound
from router.imap import AT_ONCE
from router.service.delivery.dispatch import deliver_due, list_deliveries
from router.service.delivery.manage import resend_delivery
from router.service.delivery.outcomes import SendResult
from router.service.mail import MailboxPoller
from router.service.mailboxes import add_channel, remove_channel
from router.service.worker import Worker
from router.store.engine import SqlStore
from tests.integration.mail_world import (
    ANNAS,
    CLIENT,
    CODE,
    MAIL,
    box,
    collect,
    furnish,
    kept,
    letter,
    poller,
    the_box,
)
from tests.support.builders import Clock, site, visit, visitor
from tests.support.imap_server import PASSWORD, ImapServer

pytest_plugins = ["tests.integration.mail_world"]


async def test_a_message_to_a_visitor_s_address_is_attributed_and_sent(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(
        letter(1),
        letter(2, f'"The shop" <{ANNAS.lower()}>'),
        letter(3, MAIL),
        letter(4, "me@else.example"),
    )
    await collect(poller(store, clock))
    first, second, third = await kept(store)
    assert (first.verdict, first.visitor_id, first.visit_id, first.channel) == (
        Verdict.EXACT,
        "anna",
        "anna-1",
        "Paid Search",
    )
    assert (first.sender, first.address, first.tag) == (
        "boris@writer.example",
        ANNAS.lower(),
        CODE.lower(),
    )
    assert clock().replace(microsecond=0) <= first.arrived_at <= datetime.now(UTC)
    assert (second.verdict, second.visit_id) == (Verdict.EXACT, "anna-1")
    assert (third.verdict, third.visitor_id, third.tag) == (Verdict.UNKNOWN, None, None)
    told = {
        delivery.payload["mail"]["message_id"]: delivery.payload
        for delivery in await list_deliveries(store)
    }
    assert len(told) == 3
    body = told["<1@writer.example>"]
    assert body["event"] == "mail.received"
    assert body["attribution"]["ga_client_id"] == "123.456"
    assert body["attribution"]["visit"]["source"] == "google"
    assert told["<3@writer.example>"]["attribution"]["visit"] is None


@pytest.mark.parametrize(
    "manager", [MAIL, "Info+other@Shop.example", "olga@shop.example", "olga@tyres.example"]
)
async def test_who_answers_to_all_from_the_company_is_no_visitor(
    store: SqlStore, server: ImapServer, clock: Clock, manager: str
) -> None:
    await furnish(store, box(server, clock))
    async with store.write() as session:
        await session.change(
            site(mail=MAIL, origins=("https://www.shop.example", "https://tyres.example:8443"))
        )
    answer = letter(1, "boris@writer.example", f"Cc: {ANNAS}").replace(
        b"boris@writer.example>", manager.encode() + b">", 1
    )
    server.put(answer, letter(2))
    await collect(poller(store, clock))
    assert [mail.sender for mail in await kept(store)] == ["boris@writer.example"]


async def test_nothing_in_the_mailbox_changes_and_no_word_of_a_message_is_kept(
    store: SqlStore, server: ImapServer, clock: Clock, database: str
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter())
    before = server.flags()
    await collect(poller(store, clock))
    assert len(await kept(store)) == 1
    assert server.flags() == before
    assert "Seen" not in before[0]
    seen = repr(await kept(store)) + repr(await list_deliveries(store))
    assert "secret" not in seen
    # ours, and three of the test's own that ask for no text
    conversations = await server.conversations(4)
    assert all("body_count=0" in conversation for conversation in conversations)
    if database.startswith("sqlite"):
        file = database.partition(":///")[2]
        assert b"secret" not in Path(file).read_bytes() + Path(file + "-wal").read_bytes()


async def test_an_address_may_belong_to_a_channel_until_it_does_not(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    cards = MailChannel(
        id="1", site_id="shop", tag="cards", channel="Business cards", created_at=clock()
    )
    await add_channel(store, cards)
    with pytest.raises(Conflict, match="cards"):
        await add_channel(store, replace(cards, id="2"))
    with pytest.raises(NotFound):
        await add_channel(store, replace(cards, id="3", site_id="nowhere"))
    server.put(letter(1, "info+Cards@shop.example"))
    man = poller(store, clock)
    await collect(man)
    await remove_channel(store, "shop", "cards")
    server.put(letter(2, "info+cards@shop.example"))
    clock.move(61)
    await collect(man)
    first, second = await kept(store)
    assert (first.verdict, first.channel) == (Verdict.STATIC, "Business cards")
    assert (second.verdict, second.channel) == (Verdict.UNKNOWN, None)


async def test_a_code_of_another_site_names_no_visitor(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    others = (
        site("other"),
        visitor("olga", site_id="other"),
        visit("olga-1", visitor_id="olga", code="AAAAAA"),
    )
    await furnish(store, *others, box(server, clock))
    server.put(letter(1, "info+AAAAAA@shop.example"))
    await collect(poller(store, clock))
    (mail,) = await kept(store)
    assert (mail.verdict, mail.visit_id) == (Verdict.UNKNOWN, None)


async def test_what_machines_answer_is_kept_but_not_sent(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1, ANNAS, "Auto-Submitted: auto-replied"), letter(2))
    await collect(poller(store, clock))
    assert [mail.automatic for mail in await kept(store)] == [True, False]
    (told,) = await list_deliveries(store)
    assert told.payload["mail"]["message_id"] == "<2@writer.example>"


async def test_a_thousand_messages_come_in_batches_each_once(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put_files([letter(n) for n in range(1000)])
    began = time.monotonic()
    await collect(poller(store, clock))
    print(f"1,000 messages in {time.monotonic() - began:.2f} s, {AT_ONCE} at once")
    assert len(await kept(store)) == 1000
    assert (await the_box(store)).uid == 1001  # and the first one, which no visitor sent


async def test_the_same_message_twice_is_one(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    nameless = b"From: boris@writer.example\r\nTo: " + ANNAS.encode() + b"\r\n\r\nx\r\n"
    server.put(letter(1), letter(1, MAIL), nameless, nameless)
    man = poller(store, clock)
    await collect(man)
    server.put(letter(1))
    clock.move(61)
    await collect(man)
    assert len(await kept(store)) == 2
    assert len(await list_deliveries(store)) == 2


async def test_strangers_headers_stop_nothing(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    to = b"To: " + ANNAS.encode()
    server.put(
        b"From: =?utf-8?B?!!!?=\r\n" + to + b"\r\n\r\n",
        b"From: \xff\xfe <x@y.example>\r\n" + to + b"\r\n\r\n",
        b"From: x@y.example\r\nMessage-ID: <" + b"x" * 100_000 + b">\r\n" + to + b"\r\n\r\n",
        b"From: x@y.example\r\nTo: " + b", ".join(b"%d@b.example" % n for n in range(7000)) + b"\r\nDelivered-To: "  # noqa: E501
        + ANNAS.encode() + b"\r\n\r\n",
        b"\r\n\r\n",
        b"not a header at all",
        "To: info+İİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİ@shop.example\r\n\r\n".encode(),  # noqa: E501
        letter(9),
    )  # fmt: skip
    server.put_files([b"To: \0" + ANNAS.encode() + b"\0\r\nFrom: \0\r\n\r\n"])
    await collect(poller(store, clock))
    mails = await kept(store)
    assert mails[0].message_id == "<9@writer.example>"
    # Dovecot may refuse to show the one with NULs
    assert sum(mail.visit_id == "anna-1" for mail in mails) in {
        5,
        6,
    }
    assert (await the_box(store)).error is None


async def test_the_worker_reads_mailboxes_and_tells_of_what_came(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    told: list[Delivery] = []

    class Sender:
        def most(self, _: Any) -> int:
            return 1

        async def send(self, deliveries: Sequence[Delivery], to: Any) -> SendResult:
            told.extend(deliveries)
            return SendResult(said=Outcome.text("200"))

    def real() -> datetime:
        return datetime.now(UTC)

    await furnish(store, box(server, clock))
    server.put(letter(1))
    man = MailboxPoller(store, CLIENT, lambda _: PASSWORD, real, timedelta(seconds=0.2))
    task = asyncio.create_task(Worker(store, None, Sender(), real, man).run())  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(180):
            while len(told) < 1:
                await asyncio.sleep(0.02)
            server.put(letter(2))
            while len(told) < 2:
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [delivery.payload["mail"]["message_id"] for delivery in told] == [
        "<1@writer.example>",
        "<2@writer.example>",
    ]
    assert told[0].call_id is None


async def test_a_delivery_of_mail_can_be_sent_again_like_any_other(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    class Sender:
        def most(self, _: Any) -> int:
            return 1

        async def send(self, _: Sequence[Delivery], to: Any) -> SendResult:
            return SendResult(said=Outcome.text("200"))

    await furnish(store, box(server, clock))
    server.put(letter(1))
    await collect(poller(store, clock))
    await deliver_due(store, Sender(), clock)
    (done,) = await list_deliveries(store)
    assert done.state is DeliveryState.DONE
    again = await resend_delivery(store, done.id, clock())
    assert (again.state, again.key) == (DeliveryState.PENDING, done.key)
