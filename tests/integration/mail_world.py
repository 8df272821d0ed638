"""A site with a mailbox on a real mail server, for the tests of mail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from router.domain.mail import Mail, Mailbox, Security
from router.imap import ImapClient
from router.service.mail import MailboxPoller
from router.service.mailboxes import list_mails
from router.store.engine import SqlStore
from tests.support.builders import Clock, destination, site, visit, visitor, webhook
from tests.support.imap_server import PASSWORD, USER, ImapServer, imap_server

CODE = "4K7M2X"
MAIL = "info@shop.example"
ANNAS = f"info+{CODE}@shop.example"
PAUSE = timedelta(seconds=60)
CLIENT = ImapClient(seconds=20)


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


def letter(number: int = 1, to: str = ANNAS, *more: str, body: str = "A secret question.") -> bytes:
    lines = [
        f"Message-ID: <{number}@writer.example>",
        "From: Boris <boris@writer.example>",
        f"To: {to}",
        *more,
    ]
    return "\r\n".join([*lines, "Subject: A secret subject", "", body, ""]).encode()


def box(server: ImapServer, clock: Clock, **fields: Any) -> Mailbox:
    place = {"host": "127.0.0.1", "port": server.port, "security": Security.PLAIN, "user": USER}
    since = clock().replace(second=0, microsecond=0)
    return Mailbox(**{"site_id": "shop", **place, "since": since, "due_at": clock(), **fields})


async def furnish(store: SqlStore, *more: Any) -> None:
    async with store.write() as session:
        await session.add(
            destination(), site(mail=MAIL), visitor(), visit(code=CODE, channel="Paid Search")
        )
        await session.add(webhook(), *more)


def poller(store: SqlStore, clock: Clock, client: Any = CLIENT) -> MailboxPoller:
    return MailboxPoller(store, client, lambda _: PASSWORD, clock, PAUSE)


async def collect(poller: MailboxPoller) -> None:
    while await poller.collect("shop"):
        pass


async def kept(store: SqlStore) -> list[Mail]:
    return sorted(await list_mails(store, limit=2000), key=lambda mail: mail.message_id)


async def the_box(store: SqlStore) -> Mailbox:
    async with store.read() as session:
        return await session.get(Mailbox, "shop")
