"""A mailbox: connecting it, what of it is read, and why it cannot be."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.mail import Mailbox, Security
from router.errors import Conflict
from router.imap import ImapClient
from router.service.delivery.dispatch import list_deliveries
from router.service.mail import MailboxUnavailable
from router.service.mailboxes import connect_mailbox
from router.store.engine import SqlStore
from tests.integration.mail_world import (
    CLIENT,
    box,
    collect,
    furnish,
    kept,
    letter,
    poller,
    the_box,
)
from tests.support.builders import Clock, destination, site
from tests.support.imap_server import PASSWORD, ImapServer, trickle

pytest_plugins = ["tests.integration.mail_world"]


async def test_a_mailbox_made_again_is_read_again_and_teaches_nothing_twice(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1), letter(2))
    man = poller(store, clock)
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
    await collect(poller(store, clock))
    assert [mail.message_id[1] for mail in await kept(store)] == ["3"]


async def test_the_same_mailbox_connected_again_is_read_on_another_one_from_its_beginning(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store)
    puts: list[str] = []

    async def connect(**fields: Any) -> int:
        return await connect_mailbox(
            store, CLIENT, box(server, clock, **fields), PASSWORD, lambda: puts.append("x")
        )

    with pytest.raises(MailboxUnavailable, match="'Nowhere' cannot be opened"):
        await connect(folder="Nowhere")
    assert puts == []
    await connect()
    server.put(letter(1))
    await collect(poller(store, clock))
    read = await the_box(store)
    clock.move(3600)
    assert await connect() == 1
    assert replace(await the_box(store), due_at=read.due_at) == read
    await connect(user="other")
    assert ((await the_box(store)).uid, (await the_box(store)).uidvalidity) == (0, None)


async def test_a_site_without_an_address_has_nothing_to_read(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    async with store.write() as session:
        await session.add(destination(), site())
    with pytest.raises(Conflict, match="mail address"):
        await connect_mailbox(store, CLIENT, box(server, clock), PASSWORD, lambda: None)


async def test_why_a_mailbox_cannot_be_read_is_said_with_how_to_fix_it(
    server: ImapServer, clock: Clock
) -> None:
    here = box(server, clock)
    tls = replace(here, host="localhost", port=server.tls_port, security=Security.TLS)
    wrong = {
        "check the password": (here, "wrong"),
        "refuses the login of 'info'": (here, "пароль"),
        "is not trusted": (tls, PASSWORD),
        "does not speak TLS": (replace(here, security=Security.TLS), PASSWORD),
        "nothing listens": (replace(here, port=1), PASSWORD),
        "no host": (replace(tls, host="no-such-host.invalid"), PASSWORD),
    }
    for said, (mailbox, password) in wrong.items():
        with pytest.raises(MailboxUnavailable, match=said):
            await CLIENT.count(mailbox, password)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_trusted_certificate_lets_the_mail_through(
    security: Security, server: ImapServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    server.put(letter())
    port = server.tls_port if security is Security.TLS else server.port
    batch = await CLIENT.read(
        box(server, clock, host="localhost", port=port, security=security), PASSWORD
    )
    assert [b"Message-ID: <1@writer.example>" in message.head for message in batch.arrived] == [
        True
    ]


async def test_a_server_that_falls_silent_is_left_in_time_and_so_is_its_thread(
    clock: Clock,
) -> None:
    async with trickle() as silent:
        place = {"host": "127.0.0.1", "port": silent.port, "security": Security.PLAIN, "user": "x"}
        mailbox = Mailbox(site_id="shop", since=clock(), due_at=clock(), **place)
        with pytest.raises(MailboxUnavailable, match="did not answer completely"):
            await ImapClient(seconds=0.5).count(mailbox, "x")
        await asyncio.wait_for(silent.left.wait(), 180)
