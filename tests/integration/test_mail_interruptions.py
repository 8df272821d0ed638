"""Reading mail interrupted by an outage, a death, a takeover or a disconnection: nothing lost,
nothing sent twice.
"""

import asyncio
from contextlib import suppress

from structlog.testing import capture_logs

from router.domain.mail import Mailbox
from router.imap import ImapClient
from router.service.delivery.dispatch import list_deliveries
from router.service.mail import CLAIM, LONGEST_PAUSE, Batch
from router.service.mailboxes import disconnect_mailbox
from router.store.engine import SqlStore
from tests.integration.mail_world import (
    PAUSE,
    box,
    collect,
    furnish,
    kept,
    letter,
    poller,
    the_box,
)
from tests.support.builders import Clock
from tests.support.imap_server import ImapServer

pytest_plugins = ["tests.integration.mail_world"]


async def test_an_outage_is_said_once_waited_out_with_growing_pauses_and_nothing_is_forgotten(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    man = poller(store, clock)
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
        assert "nothing listens" in str((await the_box(store)).error)
        for n, pause in enumerate(pauses):
            assert PAUSE <= pause <= min(PAUSE * 2**n, LONGEST_PAUSE)
        server.start()
        clock.now = (await the_box(store)).due_at
        await collect(man)
        assert [entry["event"] for entry in logs][1:] == ["mailbox_shop_back", "mail_received"]
    assert len(await kept(store)) == 1
    assert ((await the_box(store)).failures, (await the_box(store)).error) == (0, None)


async def test_killed_between_reading_and_keeping_nothing_is_lost_or_sent_twice(
    store: SqlStore, server: ImapServer, clock: Clock
) -> None:
    await furnish(store, box(server, clock))
    server.put(letter(1))
    read = asyncio.Event()

    class Slow(ImapClient):
        async def read(self, mailbox: Mailbox, password: str) -> Batch:
            batch = await super().read(mailbox, password)
            read.set()
            await asyncio.sleep(3600)
            return batch

    killed = asyncio.create_task(poller(store, clock, Slow()).collect("shop"))
    await asyncio.wait_for(read.wait(), 180)
    killed.cancel()
    with suppress(asyncio.CancelledError):
        await killed
    assert await kept(store) == []
    other = poller(store, clock)
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

    class Sleepy(ImapClient):
        async def read(self, mailbox: Mailbox, password: str) -> Batch:
            batch = await super().read(mailbox, password)
            read.set()
            await go.wait()
            return batch

    sleeper = asyncio.create_task(poller(store, clock, Sleepy()).collect("shop"))
    await asyncio.wait_for(read.wait(), 180)
    clock.move(CLAIM.total_seconds())
    await collect(poller(store, clock))
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

    class Late(ImapClient):
        async def read(self, mailbox: Mailbox, password: str) -> Batch:
            batch = await super().read(mailbox, password)
            await disconnect_mailbox(store, "shop")
            return batch

    await collect(poller(store, clock, Late()))
    assert await kept(store) == []
