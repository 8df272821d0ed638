"""What doctor finds of a running system: silent parts, an old fallback table, an address that
cannot be reached.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from router.asterisk.files import write_fallback
from router.bootstrap import FIRST_LOGIN, now
from router.cli.doctor import operation, storage, web, writing
from router.cli.doctor.finding import Case, Finding, Level
from router.config import Settings
from router.domain.access import Role
from router.secrets import load_secrets
from router.service.admin.access import add_person, set_password
from router.service.calls.routing import load_table
from router.service.ports import Heartbeat
from router.store.engine import SqlStore
from tests.support.authority import Authority
from tests.support.authority import served as behind_tls
from tests.support.builders import furnish, visit, visitor
from tests.support.receiver import receiver
from tests.support.web_world import World, a_world, served

doctor: Any = import_module("router.cli.doctor")  # router.cli has a function of that name


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as world:
        yield world


def case(store: SqlStore, home: Path, **settings: Any) -> Case:
    return Case(settings=Settings(home=home, **settings), store=store, secrets=load_secrets(home))


async def levels(store: SqlStore, home: Path) -> list[Level]:
    return [finding.level for finding in await operation.parts(case(store, home))]


async def test_a_part_that_hangs_or_never_ran_is_named_with_what_to_restart(
    store: SqlStore, tmp_path: Path
) -> None:
    assert await levels(store, tmp_path) == [Level.FAIL, Level.FAIL]
    async with store.write() as session:
        await session.heartbeats.save(Heartbeat(name="ingest rt1", at=now(), facts={}))
        await session.heartbeats.save(
            Heartbeat(name="worker", at=now() - timedelta(minutes=5), facts={})
        )
    ingest, worker = await operation.parts(case(store, tmp_path))
    assert (ingest.level, worker.level) == (Level.OK, Level.FAIL)
    assert "restart `ringtrace worker`" in worker.fix


async def test_a_fallback_table_that_could_not_be_written_is_found(
    store: SqlStore, tmp_path: Path
) -> None:
    await furnish(store, visitor(), visit())
    looked = case(store, tmp_path)
    assert (await operation.fallback_table(looked)).level is Level.FAIL
    looked.settings.fallback.parent.mkdir(parents=True)
    write_fallback(looked.settings.fallback, ())
    assert "outdated" in (await operation.fallback_table(looked)).found
    async with store.read() as session:
        write_fallback(looked.settings.fallback, (await load_table(session)).fallback())
    assert (await operation.fallback_table(looked)).level is Level.OK


async def test_the_first_password_is_noticed_until_it_is_changed(
    store: SqlStore, tmp_path: Path
) -> None:
    looked = case(store, tmp_path)
    assert looked.secrets is not None
    await add_person(store, FIRST_LOGIN, looked.secrets.first_password, Role.ADMINISTRATOR, now())
    assert (await operation.first_password(looked)).level is Level.WARN
    await set_password(store, FIRST_LOGIN, "another long password")
    assert (await operation.first_password(looked)).level is Level.OK


async def address(world: World, url: str) -> list[Finding]:
    settings = Settings(public_url=url)
    return await operation.public_address(Case(settings=settings, store=world.store, secrets=None))


async def test_an_address_that_cannot_be_reached_fails(world: World) -> None:
    assert (await address(world, ""))[0].level is Level.WARN
    for url in ("https://calls.invalid", "http://127.0.0.1:9"):
        assert (await address(world, url))[0].level is Level.FAIL


async def test_a_proxy_that_passes_on_what_visitors_claim_fails(world: World) -> None:
    async with served(world.app) as url:  # uvicorn trusts X-Forwarded-For from this machine
        reached, proxy = await address(world, url)
    assert (reached.level, proxy.level) == (Level.OK, Level.FAIL)
    assert "X-Forwarded-For" in proxy.fix


async def test_health_names_the_part_that_gives_no_sign_of_life(world: World) -> None:
    client = world.browser()
    assert (await client.get("/healthz")).text == "ok"
    async with world.store.write() as session:
        old = world.clock.now - timedelta(minutes=2)
        await session.heartbeats.save(Heartbeat(name="worker", at=old, facts={}))
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "worker: no sign of life for 120 s")
    assert (await client.get("/livez")).text == "ok"


async def test_an_agent_that_hangs_and_an_asterisk_that_was_taken_away(world: World) -> None:
    async with world.store.write() as session:
        await session.heartbeats.save(
            Heartbeat(name="ingest old", at=world.clock.now - timedelta(days=8), facts={})
        )
        await session.heartbeats.save(
            Heartbeat(name="agent rt1", at=world.clock.now - timedelta(minutes=2), facts={})
        )
    answer = await world.browser().get("/healthz")
    assert (answer.status_code, answer.text) == (503, "agent rt1: no sign of life for 120 s")


async def test_a_clock_that_is_far_ahead_is_named(store: SqlStore, tmp_path: Path) -> None:
    async with store.write() as session:
        await session.heartbeats.save(
            Heartbeat(name="worker", at=now() + timedelta(hours=1), facts={})
        )
    worker = (await operation.parts(case(store, tmp_path)))[1]
    assert (worker.level, "clocks differ" in worker.found) == (Level.FAIL, True)


async def test_an_address_of_our_own_process_has_no_proxy_to_blame(world: World) -> None:
    async with served(world.app) as url:
        settings = Settings(public_url=url, web_port=int(url.rpartition(":")[2]))
        found = await operation.public_address(
            Case(settings=settings, store=world.store, secrets=None)
        )
    assert [finding.level for finding in found] == [Level.OK]


async def test_secrets_that_cannot_be_read_leave_the_first_password_unknown(
    store: SqlStore,
) -> None:
    assert (
        await operation.first_password(Case(settings=Settings(), store=store, secrets=None)) == []
    )


async def test_a_program_that_keeps_the_lock_of_the_database_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(tmp_path / "ringtrace.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE one (id)")
        settings = Settings(home=tmp_path)
        looked = Case(settings=settings, store=SqlStore(settings.database), secrets=None)
        assert [finding.level for finding in await writing.writing(looked)] == [Level.OK]
        other.execute("BEGIN IMMEDIATE")
        (locked,) = await writing.writing(looked)
    assert (locked.level, "fuser" in locked.fix) == (Level.FAIL, True)


async def test_pages_that_are_not_healthy_say_which_part_is_silent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "WEB_SECONDS", 60.0)  # on a busy machine
    async with world.store.write() as session:
        await session.heartbeats.save(
            Heartbeat(name="worker", at=world.clock.now - timedelta(minutes=2), facts={})
        )
    async with served(world.app) as url:
        settings = Settings(web_port=int(url.rpartition(":")[2]))
        found = await web.pages(Case(settings=settings, store=world.store, secrets=None))
    assert "503: worker: no sign of life for 120 s" in found.found


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Oops"])
async def test_another_program_on_the_port_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(web, "WEB_SECONDS", 60.0)  # on a busy machine
    async with receiver() as other:
        other.says(status, b"<html>It works!</html>")
        settings = Settings(web_port=other.port)
        found = await web.pages(Case(settings=settings, store=world.store, secrets=None))
    assert (found.level, "another program" in found.found) == (Level.FAIL, True)
    assert f"sport = :{other.port}" in found.fix


async def test_a_database_that_is_read_only_is_named_with_what_to_do(
    store: SqlStore, tmp_path: Path
) -> None:
    looked = case(store, tmp_path)
    assert [finding.level for finding in await writing.writing(looked)] == [Level.OK]
    if store.sqlite:
        found = writing._refused("/var/ringtrace.db", "attempt to write a readonly database")
        assert "Give /var/ringtrace.db" in found.fix
        return
    name = store.engine.url.database
    try:
        await _alter(store, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        await store.engine.dispose()
        (found,) = await writing.writing(looked)
    finally:
        await _alter(store, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        await store.engine.dispose()
    assert (found.level, "read-only" in found.found) == (Level.FAIL, True)


async def _alter(store: SqlStore, command: str) -> None:
    async with store.engine.connect() as connection:
        await connection.execute(text("SET default_transaction_read_only = off"))
        await connection.commit()
        await connection.execute(text(command))
        await connection.commit()


@pytest.mark.parametrize(("days", "level"), [(90, Level.OK), (3, Level.WARN)])
async def test_a_certificate_of_the_public_address_that_ends_soon_is_named(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, level: Level
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with behind_tls(authority.server("127.0.0.1", timedelta(days=days))) as proxy:
        proxy.says("200 OK", b"ok")
        found = await address(world, f"https://127.0.0.1:{proxy.port}")
    assert (found[0].level, found[-1].level) == (Level.OK, level)
    assert found[-1].name == "certificate of the public address"


async def test_a_cel_log_that_asterisk_is_not_set_to_write_is_found(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    mapping = settings.ringtrace_etc / "cel-custom.conf"
    assert not operation.names_log(mapping, settings.cel_log)
    mapping.parent.mkdir(parents=True)
    mapping.write_text(f"; ours\n[{settings.cel_log}]\nquoting_method = all\n")
    assert operation.names_log(mapping, settings.cel_log)
    mapping.write_text("; ours\n[mappings]\ncel.csv => fields\n")
    assert operation.names_log(mapping, settings.cel_log)
    assert not operation.names_log(mapping, settings.cel_log.with_name("other.csv"))
    mapping.write_text("; ours\n[cel.csv]\nquoting_method = all\n")
    assert operation.names_log(mapping, settings.cel_log)
    assert not operation.names_log(mapping, tmp_path / "elsewhere" / "cel.csv")


async def test_a_system_that_starts_just_now_is_waited_for(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Level] = []

    async def late(_: Case) -> Finding:
        looks.append(Level.OK if len(looks) == 2 else Level.FAIL)
        return Finding(name="late", level=looks[-1], found="")

    monkeypatch.setattr(doctor, "ONCE_STARTED", (late,))
    monkeypatch.setattr(doctor, "AGAIN_SECONDS", 0.01)
    looked = case(store, tmp_path)
    assert [finding.level async for finding in doctor.run_check(late, looked)] == [Level.FAIL]
    with (tmp_path / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert [finding.level async for finding in doctor.run_check(late, looked)] == [Level.OK]
        os.utime(tmp_path / ".lock", (1, 1))
        assert [finding.level async for finding in doctor.run_check(late, looked)] == [Level.FAIL]
    assert len(looks) == 4


async def test_a_spool_that_cannot_be_written_says_why(
    store: SqlStore, tmp_path: Path, monkeypatch: Any
) -> None:
    def full(**_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage.tempfile, "NamedTemporaryFile", full)
    found = await storage.spool(case(store, tmp_path, spool_path=str(tmp_path), spool_free_mb=0))
    assert (found.level, "No space left" in found.found) == (Level.FAIL, True)
