"""The worker: runs what is due, each receiver and each mailbox in its own lane, so that a hanging
one delays no other. Two recordings are encoded at a time.
"""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import structlog

from router.errors import DatabaseUnavailable
from router.service.calls.late_evidence import look_again
from router.service.calls.missed_clock import move_tasks
from router.service.calls.qualification import follow_changes
from router.service.calls.recording import Recorder, store_due, take_up
from router.service.calls.rules import work_on_rules
from router.service.calls.tags import replace_due
from router.service.calls.transcription import Transcription
from router.service.clock import Clock, StepWatch
from router.service.delivery.dispatch import deliver_due
from router.service.delivery.outcomes import Sender
from router.service.mail import MailboxPoller
from router.service.outages import FAULT_PAUSE, Outages
from router.service.ports import Heartbeat, Session, Store

log = structlog.get_logger()

LONGEST_SLEEP = 0.25  # seconds between checks for new work
SHORTEST_SLEEP = 0.02
RECORDING_LANES = ("recordings 1", "recordings 2")  # ffmpeg fills a core
LATE_LANE = "late evidence"
TAGS_LANE = "renamed tags"
CHANGES_LANE, RULES_LANE = "rules on changes", "rules on past calls"
TRANSCRIPT_LANE = "transcripts "  # and the rule
MAILBOX_LANE = "mailbox "  # and the site; receivers have no space in their keys
DATABASE_PAUSE = 1.0
BEAT_EVERY = timedelta(seconds=10)
NEVER = datetime.min.replace(tzinfo=UTC)
VAIN_PAUSE = (
    1.0  # for a receiver whose due deliveries all wait for an earlier one of the same phone
)


