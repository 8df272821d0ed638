"""A person calls a missed caller back: their own phone rings first, then the customer is called."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio

from recordings.spool import SpoolPair, is_settled
from router.asterisk.call_backs import start_command
from router.asterisk.trunks import Side, Trunk, TrunkKind, Trunks
from router.asterisk_setup import endpoints_down
from router.domain.calls.call import Call, Direction, Ending, Recording
from router.domain.calls.call_back import CallBackResult, CallBackState
from router.domain.calls.missed import MissedCaller, MissedState
from router.live_sound import SpoolListener
from tests.acceptance.audio import from_sln
from tests.acceptance.call_back_world import (
    LOGIN,
    Customer,
    called_back,
    desk_world,
    heard,
    quiet,
    set_person,
)
from tests.acceptance.phone_world import FIRST, Phones, share
from tests.acceptance.rtp import read_numbers
from tests.acceptance.system import STATIC

pytestmark = pytest.mark.asyncio(loop_scope="module")
CUSTOMER = 4  # speaker
OWN = {  # an administrator's own dialplan
    "custom/extensions.conf": "[own]\nexten => 101,1,Dial(PJSIP/second,20)\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phones]:
    async with desk_world(tmp_path_factory.mktemp("home"), OWN) as made:
        yield made


async def task_of(customer: Customer) -> MissedCaller:
    async with customer.phones.system.store.read() as session:
        return await session.get(MissedCaller, customer.missed.id)


async def test_both_talk_are_recorded_and_the_task_is_done(phones: Phones) -> None:
    back = await called_back(phones)
    phone = await back.phone_rings()
    await back.state(CallBackState.RINGING)
    phone.media.speaker = FIRST
    await phone.answer()
    customer = await back.rings()
    await back.state(CallBackState.CALLING)
    customer.media.speaker = CUSTOMER
    await customer.answer()
    await back.state(CallBackState.TALKING)
    assert (await task_of(back)).closed_as is MissedState.CALLED_BACK_SOON
    await heard(phones, phone, CUSTOMER)
    await heard(phones, customer, FIRST)
    assert customer.dialled == back.number
    await listened_in(phones, back)
    assert {who for who, _ in phone.media.heard} == {CUSTOMER}
    assert {who for who, _ in customer.media.heard} == {FIRST}
    sent = len(customer.media.sent), len(phone.media.sent)
    await phone.hang_up()
    call = await back.made()

    ended = await back.state(CallBackState.ENDED)
    assert ended.result is CallBackResult.TALKED
    assert (call.direction, call.ending) == (Direction.OUTGOING, Ending.ANSWERED)
    assert (call.caller, call.number, call.site_id) == (back.number, STATIC, "shop")
    assert (call.answers_call_id, call.started_by) == (back.missed.id, LOGIN)
    assert (call.answered_by, call.trunk, call.verdict) == ("second", "carrier", None)
    assert call.talk_seconds > 0.4
    assert [leg.endpoint for leg in call.legs] == ["second", "carrier"]
    task = await task_of(back)
    assert (task.closed_by, task.contact_call_id) == (LOGIN, call.id)
    await recorded(phones, call.id, customer.media.sent[: sent[0]], phone.media.sent[: sent[1]])


async def listened_in(phones: Phones, back: Customer) -> None:
    """Both sides are heard while they talk, each apart, and Asterisk has no channel more."""
    made = (await back.state(CallBackState.TALKING)).made_call_id
    async with phones.system.store.read() as session:
        call = await session.get(Call, made or "")
    sides = SpoolListener(phones.system.settings.spool).open(call.spool_name or "")
    sound = b""

    async def both() -> bool:
        nonlocal sound
        sound += sides.read()
        left, right = np.frombuffer(sound, dtype=np.int16).reshape(-1, 2).T.copy()
        who = [{speaker for speaker, _ in read_numbers(side)} for side in (left, right)]
        assert who[0] <= {CUSTOMER}
        assert who[1] <= {FIRST}
        return who == [{CUSTOMER}, {FIRST}]

    await phones.system.until(both, "the sides were not heard")
    sides.close()
    assert "2 active channels" in await phones.system.console("core show channels count")


async def test_a_line_that_is_down_is_named_and_comes_back(phones: Phones) -> None:
    settings = phones.system.settings

    async def reason(wanted: str | None) -> bool:
        await phones.system.console("pjsip qualify hint")  # otherwise within half a minute
        return (await endpoints_down(settings)).get("hint") == wanted

    hint = Trunk(name="hint", kind=TrunkKind.IP, side=Side.COMPANY, host="127.0.0.5:9")
    trunks = Trunks(settings.ringtrace_etc)
    trunks.add(hint)
    await phones.system.until(lambda: reason("not_loaded"), "it was not named")
    await phones.system.console("module reload res_pjsip.so")
    await phones.system.until(lambda: reason("unreachable"), "it was not seen to be down")
    where = f"{phones.second.host}:{phones.second.port}"
    trunks.change(replace(hint, host=where, match=("127.0.0.5",)))
    await phones.system.console("module reload res_pjsip.so")
    await phones.system.until(lambda: reason(None), "it did not come back")
    trunks.remove("hint")
    await phones.system.console("module reload res_pjsip.so")


async def recorded(phones: Phones, call_id: str, customer: list[int], phone: list[int]) -> None:
    """Each side of the recording has its speaker."""
    async with phones.system.store.read() as session:
        recording = await session.get(Recording, call_id)
    pair = SpoolPair(directory=phones.system.settings.spool, name=recording.spool_name)

    async def settled() -> bool:
        return len(pair.files()) == 2 and is_settled(pair, quiet_seconds=0.3, now=time.time())

    await phones.system.until(settled, "the recording did not settle")
    left, right = read_numbers(from_sln(pair.caller)), read_numbers(from_sln(pair.company))
    assert share(left, CUSTOMER, customer[25:]) > 0.3
    assert share(right, FIRST, phone[-25:]) > 0.3
    assert not any(who == FIRST for who, _ in left)
    assert not any(who == CUSTOMER for who, _ in right)


async def test_a_customer_who_is_busy_stays_to_be_called_back(phones: Phones) -> None:
    back = await called_back(phones)
    phone = await back.phone_rings()
    await phone.answer()
    (await back.rings()).say("486 Busy Here")
    call = await back.made()
    assert (await back.state(CallBackState.ENDED)).result is CallBackResult.BUSY
    assert (call.ending, call.direction) == (Ending.BUSY, Direction.OUTGOING)
    task = await task_of(back)
    assert (task.tries, task.closed_at) == (1, None)
    async with phones.system.store.read() as session:
        assert await session.tags.of([call.id]) == {}, "a call back is not a missed call"


async def test_a_trunk_that_refuses_is_named_with_its_code(phones: Phones) -> None:
    back = await called_back(phones)
    await (await back.phone_rings()).answer()
    (await back.rings()).say("403 Forbidden")
    call = await back.made()
    ended = await back.state(CallBackState.ENDED)
    assert (ended.result, ended.reason) == (CallBackResult.UNREACHABLE, "403")
    assert call.ending is Ending.UNREACHABLE
    assert (await task_of(back)).tries == 0, "the customer was not tried"


async def test_a_phone_behind_the_own_dialplan_may_ring(phones: Phones) -> None:
    back = await called_back(phones, phone="Local/101@own")
    phone = await back.phone_rings()
    await phone.answer()
    customer = await back.rings()
    await customer.answer()
    await back.state(CallBackState.TALKING)
    await customer.hang_up()
    call = await back.made()
    assert (call.ending, call.answered_by) == (Ending.ANSWERED, "second")
    assert call.last_answered_by == "second"


async def test_nothing_is_called_where_the_own_phone_does_not_answer(phones: Phones) -> None:
    back = await called_back(phones)
    (await back.phone_rings()).say("603 Decline")
    ended = await back.state(CallBackState.ENDED)
    assert (ended.result, ended.made_call_id) == (CallBackResult.PHONE_DECLINED, None)
    again = await called_back(phones, phone="PJSIP/nobody")
    ended = await again.state(CallBackState.ENDED)
    assert ended.result is CallBackResult.PHONE_UNREACHABLE
    await set_person(phones)


async def test_the_context_takes_a_token_with_an_order_and_nothing_else(phones: Phones) -> None:
    await quiet(phones)
    settings = phones.system.settings
    before = settings.cel_log.stat().st_size
    rest = "PJSIP/79160000000@carrier|+79160000000|+74951111111"
    orders = (
        f"PJSIP/carrier|{rest}",  # no phone of the company
        f"PJSIP/1@carrier|{rest}",
        f"System/touch|{rest}",
        f"PJSIP/second&PJSIP/head-office|{rest}",
        "PJSIP/second|SHELL(id)|1|2",
        "PJSIP/second|PJSIP/1@carrier&Local/600@own|1|2",
        "PJSIP/second",
        "",
    )
    for place, order in enumerate(orders):
        token = f"{place:032x}"
        (settings.answers / token).write_text(order)
        await phones.system.console(start_command(token))
    no_order = start_command("f" * 32)
    await phones.system.console(no_order)
    await phones.system.console(no_order.replace("f" * 32, "f" * 31))
    await quiet(phones)
    added = settings.cel_log.read_text()[before:]
    assert added.count("CHAN_START") == 2 * (len(orders) + 2), "both halves of each"
    assert "PJSIP/" not in added
    assert "RINGTRACE_BACK" not in added
