"""What doctor finds in the database, on SQLite and on PostgreSQL, and in the file of places."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from router.cli.doctor import setup, trunks
from router.cli.doctor.finding import Case, Finding, Level
from router.config import Settings
from router.domain.delivery.outcome import Outcome
from router.domain.mail import Mailbox
from router.domain.visitors.site import RefusedOrigin, Site, UnchangedPage
from router.domain.visitors.visit import DisplayLevel, Fallback, Reason
from router.service.calls.ports import Cursor, RejectedRow
from router.store.engine import SqlStore
from router.store.health import examine
from router.store.migrate import Tables, compare, migrate_down
from tests.integration.store_calls import call as kept_call
from tests.integration.store_calls import save
from tests.support.builders import (
    DID,
    OTHER_DID,
    dynamic,
    furnish,
    later,
    lease,
    pool,
    site,
    visit,
    visitor,
)
from tests.support.builders import NOON as TODAY

NOW = datetime(2026, 1, 20, 11, 30, tzinfo=UTC)


async def test_a_database_is_current_until_its_tables_are_of_another_version(
    store: SqlStore,
) -> None:
    assert await compare(store) is Tables.CURRENT
    await migrate_down(store)
    assert await compare(store) is not Tables.CURRENT


async def test_rows_that_were_set_aside_are_counted_with_the_last_reason(store: SqlStore) -> None:
    row = RejectedRow(file="1:2@3", offset=0, text="?", reason="not CSV", at=NOW)
    async with store.write() as session:
        await session.cel_log.set_aside([row])
        await session.cel_log.set_cursor(Cursor(file="1:2@3", offset=7))
    health = await examine(store)
    assert (health.rejected_rows, health.last_rejection) == (1, "not CSV")
    assert health.cursor == Cursor(file="1:2@3", offset=7)
    assert health.journal_mode == ("wal" if store.sqlite else None)
    assert (health.pending, health.failed, health.next_due) == (0, 0, None)


# what was set up


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "now", lambda: TODAY)


def case(store: SqlStore, **settings: Any) -> Case:
    return Case(settings=Settings(**settings), store=store, secrets=None)


async def test_a_pool_whose_numbers_were_all_taken_is_named_with_what_to_do(
    store: SqlStore, today: None
) -> None:
    await furnish(store, visitor(), visit())
    assert (await setup.pools(case(store))).level is Level.OK
    empty: dict[str, Any] = {
        "visit_id": "anna-1",
        "pool_id": "main",
        "level": DisplayLevel.OWN,
        "reason": Reason.EMPTY,
        "number": None,
    }
    async with store.write() as session:
        await session.add(Fallback(id="s", at=later(-86_400), **empty))
    found = await setup.pools(case(store))
    assert (found.level, found.found) == (Level.WARN, "short of numbers: main (ran dry)")
    assert "pool plan" in found.fix


async def test_what_ran_dry_long_ago_and_robots_without_numbers_are_no_shortage(
    store: SqlStore, today: None
) -> None:
    await furnish(store, visitor(), visit())
    shown: dict[str, Any] = {
        "visit_id": None,
        "pool_id": "main",
        "level": DisplayLevel.OWN,
        "number": None,
    }
    async with store.write() as session:
        await session.add(
            Fallback(id="old", at=TODAY - timedelta(days=8), reason=Reason.EMPTY, **shown)
        )
        await session.add(Fallback(id="robot", at=later(-60), reason=Reason.ROBOT, **shown))
    assert (await setup.pools(case(store))).level is Level.OK


async def test_a_pool_with_hardly_a_number_idle_is_named(store: SqlStore, today: None) -> None:
    held = lease(
        started_at=later(-1200), seen_at=later(-1000), frozen_at=later(-900), ends_at=later(-600)
    )
    await furnish(store, visitor(), visit(), held, numbers=[dynamic(DID)])
    assert "main (nearly all in use)" in (await setup.pools(case(store))).found


async def test_a_pool_that_has_no_numbers_yet_is_said_once(store: SqlStore, today: None) -> None:
    await furnish(store, pool("spare"), numbers=[dynamic(DID), dynamic(OTHER_DID)])
    assert "spare" in (await setup.numbers(case(store))).found
    assert (await setup.pools(case(store))).level is Level.OK


async def test_a_mailbox_that_cannot_be_read_is_named_with_its_reason(store: SqlStore) -> None:
    assert await levels(store) == {"mailboxes": Level.OK}
    place: dict[str, Any] = {
        "host": "imap.example.com",
        "user": "info@example.com",
        "since": TODAY,
        "due_at": TODAY,
    }
    await furnish(store, site("other"), Mailbox(site_id="shop", **place))
    assert await levels(store) == {"mailboxes": Level.OK}
    async with store.write() as session:
        await session.add(
            Mailbox(
                site_id="other",
                failures=3,
                error=Outcome.text("imap.example.com refused the password"),
                **place,
            )
        )
    assert await levels(store) == {"mailbox other": Level.WARN}
    (found,) = await setup.mailboxes(case(store))
    assert "refused the password" in found.found
    assert "mail check other" in found.fix


async def levels(store: SqlStore) -> dict[str, Level]:
    return {finding.name: finding.level for finding in await setup.mailboxes(case(store))}


# the file of places


def place_file(folder: Path) -> Path:
    """A file made now."""
    writer, file = MMDBWriter(ip_version=4, database_type="Test-City"), folder / "places.mmdb"
    writer.insert_network(IPSet(["5.8.0.0/16"]), {"country": {"iso_code": "RU"}})
    writer.to_db_file(str(file))
    return file


async def places_found(file: Path | None) -> Finding:
    store = SqlStore("sqlite+aiosqlite:///never.db")  # is not asked, so it is not made
    return await setup.places(case(store, places_path=str(file or "")))


async def test_without_a_file_of_places_nothing_is_wrong() -> None:
    assert (await places_found(None)).level is Level.OK


async def test_a_file_of_places_grows_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place_file(tmp_path)
    with maxminddb.open_database(file) as opened:
        day = datetime.fromtimestamp(opened.metadata().build_epoch, UTC)
    for age, level in ((0, Level.OK), (180, Level.OK), (190, Level.WARN)):
        monkeypatch.setattr(setup, "now", lambda moment=day + timedelta(days=age): moment)
        found = await places_found(file)
        assert (found.level, f"{day:%Y-%m}" in found.found) == (level, True)
    assert "restart the web" in found.fix


@pytest.mark.parametrize(
    "content", [None, b"", b"not a place file", b"\xab\xcd\xefMaxMind.com" + b"\xff" * 50]
)
async def test_a_file_of_places_that_cannot_be_read_is_said_with_its_name(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "places.mmdb"
    if content is not None:
        file.write_bytes(content)
    found = await places_found(file)
    assert found.level is Level.WARN
    assert str(file) in found.found
    assert "RINGTRACE_PLACES_PATH" in found.fix


async def test_pages_that_got_no_numbers_are_named_until_the_site_lists_them(
    store: SqlStore, today: None
) -> None:
    await furnish(store, visitor(), visit())
    async with store.write() as session:
        [shop] = await session.find(Site)
    assert (await setup.origins(case(store))).level is Level.OK
    refused: dict[str, Any] = {"site_id": shop.id, "count": 12, "last_at": later(-60)}
    long_ago = refused | {"last_at": later(-8 * 86_400)}
    async with store.write() as session:
        await session.add(RefusedOrigin(id="a", origin="https://www.shop.example", **refused))
        await session.add(RefusedOrigin(id="b", origin="https://old.example", **long_ago))
    found = await setup.origins(case(store))
    assert found.level is Level.WARN
    assert (
        found.found
        == f"pages that got no numbers: https://www.shop.example (site {shop.id}, 12 times)"
    )
    async with store.write() as session:
        await session.change(replace(shop, origins=("https://www.shop.example",)))
    assert (await setup.origins(case(store))).level is Level.OK


async def test_pages_where_the_companys_number_stays_are_named(
    store: SqlStore, today: None
) -> None:
    assert (await setup.unchanged(case(store))).level is Level.OK
    seen: dict[str, Any] = {"site_id": "shop", "count": 3}
    async with store.write() as session:
        await session.add(UnchangedPage(id="a", path="/contacts", last_at=later(-60), **seen))
        await session.add(UnchangedPage(id="b", path="/old", last_at=later(-8 * 86_400), **seen))
    found = await setup.unchanged(case(store))
    assert found.level is Level.WARN
    assert (
        found.found
        == "pages where the company number is not replaced: /contacts (site shop, 3 times)"
    )


async def test_calls_that_phones_forwarded_are_counted(store: SqlStore) -> None:
    lately = datetime.now(UTC) - timedelta(hours=1)
    forwarded = kept_call("rt1-1.1", arrived_at=lately, forwarded_to="89991112233")
    await save(store, kept_call("rt1-1.0", arrived_at=lately), forwarded)
    (finding,) = await trunks.forwarding(case(store))
    assert finding.level is Level.WARN
    assert "1 of the last 2 calls, the last to 89991112233" in finding.found