class Worker:
    """Stores recordings, polls mailboxes and sends deliveries; `run` never returns."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        sender: Sender,
        clock: Clock,
        poller: MailboxPoller | None = None,
        transcription: Transcription | None = None,
    ) -> None:
        self._store, self._recorder, self._sender, self._clock = store, recorder, sender, clock
        self._poller, self._transcription = poller, transcription
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._outages = Outages()
        self._began: dict[str, datetime] = {}  # start of each lane's current work
        self._beat_at = NEVER
        self._steps, self._ahead, self._back = StepWatch(clock), timedelta(0), timedelta(0)

    async def run(self) -> None:
        """Work until cancelled; if the database does not answer, log once and wait."""
        began = False
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    if not began:
                        await take_up(self._store, self._clock)
                        if self._transcription:
                            await self._transcription.take_up()
                        began = True
                    await self._look_at_clock()
                    pause = await self._look(tasks)
                    await self._beat()
                    self._outages.back("database")
                except DatabaseUnavailable as error:
                    self._outages.fell("database", error.message)
                    pause = DATABASE_PAUSE
                except Exception:
                    log.exception("work_not_found")  # a bug: running lanes go on
                    pause = FAULT_PAUSE
                await asyncio.sleep(pause)

    async def _look_at_clock(self) -> None:
        """Where the clock was set forward, leases, claims and deadlines last as long as before."""
        step = self._steps.look()
        if step:
            self._ahead += step.ahead
            self._back += max(-step.ahead, timedelta(0))
        if self._ahead <= BEAT_EVERY:
            self._ahead = timedelta(0)
            return
        now, by = self._clock(), self._ahead
        async with self._store.write() as session:
            await session.heartbeats.put_off(now - by, now, by)
            await move_tasks(session, now, by)
        self._ahead = timedelta(0)
        log.warning("clock_set_forward", seconds=by.total_seconds())

    async def _look(self, tasks: asyncio.TaskGroup) -> float:
        """Start a lane for everything due; returns the time until more is due."""
        async with self._store.read_inline() as session:
            recording = await session.recordings.next_due()
            receivers = await session.deliveries.receivers_due()
            late = await session.late_evidence.next_due()
            tags = await session.tag_registry.next_due()
            is_behind = await session.qualification.is_behind()
            rule = await session.qualification.next_rule()
            mailboxes, rules = dict[str, datetime](), dict[str, datetime]()
            if self._poller:
                mailboxes = await session.mails.mailboxes_due()
            if self._transcription:
                rules = await session.transcripts.rules_due()

        due: dict[str, datetime | None] = {LATE_LANE: late, TAGS_LANE: tags, **receivers}
        due |= dict.fromkeys(RECORDING_LANES, recording)
        due |= {MAILBOX_LANE + site: moment for site, moment in mailboxes.items()}
        due |= {TRANSCRIPT_LANE + rule: moment for rule, moment in rules.items()}
        if is_behind:
            due[CHANGES_LANE] = NEVER
        if rule:
            due[RULES_LANE] = NEVER

        now, pause = self._steps.now(), LONGEST_SLEEP  # a step since then is not looked at yet
        for lane, moment in due.items():
            if moment is None or lane in self._lanes:
                continue
            if moment <= now:
                self._lanes[lane] = tasks.create_task(self._drive(lane), name=lane)
            else:
                pause = min(pause, (moment - now).total_seconds())
        return max(SHORTEST_SLEEP, pause)

    async def _beat(self) -> None:
        """Store a heartbeat, with the work of each lane."""
        now = self._clock()
        if abs(now - self._beat_at) < BEAT_EVERY:
            return
        lanes = {lane: began.isoformat() for lane, began in self._began.items()}
        first, set_back = self._beat_at == NEVER, self._beat_at - now > BEAT_EVERY
        async with self._store.write() as session:
            if first or set_back:
                await _after_clock_step(session, now, self._back)
            await session.heartbeats.save(Heartbeat(name="worker", at=now, facts={"lanes": lanes}))
        self._beat_at, self._back = now, timedelta(0)

    async def _drive(self, lane: str) -> None:
        """Run one lane until nothing is due."""
        try:
            worked = await self._work(lane)
            if not worked and " " not in lane:
                await asyncio.sleep(VAIN_PAUSE)
            while worked:
                worked = await self._work(lane)
        except DatabaseUnavailable as error:
            self._outages.fell("database", error.message)
            await asyncio.sleep(DATABASE_PAUSE)
        except Exception:
            # a bug stops this lane for a while, and no other
            log.exception("lane_broke", lane=lane)
            await asyncio.sleep(FAULT_PAUSE)
        finally:
            del self._lanes[lane]
            self._began.pop(lane, None)

    def _work(self, lane: str) -> Awaitable[int]:
        self._began[lane] = self._clock()
        if lane in RECORDING_LANES:
            return store_due(self._store, self._recorder, self._clock, at_once=1)
        if self._poller and lane.startswith(MAILBOX_LANE):
            return self._poller.collect(lane.removeprefix(MAILBOX_LANE))
        if self._transcription and lane.startswith(TRANSCRIPT_LANE):
            return self._transcription.work(lane.removeprefix(TRANSCRIPT_LANE))
        if lane == LATE_LANE:
            return look_again(self._store, self._clock)
        if lane == TAGS_LANE:
            return replace_due(self._store)
        if lane == CHANGES_LANE:
            return follow_changes(self._store, self._clock())
        if lane == RULES_LANE:
            return work_on_rules(self._store, self._clock())
        return deliver_due(self._store, self._sender, self._clock, receiver_id=lane)


async def _after_clock_step(session: Session, now: datetime, seen: timedelta) -> None:
    """If the clock was set back, work planned by the old clock waits no longer for that. The first
    worker to notice it does so for all; `seen`: by how much, if it was running.
    """
    beats = await session.heartbeats.all()
    last = next((beat.at for beat in beats if beat.name == "worker"), now)
    if last - now > BEAT_EVERY:
        by = max(seen, last - now)
        log.warning("clock_set_back", seconds=by.total_seconds())
        await session.heartbeats.bring_forward(now, by)
        await move_tasks(session, now, -by)
