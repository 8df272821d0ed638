"""The agent while its database hangs, the disk is full or the CEL log grows: calls go on."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from router.asterisk import cel_ingest
from router.asterisk.answers import Answers
from router.asterisk.cel_log import CelLog
from router.asterisk.ingest_report import IngestReport
from router.asterisk.recording_guard import MB, RecordingGuard
from router.domain.calls.call import Call, Ending, Recording, RecordingState, State
from router.service.admin.setup import change
from router.service.calls.ports import RouteRequest
from router.service.delivery.dispatch import Clock
from router.service.ports import Heartbeat
from router.store.engine import SqlStore
from tests.integration.agent_world import Beside, alive
from tests.integration.ingests import call_ingest, known, teach
from tests.support.asterisk_manager import Manager, running, until
from tests.support.builders import DID, answered_call, destination, furnish, later, lines, webhook
from tests.support.postgres import Postgres

pytest_plugins = ["tests.integration.agent_world"]
sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


# A database that hangs


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """Every process of the database is stopped."""
    above = psutil.Process(server._server.pid)
    processes = [above, *above.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


@postgresql
async def test_a_frozen_database_costs_no_beat_and_no_route(
    beside: Beside, postgres: Postgres, store: SqlStore
) -> None:
    await change(store, destination(send_client_id=True))  # who calls is asked of the database
    loop = asyncio.get_running_loop()
    async with running(beside.agent().ear.run()):
        await until(lambda: len(beside.beats()) > 2 and "office" in beside.fallback.read_text())
        with frozen(postgres):
            seen, began = len(beside.beats()), loop.time()
            for serial in range(10):
                beside.ear.route_asked(DID[1:], serial)
                await until(lambda: len(beside.answers()) > serial)  # noqa: B023
            took, answers = loop.time() - began, beside.answers()
            await until(lambda: len(beside.beats()) > seen + 20)
        seen = len(beside.beats())
        await until(lambda: len(beside.beats()) > seen + 2)
    assert [call for call, _ in answers] == [f"rt1-1.{n}" for n in range(10)]
    assert all("PJSIP/company" in line for _, line in answers)
    assert took < 5


# A call that the CEL log never spoke of


@sqlite
async def test_a_call_that_the_cel_log_never_spoke_of_is_in_the_list(beside: Beside) -> None:
    await furnish_webhook(beside.store)
    with capture_logs() as logs:
        async with running(beside.agent().run()):
            await until(lambda: len(beside.beats()) > 0)
            for line in beside.asterisk.lines:
                line.route_asked(DID[1:], 7, ("CallerIDNum", "+79161234567"))
            await asyncio.sleep(0)
            await until(lambda: len(beside.answers()) > 0)
            await kept_requests(beside, "rt1-1.7")
            beside.clock.move(60)
            async with asyncio.timeout(180):
                while not (calls := (await known(beside.store))[0]):
                    await asyncio.sleep(0.02)
    (call,) = calls
    assert (call.id, call.state, call.ending) == ("rt1-1.7", State.ENDED, Ending.NOT_LOGGED)
    assert (call.number, call.site_id, call.caller) == (DID, "shop", "+79161234567")
    assert (call.destination_id, call.trunk, call.arrived_at) == ("office", "carrier", later(3600))
    assert [request.call_id for request in (await known(beside.store))[2]] == ["rt1-1.7"]
    assert "call_not_in_cel_log" in [entry["event"] for entry in logs]


async def furnish_webhook(store: SqlStore) -> None:
    async with store.write() as session:
        await session.add(webhook())


async def kept_requests(beside: Beside, *linkedids: str) -> None:
    """Wait until what was asked for these calls is in the database."""
    async with asyncio.timeout(180):
        while True:
            async with beside.store.read() as session:
                asked = await session.route_requests.before("cel_log", later(10**6))
            if [request.linkedid for request in asked] == list(linkedids):
                return
            await asyncio.sleep(0.02)


@sqlite
async def test_a_call_that_goes_on_or_is_known_is_not_missing(beside: Beside) -> None:
    story = answered_call()
    async with running(beside.agent().run()):
        await until(lambda: len(beside.beats()) > 0)
        beside.asterisk.answers = alive(story)
        for line in beside.asterisk.lines:
            line.event(
                "UserEvent",
                *(
                    ("Channel", "PJSIP/carrier-1"),
                    ("Uniqueid", story.linkedid),
                    ("Linkedid", story.linkedid),
                ),
                *(("UserEvent", "RingtraceRoute"), ("DID", DID[1:])),
            )
        await kept_requests(beside, story.linkedid)
        beside.clock.move(60)
        await asyncio.sleep(0.3)  # nothing may happen: channels are looked at many times meanwhile
        assert (await known(beside.store))[0] == []
        beside.write(story)
        assert (
            await beside.call(story, lambda call: call.state is State.ENDED)
        ).ending is Ending.ANSWERED
        beside.asterisk.answers = Manager().answers
        await kept_requests(beside)
    assert len((await known(beside.store))[0]) == 1


async def test_what_is_learned_later_of_such_a_call_replaces_it(store: SqlStore) -> None:
    await furnish(store, webhook())
    story = answered_call()
    ingest = await call_ingest(store)
    asked = RouteRequest(
        linkedid=story.linkedid,
        spool_name=story.linkedid,
        did=DID,
        trunk="carrier",
        caller_number="+79161234567",
        caller_name="",
        destination_id=None,
        at=later(0),
    )
    await ingest.keep_requests([asked])
    assert await ingest.close_unlogged(frozenset({story.linkedid})) == 0
    assert await ingest.close_unlogged(frozenset()) == 1
    assert await ingest.close_unlogged(frozenset()) == 0
    await teach(store, story)
    calls, _, deliveries, _ = await known(store)
    assert [call.ending for call in calls] == [Ending.ANSWERED]
    assert len(deliveries) == 1


# Room on the disk


class Asked:
    """In place of Asterisk's console."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    async def run(self, command: str) -> str:
        self.commands.append(command)
        return ""


