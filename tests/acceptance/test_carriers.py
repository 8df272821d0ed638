"""What carriers do with the numbers they call: several registrations at one address, and digits
that come one by one. And a consultation that leaves by another trunk than the call came by.

No process of ours runs: Asterisk answers alone.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router.asterisk.trunks import DidFrom, Trunk, TrunkKind, Trunks
from router.domain.calls.call import Ending, TransferKind, TransferOutcome
from tests.acceptance.dialplan_world import CARRIER, NUMBERS, World, rings, world
from tests.acceptance.raw_media import sdp
from tests.acceptance.raw_phone import RawPhone
from tests.acceptance.raw_talk import Talk

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONE_ADDRESS = "127.0.0.8"
LOGINS = {"1000001": DidFrom.URI, "1000002": DidFrom.TO, "third.line": DidFrom.URI}
WHOLE = len(NUMBERS[0])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan() -> AsyncIterator[World]:
    """One Asterisk for all tests of the file."""
    async with world() as made:
        made.route("PJSIP/first~20")
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def quiet(plan: World) -> None:
    """No earlier call is in the CEL log."""
    await plan.forget()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registrar(plan: World) -> AsyncIterator[RawPhone]:
    """A carrier at which three trunks register."""
    async with RawPhone(AT_ONE_ADDRESS, plan.places.sip_port) as carrier:
        trunks = Trunks(plan.places.home / "etc/ringtrace")
        for count, (login, did_from) in enumerate(LOGINS.items()):
            host = f"{carrier.host}:{carrier.port}"
            trunks.add(
                Trunk(
                    name=f"line-{count}",
                    kind=TrunkKind.REGISTRATION,
                    host=host,
                    user=login,
                    did_from=did_from,
                ),
                "secret",
            )
        await plan.console.run("module reload res_pjsip.so")
        await plan.console.run("module reload res_pjsip_outbound_registration.so")
        yield carrier


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def contacts(registrar: RawPhone) -> dict[str, str]:
    """The Contact that each trunk has registered, by its user."""
    found: dict[str, str] = {}
    while len(found) < len(LOGINS):
        asked = await registrar.request("REGISTER")
        contact = asked.header("Contact").partition("<")[2].partition(">")[0]
        registrar.reply(asked, "200 OK", [f"Contact: <{contact}>;expires=300"])
        found[contact.partition(":")[2].partition("@")[0]] = contact
    return found


@pytest.mark.parametrize("line", [True, False], ids=["line", "no line"])
@pytest.mark.parametrize("did", [NUMBERS[0], "74950000000"], ids=["known", "unknown"])
async def test_registrations_at_one_address_are_told_apart(
    plan: World, registrar: RawPhone, contacts: dict[str, str], line: bool, did: str
) -> None:
    """By the `line` of the Contact, or by its user where the carrier leaves the rest out."""
    for count, contact in enumerate(contacts[login] for login in LOGINS):
        await plan.forget()
        uri = contact if line else re.sub(";line=.*", "", contact)
        refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
        dialog = registrar.new_dialog(did, uri=uri)
        body = sdp(await registrar.new_media())
        assert (await registrar.ask(dialog, "INVITE", (), body)).status == 486
        await refusing
        await plan.ended()
        (said,) = plan.said("RINGTRACE_CALL")
        assert (said["trunk"], said["did"]) == (f"line-{count}", did)


@pytest.fixture
def digit_by_digit(plan: World) -> Trunk:
    """The carrier, as one that sends digits one by one."""
    return Trunk(
        name="carrier",
        kind=TrunkKind.REGISTRATION,
        host=CARRIER,
        user=NUMBERS[1],
        did_digits=WHOLE,
    )


async def test_a_number_that_is_not_whole_yet_is_answered_484_and_the_whole_one_rings(
    plan: World, digit_by_digit: Trunk
) -> None:
    trunks = Trunks(plan.places.home / "etc/ringtrace")
    plain = next(known for known in trunks.all() if known.name == "carrier")
    trunks.change(digit_by_digit)
    await plan.console.run("module reload res_pjsip.so")
    try:
        dialog = plan.carrier.new_dialog(NUMBERS[0][:4])
        body = sdp(await plan.carrier.new_media())
        for count in (4, WHOLE - 1):
            dialog.target = re.sub(r"sip:\d+@", f"sip:{NUMBERS[0][:count]}@", dialog.target)
            dialog.remote = dialog.remote.partition(";tag=")[0]
            assert (await dialog.ask("INVITE", (), body)).status == 484

        refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
        dialog.target = re.sub(r"sip:\d+@", f"sip:{NUMBERS[0]}@", dialog.target)
        dialog.remote = dialog.remote.partition(";tag=")[0]
        assert (await dialog.ask("INVITE", (), body)).status == 486
        await refusing
        (call,) = await plan.ended()
        assert (call.did, call.ending) == (NUMBERS[0], Ending.BUSY)
    finally:
        trunks.change(plain)
        await plan.console.run("module reload res_pjsip.so")


async def test_a_short_number_of_a_carrier_that_sends_whole_ones_reaches_the_default_line(
    plan: World,
) -> None:
    refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
    assert (await plan.call(NUMBERS[0][:5])).answer is not None
    await refusing
    assert (await plan.ended())[0].ending is Ending.BUSY


async def test_a_consultation_that_left_by_another_trunk_is_joined_with_the_caller(
    plan: World,
) -> None:
    caller_rtp, asking_rtp = await plan.carrier.new_media(), await plan.second.new_media()
    first_rtp, colleague_rtp = await plan.first.new_media(), await plan.second.new_media()
    calling = asyncio.create_task(plan.carrier.call(NUMBERS[0], sdp(caller_rtp)))
    company = await plan.first.accept(await plan.asked(plan.first), sdp(first_rtp))
    caller = await calling
    await company.ask("INVITE", body=sdp(first_rtp, direction="sendonly"))

    consulting = asyncio.create_task(plan.second.call("202", sdp(asking_rtp), number="201"))
    colleague = await plan.second.accept(await plan.asked(plan.second), sdp(colleague_rtp))
    asked = await consulting
    await Talk(
        caller=asked, company=colleague, caller_rtp=asking_rtp, company_rtp=colleague_rtp
    ).is_heard()

    ours, theirs = (tag.partition(";tag=")[2] for tag in (asked.local, asked.remote))
    replaces = f"{asked.call_id.replace('@', '%40')}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}"
    target = f"sip:202@127.0.0.1:{plan.places.sip_port}?Replaces={replaces}"
    assert (await company.ask("REFER", (f"Refer-To: <{target}>",))).status == 202
    await Talk(
        caller=caller, company=colleague, caller_rtp=caller_rtp, company_rtp=colleague_rtp
    ).is_heard()
    await caller.hang_up()

    (call,) = await plan.ended()
    (transfer,) = call.transfers
    assert (call.ending, transfer.kind, transfer.to, transfer.outcome, transfer.answered_by) == (
        Ending.ANSWERED,
        TransferKind.ATTENDED,
        "202",
        TransferOutcome.ANSWERED,
        "second",
    )


async def test_a_consultation_that_never_came_through_here_leaves_the_caller_with_the_phone(
    plan: World,
) -> None:
    """The other dialog is between machines that Asterisk does not know: 404, and talk goes on."""
    caller_rtp, first_rtp = await plan.carrier.new_media(), await plan.first.new_media()
    calling = asyncio.create_task(plan.carrier.call(NUMBERS[0], sdp(caller_rtp)))
    company = await plan.first.accept(await plan.asked(plan.first), sdp(first_rtp))
    caller = await calling
    target = "sip:79990001122@198.51.100.1?Replaces=elsewhere%3Bto-tag%3D1%3Bfrom-tag%3D2"
    assert (await company.ask("REFER", (f"Refer-To: <{target}>",))).status == 202

    def refused(message: object) -> bool:
        return "404 Not Found" in getattr(message, "body", "")

    plan.first.reply(await plan.first.expect(refused), "200 OK")
    await Talk(
        caller=caller, company=company, caller_rtp=caller_rtp, company_rtp=first_rtp
    ).is_heard()
    await caller.hang_up()
    (call,) = await plan.ended()
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "first")
