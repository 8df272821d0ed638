"""Which number a call is for, wherever it is written, and names and numbers of attackers."""

from pathlib import Path

import pytest

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Ending
from tests.acceptance import sip
from tests.acceptance.calling import Voices, company_line, dial, heard_whole, somebody, the_call
from tests.acceptance.system import STATIC, System

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_unknown_did_reaches_the_default_line(
    running: System, tmp_path: Path, voice: Voices
) -> None:
    who = somebody("+74999999999", voice)
    async with company_line(running, tmp_path, sip.answers(0.2, speech=voice.company)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.verdict, call.number, call.did) == (Verdict.UNKNOWN, None, "+74999999999")
    assert call.ending is Ending.ANSWERED
    await heard_whole(running, call)


@pytest.mark.parametrize("spelling", ["{0}", "8{1}", "7{1}", "{1}", "007{1}"])
async def test_every_spelling_of_a_did_is_the_same_number(
    running: System, tmp_path: Path, spelling: str
) -> None:
    lease = await running.lease()
    who = somebody(spelling.format(lease.number, lease.number[2:]), talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.number, call.verdict) == (lease.number, Verdict.EXACT)


async def test_the_did_is_in_to(running: System, tmp_path: Path) -> None:
    lease = await running.lease()
    who = somebody("account17", to=lease.number, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who, host="127.0.0.6")
    assert (await the_call(running, who)).number == lease.number


async def test_the_did_is_in_p_called_party_id(running: System, tmp_path: Path) -> None:
    lease = await running.lease()
    who = somebody("74950000099", called_party=lease.number, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who, host="127.0.0.7")
    assert (await the_call(running, who)).number == lease.number


async def test_a_static_number_belongs_to_its_channel(running: System, tmp_path: Path) -> None:
    who = somebody(STATIC, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert (call.verdict, call.number, call.lease_id) == (Verdict.STATIC, STATIC, None)


@pytest.mark.parametrize("parameters", ["phone-context=+7", "npdi;rn=+79160000000"])
async def test_a_did_is_read_without_its_parameters(
    running: System, tmp_path: Path, parameters: str
) -> None:
    lease = await running.lease()
    who = somebody(f"{lease.number};{parameters}", talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        await dial(running, tmp_path, who)
    assert (await the_call(running, who)).number == lease.number


HOSTILE = [
    '\\"><script>alert(1)</script>',
    'O\'Brien, \\"x\\", y; z',
    "a,Call: forged,DID: +74950000001",
    "${SHELL(touch /tmp/owned)}${EXTEN}",
    "$[1+1] #{RINGTRACE_ANSWER} ^{X}",
    "line\\nbreak\\r\\nAction: Originate",
    "🙂🚀 Пётр \u202egnirts",
    "x" * 500,
    "",
    "%0d%0aX-Evil: 1",
    "x):MixMonitor(y.sln,,touch /tmp/owned",
    "x):TryExec(System(touch /tmp/owned)",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_name_is_only_a_name(running: System, tmp_path: Path, name: str) -> None:
    lease = await running.lease()
    who = somebody(lease.number, name=name, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        called = await dial(running, tmp_path, who)
    assert called.statuses == (200,)
    call = await the_call(running, who)
    assert (call.verdict, call.ending, call.number) == (
        Verdict.EXACT,
        Ending.ANSWERED,
        lease.number,
    )
    if "touch" in name:
        await running.recorded(call)  # what a recording would have started is over by now
    assert not Path("/tmp/owned").exists()


@pytest.mark.parametrize(
    "sender",
    [
        '"Anonymous" <sip:anonymous@anonymous.invalid>',
        # a carrier's brackets and dollars come escaped; Asterisk unescapes them
        "<sip:%24%7BEXTEN%7D@127.0.0.2>",
        "<sip:+7916;ext=1@127.0.0.2>",
        "<sip:" + "9" * 300 + "@127.0.0.2>",
        "<sip:127.0.0.2>",
    ],
)
async def test_a_hostile_number_is_only_a_number(
    running: System, tmp_path: Path, sender: str
) -> None:
    lease = await running.lease()
    before = len(await running.calls())
    who = somebody(lease.number, from_header=sender, talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        called = await dial(running, tmp_path, who)
    assert called.statuses == (200,)
    call = (await running.ended(before + 1))[-1]
    assert (call.caller, call.verdict, call.number) == (None, Verdict.EXACT, lease.number)


@pytest.mark.parametrize(
    "did", ["%24%7BSHELL(id)%7D", "+7495'%7C%7Cx%22", "s", "h", "a" * 200, "%2B74950000001"]
)
async def test_a_hostile_did_reaches_the_default_line(
    running: System, tmp_path: Path, did: str
) -> None:
    who = somebody(did, to="nobody", talk=1.0)
    async with company_line(running, tmp_path, sip.answers(0.1)):
        called = await dial(running, tmp_path, who)
    call = await the_call(running, who)
    assert called.statuses == (200,)
    assert call.ending is Ending.ANSWERED


@pytest.mark.parametrize("name", ["head-office", "carrier", "office"])
async def test_a_stranger_who_writes_a_trunks_name_in_from_gets_nothing(
    running: System, tmp_path: Path, name: str
) -> None:
    who = somebody("0079161234567", from_header=f"<sip:{name}@127.0.0.9>", talk=1.0)
    honest = somebody(STATIC, talk=0.5)
    before = len(await running.calls())
    async with company_line(running, tmp_path, sip.answers(0.1)) as (office,):
        called = await dial(running, tmp_path / "stranger", who, host="127.0.0.9")
        await dial(running, tmp_path / "honest", honest)
        reached = (await office.stop()).invites
    assert called.statuses == (401,)
    assert [invite.from_user for invite in reached] == [honest.number]
    await the_call(running, honest)  # the CEL log is read in its order
    assert len(await running.calls()) == before + 1
