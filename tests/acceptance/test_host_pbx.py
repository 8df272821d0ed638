"""Beside an existing PBX Ringtrace is a guest: before, with and after it the company's own calls go
as ever.
"""

import asyncio
import re
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from router.asterisk.cel_log import CelLog
from router.asterisk.files import write_fallback
from router.asterisk.process import Console
from router.cli.doctor import modules
from router.cli.doctor.finding import Finding, Level
from router.config import Settings
from router.domain.calls.folding import fold
from router.domain.calls.routing import FallbackEntry
from tests.acceptance.host_pbx import TRACKED_DID, HostPbx, hang_up, host_pbx, started
from tests.acceptance.host_pbx_files import short_module_list
from tests.acceptance.raw_media import sdp
from tests.acceptance.raw_phone import RawPhone
from tests.support.standstill import Standstill

SECOND = "127.0.0.4"
SLACK = 3.0  # of a machine that is busy with other things
SECOND_PHONE = """
[102]
type=endpoint
context=from-internal
disallow=all
allow=alaw,ulaw
aors=102
[102]
type=aor
contact=sip:127.0.0.4:{port}
"""


async def test_a_pbx_keeps_its_calls_before_with_and_after_ringtrace() -> None:
    async with host_pbx() as pbx:
        async with started(pbx):
            await pbx.works()
            await pbx.attach()
            await pbx.console.run("core reload")
            await pbx.works()
        send_tracked_calls_to_us(pbx)
        async with started(pbx):
            await pbx.works()
            await the_tracked_number_is_ours(pbx)
            assert "_!" not in (pbx.home / "log/full").read_text()
        pbx.remove_files()
        async with started(pbx):
            await pbx.works()


async def test_a_step_that_says_nothing_gives_way_within_three_seconds_of_stock_timers() -> None:
    async with host_pbx() as pbx, RawPhone(SECOND, pbx.phone.peer[1]) as second:
        await pbx.attach()
        send_tracked_calls_to_us(pbx, "PJSIP/101~30^PJSIP/102~20")
        endpoints = pbx.home / "etc/pjsip_custom_post.conf"
        endpoints.write_text(endpoints.read_text() + SECOND_PHONE.format(port=second.port))
        async with started(pbx):
            assert "32000" in await pbx.console.run("pjsip show settings"), "timer_b is stock"
            began = time.monotonic()
            offer = sdp(await pbx.carrier.new_media())
            with Standstill() as still:
                calling = asyncio.create_task(pbx.carrier.call(TRACKED_DID, offer, timeout=180))
                await pbx.phone.request("INVITE", 180)  # and says nothing
                media = await second.new_media()
                company = await second.pick_up(lambda _: sdp(media))
                waited = time.monotonic() - began
            assert waited < 3 + SLACK + still.seconds
            caller = await calling
            assert caller.answer is not None
            assert caller.answer.status == 200
            await hang_up(caller, company)


@dataclass
class OnlyAsterisk:
    """What doctor needs to look at Asterisk."""

    settings: Settings
    asterisk: Console

    def console(self) -> Console:
        return self.asterisk


async def modules_of(pbx: HostPbx) -> Finding:
    """What doctor says of the modules."""
    case = OnlyAsterisk(pbx.settings, pbx.console)
    return await modules.modules(case)  # type: ignore[arg-type]


async def test_a_pbx_of_few_modules_is_told_the_lines_to_add_and_then_its_calls_are_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its clock shows another time zone, its language is not English, and others use its CEL."""
    monkeypatch.setenv("TZ", "America/St_Johns")
    async with host_pbx() as pbx:
        etc = pbx.home / "etc"
        (etc / "cel_custom.conf").write_text(
            "[mappings]\nMaster.csv => ${CSV_QUOTE(${eventtype})},${CSV_QUOTE(${eventtime})}\n"
        )
        endpoints = (etc / "pjsip.conf").read_text()
        spoken = endpoints.replace("type=endpoint", "type=endpoint\nlanguage=ru")
        (etc / "pjsip.conf").write_text(spoken)
        (etc / "modules.conf").write_text(short_module_list())
        await pbx.attach()
        send_tracked_calls_to_us(pbx, "PJSIP/101~20")
        async with started(pbx):
            told = await modules_of(pbx)
        assert told.level is Level.FAIL
        lines = re.findall("`(load = [^`]+)`", told.fix or "")
        assert "load = app_mixmonitor.so" in lines
        (etc / "modules.conf").write_text(short_module_list(*lines))
        async with started(pbx):
            assert (await modules_of(pbx)).level is Level.OK
            pbx.media = await pbx.phone.new_media()
            await the_tracked_number_is_ours(pbx)
            async with asyncio.timeout(180):
                while "LINKEDID_END" not in (pbx.home / "log/cel-custom/Master.csv").read_text():
                    await asyncio.sleep(0.05)
        (first, *_) = CelLog(pbx.settings.cel_log).read(None).rows  # type: ignore[union-attr]
        assert abs((datetime.now(UTC) - first.at).total_seconds()) < 600


def send_tracked_calls_to_us(pbx: HostPbx, steps: str = "Local/600@ext-queues~20") -> None:
    """As an inbound route of FreePBX to a custom destination."""
    path = pbx.home / "etc/extensions_custom.conf"
    route = f"[from-pstn-custom]\nexten => {TRACKED_DID},1,Goto(ringtrace-arrived,s,1)\n"
    path.write_text(route + path.read_text())
    entry = FallbackEntry(key=TRACKED_DID, route=f"+{TRACKED_DID}|office|||||{steps}")
    write_fallback(pbx.settings.fallback, [entry])


async def the_tracked_number_is_ours(pbx: HostPbx) -> None:
    """A call to it rings in the PBX's queue, is answered there, and is in the CEL log, with
    times.
    """
    cel_log = pbx.settings.cel_log
    cel_log.unlink(missing_ok=True)
    await pbx.rings(TRACKED_DID, pbx.carrier)
    async with asyncio.timeout(180):
        while not (cel_log.exists() and "LINKEDID_END" in cel_log.read_text()):
            await asyncio.sleep(0.05)
    batch = CelLog(cel_log).read(None)
    assert batch is not None
    assert batch.rejected == []
    (call,) = fold(batch.rows)
    assert (call.did, call.destination_id) == (TRACKED_DID, "office")
    assert call.answered_by == "101", "the person behind the queue, not the queue"
    assert batch.rows[0].at.microsecond + batch.rows[-1].at.microsecond > 0, (
        "the host's dateformat has whole seconds"
    )


@pytest.mark.parametrize(("mode", "expected"), [(0o644, 0o644), (0o640, 0o640)])
async def test_our_files_are_as_readable_as_the_hosts(mode: int, expected: int) -> None:
    async with host_pbx() as pbx:
        for path in (pbx.home / "etc").glob("*.conf"):
            path.chmod(mode)
        await pbx.attach()
        ours = pbx.settings.ringtrace_etc
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ours.iterdir()}
        assert found["dialplan.conf"] == expected
        assert found["manager-secret.conf"] == expected, "as the host's own file with passwords"
        assert stat.S_IMODE(ours.stat().st_mode) & 0o005 == (0o005 if mode & 0o004 else 0)
        assert pbx.settings.cel_log.parent.is_dir()
