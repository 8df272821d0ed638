"""Mail from a real server: attributed like calls, told once, and what outages, restarts and strangers do to that."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from router.analytics.mailbox import AT_ONCE, ImapPost
from router.domain.access import Scope
from router.domain.attribution import Verdict
from router.domain.delivery import Delivery, DeliveryState
from router.domain.mail import Mail, Mailbox, MailChannel, Security
from router.errors import Conflict, MailboxUnavailable, NotFound
from router.service.deliveries import deliver_due, list_deliveries, resend_delivery
from router.service.mailing import (
    CLAIM,
    LONGEST_PAUSE,
    Batch,
    Postman,
    add_channel,
    connect_mailbox,
    disconnect_mailbox,
    list_mails,
    remove_channel,
)
from router.service.working import Worker
from router.store.engine import SqlStore
from tests.builders import Clock, destination, site, visit, visitor, webhook
from tests.command_line import ringtrace
from tests.imap_server import PASSWORD, USER, ImapServer, imap_server, trickle
from tests.web_world import a_world

CODE = "4K7M2X"
MAIL = "info@shop.example"
ANNAS = f"info+{CODE}@shop.example"
PAUSE = timedelta(seconds=60)
POST = ImapPost(seconds=20)


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


def letter(number: int = 1, to: str = ANNAS, *more: str, body: str = "A secret question.") -> bytes:
    lines = [f"Message-ID: <{number}@writer.example>", "From: Boris <boris@writer.example>", f"To: {to}", *more]
    return "\r\n".join([*lines, "Subject: A secret subject", "", body, ""]).encode()


def box(server: ImapServer, clock: Clock, **fields: Any) -> Mailbox:
    place = {"host": "127.0.0.1", "port": server.port, "security": Security.PLAIN, "user": USER}
    since = clock().replace(second=0, microsecond=0)
    return Mailbox(**{"site_id": "shop", **place, "since": since, "due_at": clock(), **fields})


async def furnish(store: SqlStore, *more: Any) -> None:
    async with store.write() as session:
        await session.add(destination(), site(mail=MAIL), visitor(), visit(code=CODE, channel="Paid Search"))
        await session.add(webhook(), *more)


def postman(store: SqlStore, clock: Clock, post: Any = POST) -> Postman:
    return Postman(store, post, lambda _: PASSWORD, clock, PAUSE)


async def collect(postman: Postman) -> None:
    while await postman.collect("shop"):
        pass


async def kept(store: SqlStore) -> list[Mail]:
    return sorted(await list_mails(store, limit=2000), key=lambda mail: mail.message_id)


async def the_box(store: SqlStore) -> Mailbox:
    async with store.read() as session:
        return await session.get(Mailbox, "shop")


async def test_a_message_to_a_visitor_s_address_is_attributed_and_told(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1), letter(2, f'"The shop" <{ANNAS.lower()}>'), letter(3, MAIL), letter(4, "me@else.example"))
    await collect(postman(store, clock))
    first, second, third = await kept(store)
    assert (first.verdict, first.visitor_id, first.visit_id, first.channel) == (
        Verdict.EXACT,
        "anna",
        "anna-1",
        "Paid Search",
    )
    assert (first.sender, first.address, first.tag) == ("boris@writer.example", ANNAS.lower(), CODE.lower())
    assert abs(first.arrived_at - datetime.now(UTC)) < timedelta(seconds=20)
    assert (second.verdict, second.visit_id) == (Verdict.EXACT, "anna-1")
    assert (third.verdict, third.visitor_id, third.tag) == (Verdict.UNKNOWN, None, None)
    told = {one.payload["mail"]["message_id"]: one.payload for one in await list_deliveries(store)}
    assert len(told) == 3
    body = told["<1@writer.example>"]
    assert body["event"] == "mail.received"
    assert body["attribution"]["ga_client_id"] == "123.456"
    assert body["attribution"]["visit"]["source"] == "google"
    assert told["<3@writer.example>"]["attribution"]["visit"] is None


async def test_nothing_in_the_mailbox_changes_and_no_word_of_a_message_is_kept(
    store: SqlStore, server: ImapServer, clock: Clock, database: str
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter())
    before = server.flags()
    await collect(postman(store, clock))
    assert len(await kept(store)) == 1
    assert server.flags() == before
    assert "Seen" not in before[0]
    seen = repr(await kept(store)) + repr(await list_deliveries(store))
    assert "secret" not in seen
    conversations = await server.conversations(4)  # ours, and three of the test's own that ask for no text
    assert all("body_count=0" in one for one in conversations)
    if database.startswith("sqlite"):
        file = database.partition(":///")[2]
        assert b"secret" not in Path(file).read_bytes() + Path(file + "-wal").read_bytes()


async def test_an_address_may_stand_for_a_channel_until_it_does_not(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    cards = MailChannel(id="1", site_id="shop", tag="cards", channel="Business cards", created_at=clock())
    await add_channel(store, cards)
    with pytest.raises(Conflict, match="cards"):
        await add_channel(store, replace(cards, id="2"))
    with pytest.raises(NotFound):
        await add_channel(store, replace(cards, id="3", site_id="nowhere"))
    server.put(letter(1, "info+Cards@shop.example"))
    man = postman(store, clock)
    await collect(man)
    await remove_channel(store, "shop", "cards")
    server.put(letter(2, "info+cards@shop.example"))
    clock.move(61)
    await collect(man)
    first, second = await kept(store)
    assert (first.verdict, first.channel) == (Verdict.STATIC, "Business cards")
    assert (second.verdict, second.channel) == (Verdict.UNKNOWN, None)


async def test_a_code_of_another_site_names_nobody(store: SqlStore, server: ImapServer, clock: Clock) -> None:
    others = (site("other"), visitor("olga", site_id="other"), visit("olga-1", visitor_id="olga", code="AAAAAA"))
    await furnish(store, *others, box(server, clock))
    server.put(letter(1, "info+AAAAAA@shop.example"))
    await collect(postman(store, clock))
    (mail,) = await kept(store)
    assert (mail.verdict, mail.visit_id) == (Verdict.UNKNOWN, None)


async def test_what_machines_answer_is_kept_but_not_told(store: SqlStore, server: ImapServer, clock: Clock) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1, ANNAS, "Auto-Submitted: auto-replied"), letter(2))
    await collect(postman(store, clock))
    assert [mail.automatic for mail in await kept(store)] == [True, False]
    (told,) = await list_deliveries(store)
    assert told.payload["mail"]["message_id"] == "<2@writer.example>"


async def test_a_thousand_messages_come_in_batches_each_once(store: SqlStore, server: ImapServer, clock: Clock) -> None:
    await furnish(store, box(server, clock))
    server.put_files([letter(n) for n in range(1000)])
    began = time.monotonic()
    await collect(postman(store, clock))
    print(f"1,000 messages in {time.monotonic() - began:.2f} s, {AT_ONCE} at once")
    assert len(await kept(store)) == 1000
    assert (await the_box(store)).uid == 1001  # and the first one, which was nobody's


async def test_the_same_message_twice_is_one(store: SqlStore, server: ImapServer, clock: Clock) -> None:
    await furnish(store, box(server, clock))
    nameless = b"From: boris@writer.example\r\nTo: " + ANNAS.encode() + b"\r\n\r\nx\r\n"
    server.put(letter(1), letter(1, MAIL), nameless, nameless)
    man = postman(store, clock)
    await collect(man)
    server.put(letter(1))
    clock.move(61)
    await collect(man)
    assert len(await kept(store)) == 2
    assert len(await list_deliveries(store)) == 2


async def test_a_mailbox_made_anew_is_read_again_and_teaches_nothing_twice(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1), letter(2))
    man = postman(store, clock)
    await collect(man)
    before = await the_box(store)
    server.make_anew()
    server.put(letter(3))
    clock.move(61)
    await collect(man)
    after = await the_box(store)
    assert after.uidvalidity != before.uidvalidity
    assert [mail.message_id[1] for mail in await kept(store)] == ["1", "2", "3"]
    assert len(await list_deliveries(store)) == 3


async def test_what_lay_there_before_the_mailbox_was_connected_is_left_alone(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1), at=clock() - timedelta(hours=1))
    server.put(letter(2), at=clock() - timedelta(days=400))
    server.put(letter(3))
    await collect(postman(store, clock))
    assert [mail.message_id[1] for mail in await kept(store)] == ["3"]


async def test_strangers_headers_stop_nothing(store: SqlStore, server: ImapServer, clock: Clock) -> None:
    await furnish(store, box(server, clock))
    to = b"To: " + ANNAS.encode()
    server.put(
        b"From: =?utf-8?B?!!!?=\r\n" + to + b"\r\n\r\n",
        b"From: \xff\xfe <x@y.example>\r\n" + to + b"\r\n\r\n",
        b"From: x@y.example\r\nMessage-ID: <" + b"x" * 100_000 + b">\r\n" + to + b"\r\n\r\n",
        b"From: x@y.example\r\nTo: " + b", ".join(b"%d@b.example" % n for n in range(7000)) + b"\r\nDelivered-To: "
        + ANNAS.encode() + b"\r\n\r\n",
        b"\r\n\r\n",
        b"not a header at all",
        "To: info+İİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİ@shop.example\r\n\r\n".encode(),
        letter(9),
    )  # fmt: skip
    server.put_files([b"To: \0" + ANNAS.encode() + b"\0\r\nFrom: \0\r\n\r\n"])
    await collect(postman(store, clock))
    mails = await kept(store)
    assert mails[0].message_id == "<9@writer.example>"
    assert sum(mail.visit_id == "anna-1" for mail in mails) in {5, 6}  # Dovecot may refuse to show the one with NULs
    assert (await the_box(store)).error is None


async def test_an_outage_is_said_once_waited_out_with_growing_pauses_and_nothing_is_forgotten(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    man = postman(store, clock)
    await collect(man)
    server.put(letter(1))
    server.stop()
    pauses = []
    with capture_logs() as logs:
        for _ in range(6):
            clock.now = (await the_box(store)).due_at
            await collect(man)
            pauses.append((await the_box(store)).due_at - clock())
        assert [entry["event"] for entry in logs] == ["mailbox_shop_down"]
        assert (await the_box(store)).failures == 6
        assert "Nothing listens" in ((await the_box(store)).error or "")
        assert pauses == [min(PAUSE * 2**n, LONGEST_PAUSE) for n in range(6)]
        server.start()
        clock.now = (await the_box(store)).due_at
        await collect(man)
        assert [entry["event"] for entry in logs][1:] == ["mailbox_shop_back", "mail_received"]
    assert len(await kept(store)) == 1
    assert ((await the_box(store)).failures, (await the_box(store)).error) == (0, None)


async def test_killed_between_reading_and_keeping_nothing_is_lost_or_told_twice(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1))
    read = asyncio.Event()

    class Slow(ImapPost):
        async def read(self, mailbox: Mailbox, password: str) -> Batch:
            batch = await super().read(mailbox, password)
            read.set()
            await asyncio.sleep(3600)
            return batch

    killed = asyncio.create_task(postman(store, clock, Slow()).collect("shop"))
    await asyncio.wait_for(read.wait(), 20)
    killed.cancel()
    with suppress(asyncio.CancelledError):
        await killed
    assert await kept(store) == []
    other = postman(store, clock)
    await collect(other)
    assert await kept(store) == []  # the dead one's claim holds still
    clock.move(CLAIM.total_seconds())
    await collect(other)
    assert len(await kept(store)) == len(await list_deliveries(store)) == 1


async def test_who_comes_back_after_another_took_over_keeps_nothing(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1))
    go, read = asyncio.Event(), asyncio.Event()

    class Sleepy(ImapPost):
        async def read(self, mailbox: Mailbox, password: str) -> Batch:
            batch = await super().read(mailbox, password)
            read.set()
            await go.wait()
            return batch

    sleeper = asyncio.create_task(postman(store, clock, Sleepy()).collect("shop"))
    await asyncio.wait_for(read.wait(), 20)
    clock.move(CLAIM.total_seconds())
    await collect(postman(store, clock))
    mine = await the_box(store)
    clock.move(5)
    go.set()
    await sleeper
    assert await the_box(store) == mine
    assert len(await kept(store)) == len(await list_deliveries(store)) == 1


async def test_a_mailbox_disconnected_while_it_was_read_teaches_nothing_more(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1))

    class Late(ImapPost):
        async def read(self, mailbox: Mailbox, password: str) -> Batch:
            batch = await super().read(mailbox, password)
            await disconnect_mailbox(store, "shop")
            return batch

    await collect(postman(store, clock, Late()))
    assert await kept(store) == []


async def test_the_same_mailbox_connected_again_is_read_on_another_one_from_its_beginning(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store)
    puts: list[str] = []

    async def connect(**fields: Any) -> int:
        return await connect_mailbox(store, POST, box(server, clock, **fields), PASSWORD, lambda: puts.append("x"))

    with pytest.raises(MailboxUnavailable, match="'Nowhere' cannot be opened"):
        await connect(folder="Nowhere")
    assert puts == []
    await connect()
    server.put(letter(1))
    await collect(postman(store, clock))
    read = await the_box(store)
    clock.move(3600)
    assert await connect() == 1
    assert replace(await the_box(store), due_at=read.due_at) == read
    await connect(user="other")
    assert ((await the_box(store)).uid, (await the_box(store)).uidvalidity) == (0, None)


async def test_a_site_without_an_address_has_nothing_to_read(store: SqlStore, server: ImapServer, clock: Clock) -> None:
    async with store.write() as session:
        await session.add(destination(), site())
    with pytest.raises(Conflict, match="mail address"):
        await connect_mailbox(store, POST, box(server, clock), PASSWORD, lambda: None)


# The line to the server


async def test_why_a_mailbox_cannot_be_read_is_said_with_how_to_mend_it(server: ImapServer, clock: Clock) -> None:
    here = box(server, clock)
    tls = replace(here, host="localhost", port=server.tls_port, security=Security.TLS)
    wrong = {
        "check the password": (here, "wrong"),
        "does not let 'info' in": (here, "пароль"),
        "not to be trusted": (tls, PASSWORD),
        "does not speak TLS": (replace(here, security=Security.TLS), PASSWORD),
        "Nothing listens": (replace(here, port=1), PASSWORD),
        "no host": (replace(tls, host="no-such-host.invalid"), PASSWORD),
    }
    for said, (mailbox, password) in wrong.items():
        with pytest.raises(MailboxUnavailable, match=said):
            await POST.count(mailbox, password)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_trusted_certificate_lets_the_mail_through(
    security: Security, server: ImapServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.put(letter())
    port = server.tls_port if security is Security.TLS else server.port
    batch = await POST.read(box(server, clock, host="localhost", port=port, security=security), PASSWORD)
    assert [b"Message-ID: <1@writer.example>" in one.head for one in batch.arrived] == [True]


async def test_a_server_that_falls_silent_is_left_in_time_and_so_is_its_thread(clock: Clock) -> None:
    async with trickle() as silent:
        place = {"host": "127.0.0.1", "port": silent.port, "security": Security.PLAIN, "user": "x"}
        mailbox = Mailbox(site_id="shop", since=clock(), due_at=clock(), **place)
        began = time.monotonic()
        with pytest.raises(MailboxUnavailable, match="no whole answer"):
            await ImapPost(seconds=0.5).count(mailbox, "x")
        await asyncio.wait_for(silent.left.wait(), 5)
        assert time.monotonic() - began < 5


# Deliveries and the worker


async def test_the_worker_reads_mailboxes_and_tells_of_what_came(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    told: list[Delivery] = []

    class Courier:
        async def take(self, delivery: Delivery, to: Any) -> str:
            told.append(delivery)
            return "200"

    def real() -> datetime:
        return datetime.now(UTC)

    await furnish(store, box(server, clock))
    server.put(letter(1))
    man = Postman(store, POST, lambda _: PASSWORD, real, timedelta(seconds=0.2))
    task = asyncio.create_task(Worker(store, None, Courier(), real, man).run())  # type: ignore[arg-type]
    try:
        async with asyncio.timeout(20):
            while len(told) < 1:
                await asyncio.sleep(0.02)
            server.put(letter(2))
            while len(told) < 2:
                await asyncio.sleep(0.02)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert [one.payload["mail"]["message_id"] for one in told] == ["<1@writer.example>", "<2@writer.example>"]
    assert told[0].call_id is None


async def test_a_delivery_of_mail_can_be_sent_again_like_any_other(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    class Courier:
        async def take(self, delivery: Delivery, to: Any) -> str:
            return "200"

    await furnish(store, box(server, clock))
    server.put(letter(1))
    await collect(postman(store, clock))
    await deliver_due(store, Courier(), clock)
    (done,) = await list_deliveries(store)
    assert done.state is DeliveryState.DONE
    again = await resend_delivery(store, done.id, clock())
    assert (again.state, again.key) == (DeliveryState.PENDING, done.key)


# The API and the command


async def test_a_program_lists_mail_with_a_token_page_by_page(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        at = world.clock()
        facts: dict[str, Any] = {"site_id": "shop", "sender": None, "address": MAIL, "tag": None, "automatic": False}
        async with world.store.write() as session:
            for n in range(3):
                moment = at + timedelta(seconds=n)
                mail = Mail(id=f"m{n}", message_id=f"<{n}>", arrived_at=moment, verdict=Verdict.UNKNOWN, **facts)
                await session.add(mail)
        assert (await world.browser().get("/api/mails")).status_code == 401
        program = world.program(Scope.CALLS_READ)
        page = (await program.get("/api/mails", params={"site_id": "shop", "limit": 2})).json()
        assert [one["id"] for one in page] == ["m2", "m1"]
        assert page[0]["verdict"] == "unknown"
        rest = await program.get("/api/mails", params={"before": page[-1]["arrived_at"]})
        assert [one["id"] for one in rest.json()] == ["m0"]
        assert (await program.get("/api/mails", params={"site_id": "garage"})).json() == []
        assert (await program.get("/api/mails", params={"before": "yesterday"})).status_code == 422


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    shutil.copy(sqlite_template, path / "ringtrace.db")
    monkeypatch.setenv("RINGTRACE_HOME", str(path))
    ringtrace("destination", "add", "office", "--step", "PJSIP/company")
    ringtrace("site", "add", "shop", "--destination", "office", "--mail", MAIL)
    return path


def test_an_administrator_connects_a_mailbox_and_its_password_lies_where_nobody_else_reads(
    home: Path, server: ImapServer
) -> None:
    place = ("mail", "connect", "shop", "127.0.0.1", "--port", str(server.port), "--security", "plain", "--user", USER)
    refused = ringtrace(*place, "--password-stdin", stdin="wrong\n", status=1)
    assert "check the password" in refused.err
    assert "no mailbox" in ringtrace("mail", "check", "shop", status=1).err
    assert "0 messages" in ringtrace(*place, "--password-stdin", stdin=PASSWORD + "\n").out
    secrets = home / "secrets.json"
    assert json.loads(secrets.read_text())["mail_passwords"] == {"shop": PASSWORD}
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in home.iterdir() if "secret" in path.name) == ["secrets.json"]
    assert "lets info in" in ringtrace("mail", "check", "shop").out
    assert PASSWORD not in ringtrace("mail", "check", "shop", "--json").out
    server.stop()
    assert "Nothing listens" in ringtrace("mail", "check", "shop", status=1).err
    ringtrace("mail", "disconnect", "shop")
    assert json.loads(secrets.read_text())["mail_passwords"] == {}


@pytest.mark.usefixtures("home")
def test_addresses_of_channels_are_added_listed_and_removed() -> None:
    assert "info+cards@shop.example stands for Business cards" in ringtrace(
        "mail", "channel", "add", "shop", "Cards", "Business cards"
    ).out  # fmt: skip
    assert [one["tag"] for one in ringtrace("mail", "channel", "list", "--json").json] == ["cards"]
    assert "info+cards@shop.example" in ringtrace("mail", "channel", "list").out
    assert "already" in ringtrace("mail", "channel", "add", "shop", "cards", "Others", status=1).err
    ringtrace("mail", "channel", "remove", "shop", "cards")
    assert "no channel" in ringtrace("mail", "channel", "remove", "shop", "cards", status=1).err
    assert ringtrace("mail", "list", "--json").json == []
