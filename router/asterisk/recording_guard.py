"""Reserves disk space for the CEL log and the database, which share the disk with recordings. Below
the reserve no recording starts; below half of it running recordings are ended. Calls go on.
"""

import asyncio
import re
import shutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import structlog

from router.asterisk.answers import Answers
from router.asterisk.process import Console
from router.errors import AsteriskUnavailable
from router.service.outages import Outages

log = structlog.get_logger()

EVERY = 1.0  # seconds; ten calls write 320 kB in one
RECOVERED = 1.1  # of the reserve: hysteresis before recording starts again
MOST_CHANNELS = 2_000  # remembered, the newest
MB = 1024 * 1024
# characters allowed in a console command
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./;@+-]{1,200}")


class RecordingGuard:
    """Watches the spool's disk. `reserve_mb` of 0 switches it off."""

    def __init__(
        self,
        answers: Answers,
        spool: Path,
        reserve_mb: int,
        console: Callable[[], Console] | None = None,
    ) -> None:
        self._answers, self._spool, self._reserve = answers, spool, reserve_mb * MB
        self._console = console
        self._channels: OrderedDict[str, None] = OrderedDict()  # being recorded
        self._short = False
        self._outages = Outages()

    def heard(self, channel: str) -> None:
        """A call being recorded came in."""
        if _CHANNEL.fullmatch(channel):
            self._channels[channel] = None
        while len(self._channels) > MOST_CHANNELS:
            self._channels.popitem(last=False)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                # in a thread, because a disk may hang
                usage = await asyncio.to_thread(shutil.disk_usage, self._spool)
                self.judge(usage.free)
                await self.end_recordings(usage.free)
                self._outages.back("recording_guard")
            except (OSError, AsteriskUnavailable) as error:
                self._outages.fell("recording_guard", str(error))
            await asyncio.sleep(EVERY)

    def judge(self, free: int) -> None:
        """Allow or stop recording for this many free bytes. Raises OSError."""
        self._short = free < self._reserve * (RECOVERED if self._short else 1)
        if self._short:
            free_mb, reserve_mb = free // MB, self._reserve // MB
            reason = (
                f"{free_mb} MB are free at {self._spool}, the reserve is {reserve_mb}: calls "
                "continue without a recording"
            )
            self._outages.fell("recording", reason)
            self._answers.leave_unrecorded()
        else:
            self._answers.record_again()
            self._outages.back("recording")

    async def end_recordings(self, free: int) -> None:
        """End running recordings if little of the reserve is left. Raises `AsteriskUnavailable`."""
        if free >= self._reserve / 2 or not self._channels or self._console is None:
            return
        log.error("recordings_ended", free_mb=free // MB, channels=len(self._channels))
        console = await asyncio.to_thread(self._console)
        while self._channels:
            channel, _ = self._channels.popitem()
            await console.run(f"mixmonitor stop {channel}")