def test_recording_stops_below_the_reserve_and_begins_again_above_it(tmp_path: Path) -> None:
    guard = RecordingGuard(Answers(tmp_path / "answers"), tmp_path, 100)
    sign = tmp_path / "answers/unrecorded"
    seen = []
    with capture_logs() as logs:
        for free in (101, 99, 105, 111):
            guard.judge(free * MB)
            seen.append(sign.exists())
    assert seen == [False, True, True, False]
    assert [entry["event"] for entry in logs] == ["recording_down", "recording_back"]


async def test_below_half_of_the_reserve_recordings_under_way_are_ended_once(
    tmp_path: Path,
) -> None:
    asked = Asked()
    guard = RecordingGuard(Answers(tmp_path), tmp_path, 100, lambda: asked)  # type: ignore[arg-type, return-value]
    for channel in ("PJSIP/carrier-1", "PJSIP/x y", "a\nb"):
        guard.heard(channel)
    for free in (60, 40, 40):
        await guard.end_recordings(free * MB)
    assert asked.commands == ["mixmonitor stop PJSIP/carrier-1"]


# The CEL log's own room, and what is reported


@sqlite
async def test_a_large_cel_log_is_renamed_once_it_was_read(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cel_ingest, "LARGEST_CEL_LOG", 5_000)
    monkeypatch.setattr(cel_ingest, "KEPT_CEL_LOGS", 2)
    agent = beside.agent()
    agent.scribe._rotates = True
    stories = [answered_call(10 * i, at=later(i)) for i in range(60)]
    beside.asterisk.answers = alive(*stories)

    def renamed() -> list[str]:
        return sorted(path.name for path in beside.cel_log.parent.glob("cel.csv.old-*"))

    written = 0
    async with running(agent.run()):
        # how often it is renamed depends on the machine
        while max(renamed(), default="") <= "cel.csv.old-000002":
            beside.write(stories[written])
            await beside.call(stories[written], lambda call: call.state is State.ENDED)
            written += 1
    assert len((await known(beside.store))[0]) == written
    assert len(renamed()) <= 3


@sqlite
async def test_rows_that_wait_for_a_minute_are_reported_once(
    store: SqlStore, tmp_path: Path
) -> None:
    await furnish(store)
    story, ingest = answered_call(), await call_ingest(store)
    path = tmp_path / "cel.csv"
    now = [story.rows[0].at]
    clock: Clock = lambda: now[0]  # noqa: E731
    report = IngestReport(store, CelLog(path), ingest, "rt1", clock, later(85).timestamp)
    with capture_logs() as logs:
        await report.report()
        path.write_bytes(lines(story.rows))
        for seconds in (10, 61, 90):
            now[0] = later(seconds)
            await report.report()
        batch = CelLog(path).read(None)
        assert batch is not None
        await ingest.ingest(batch.rows, batch.cursor)
        await report.report()
    told = [entry["event"] for entry in logs if entry["event"].startswith("cel_log")]
    assert told == ["cel_log_reading_down", "cel_log_reading_back"]
    async with store.read() as session:
        agent, beat = await session.heartbeats.all()
    assert agent == Heartbeat(name="agent rt1", at=later(85), facts={})
    assert beat == Heartbeat(
        name="ingest rt1",
        at=later(90),
        facts={"unread_since": None, "open_calls": 0, "lines_down": None},
    )


async def test_the_worker_leaves_signs_of_life(store: SqlStore) -> None:
    from tests.integration.test_worker import put, until, working

    await put(
        store, Call(id="c1", did="1", trunk="t", arrived_at=later(0), state=State.ENDED), "slow"
    )

    async def seen() -> bool:
        async with store.read() as session:
            return [beat.name for beat in await session.heartbeats.all()] == ["worker"]

    async with working(store):
        await until(seen)


def test_a_recording_waits_in_the_spool_while_the_homes_disk_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import recordings
    from router.recorder import SpoolRecorder
    from router.service.calls.recording import RecorderBusy

    spool = Path("/dev/shm")
    if spool.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is one disk alone")
    storage = recordings.Storage.open(str(tmp_path / "storage"), None)
    recorder = SpoolRecorder(spool, storage, tmp_path / "work", recordings.Format.MP3, 2**40)
    times = {"expected_seconds": 1, "due_at": later(0)}
    waiting = Recording(call_id="c1", spool_name="c1", state=RecordingState.WAITING, **times)
    call = Call(id="c1", did="1", trunk="t", arrived_at=later(0), state=State.ENDED)
    with pytest.raises(RecorderBusy, match="stays in the spool"):
        asyncio.run(recorder.store(waiting, call))
    recorder.close()
