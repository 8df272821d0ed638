"""A phone begins a new RTP stream in the middle of a call: both sides stay in the recording, and
are heard.

Streams begin at random numbers, as RFC 3550 wants it. Each test holds two calls at once: in one the
later stream has lower sequence numbers than the one before, in the other higher ones. Frames are
numbered, so that what the spool holds can be compared with what was sent; no worker runs here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from router.domain.visitors.site import Destination
from tests.acceptance.calling import somebody
from tests.acceptance.phone_world import (
    CALLER,
    CONSULTING,
    FIRST,
    SECOND,
    TALK,
    Phones,
    Talk,
    after,
    phone_world,
    share,
    talking,
)
from tests.acceptance.rtp import ULAW

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOWER, HIGHER = -20_000, 9_000
WHOLE = 0.7  # of a stream's frames: a busy machine loses some of any stream, a dropped one has none


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phones]:
    """All phones, known to an Asterisk with an agent."""
    async with phone_world(tmp_path_factory.mktemp("home")) as made:
        yield made


async def in_both_directions(
    phones: Phones, scenario: Callable[[Phones, int], Awaitable[None]]
) -> None:
    """Both at once; again where a busy machine lost too much: a stream that is dropped is dropped
    each time.
    """
    for tries_left in (2, 1, 0):
        runs = (scenario(phones, jump) for jump in (LOWER, HIGHER))
        outcomes = await asyncio.gather(*runs, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if not failures:
            return
        if not tries_left or not isinstance(failures[0], AssertionError):
            raise failures[0]


async def test_the_second_phone_of_a_blind_transfer_is_recorded(phones: Phones) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            first = list(phone.media.sent)
            await phone.refer("202")
            other = await phones.office.rings(talk.number)
            assert other.dialled == "202"
            other.media.speaker, other.start = SECOND, phone.start.jumped(jump)
            await other.answer()
            said = len(talk.caller.media.sent)
            await asyncio.sleep(TALK)
            left, right = await talk.recorded()
            assert share(right, FIRST, first) > WHOLE
            assert share(right, SECOND, after(other, 0)) > WHOLE
            assert share(left, CALLER, after(talk.caller, said)) > WHOLE
            assert share(talk.caller.media.heard, SECOND, after(other, 0)) > WHOLE

    await in_both_directions(phones, scenario)


async def test_the_second_phone_of_an_attended_transfer_is_recorded_and_the_consultation_is_not(
    phones: Phones,
) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            first = list(phone.media.sent)
            await phone.reinvite("sendonly")
            phone.media.fall_silent()
            me = f"desk{abs(jump)}"
            dialling = asyncio.create_task(phones.office.call("202", sender=me, speaker=CONSULTING))
            other = await phones.office.rings(me)
            other.media.speaker, other.start = SECOND, phone.start.jumped(jump)
            await other.answer()
            consultation = await dialling
            await asyncio.sleep(TALK)
            asked, said = len(other.media.sent), len(talk.caller.media.sent)
            await phone.refer("202", replaces=consultation)
            await asyncio.sleep(TALK)
            left, right = await talk.recorded()
            assert share(right, FIRST, first) > WHOLE
            assert share(right, SECOND, after(other, asked)) > WHOLE
            assert share(left, CALLER, after(talk.caller, said)) > WHOLE
            assert share(right, SECOND, other.media.sent[: asked - 10]) == 0
            assert CONSULTING not in {who for who, _ in left + right}

    await in_both_directions(phones, scenario)


async def test_the_second_phone_of_a_transfer_by_keys_is_recorded(phones: Phones) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            first = list(phone.media.sent)
            await phone.press("##")
            await asyncio.sleep(1.0)
            await phone.press("202")
            other = await phones.office.rings(talk.number)
            other.media.speaker, other.start = SECOND, phone.start.jumped(jump)
            await other.answer()
            said = len(talk.caller.media.sent)
            await asyncio.sleep(TALK)
            left, right = await talk.recorded()
            assert share(right, FIRST, first) > WHOLE
            assert share(right, SECOND, after(other, 0)) > WHOLE
            assert share(left, CALLER, after(talk.caller, said)) > WHOLE

    async with phones.system.store.read() as session:
        plain = await session.get(Destination, "office")
    steps = tuple(replace(step, ring_seconds=step.ring_seconds + 1) for step in plain.steps)
    try:
        await phones.system.direct(replace(plain, dtmf_transfer=True, steps=steps))
        await in_both_directions(phones, scenario)
    finally:
        await phones.system.direct(plain)


@pytest.mark.parametrize("held", [True, False], ids=["hold and resume", "re-INVITE"])
async def test_a_phone_that_comes_back_as_another_stream_is_recorded(
    phones: Phones, held: bool
) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            before = len(phone.media.sent)
            if held:
                await phone.reinvite("sendonly")
                phone.media.fall_silent()
                await asyncio.sleep(0.5)
            await phone.reinvite()
            phone.restart(jump)
            await asyncio.sleep(TALK)
            left, right = await talk.recorded()
            assert share(right, FIRST, phone.media.sent[:before]) > WHOLE
            assert share(right, FIRST, after(phone, before)) > WHOLE
            assert share(left, CALLER, after(talk.caller, 0)) > WHOLE

    await in_both_directions(phones, scenario)


async def test_both_sides_begin_new_streams_at_once(phones: Phones) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            before, said = len(phone.media.sent), len(talk.caller.media.sent)
            talk.caller.restart(jump)
            phone.restart(jump)
            await asyncio.sleep(TALK)
            left, right = await talk.recorded()
            assert share(left, CALLER, after(talk.caller, said)) > WHOLE
            assert share(right, FIRST, after(phone, before)) > WHOLE

    await in_both_directions(phones, scenario)


async def test_the_second_step_is_recorded_after_the_first_played_a_ringing_of_its_own(
    phones: Phones,
) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        lease = await phones.system.lease()
        number = somebody("").number
        dialling = asyncio.create_task(
            phones.carrier.call(lease.number, sender=number, speaker=CALLER)
        )
        phone = await phones.office.rings(number)
        phone.progress()
        await asyncio.sleep(TALK)
        phone.media.fall_silent()
        phone.say("503 Service Unavailable")
        other = await phones.second.rings(number)
        other.media.speaker, other.start = SECOND, phone.start.jumped(jump)
        await other.answer()
        caller = await dialling
        await asyncio.sleep(TALK)
        left, right = await Talk(phones=phones, number=number, caller=caller).recorded()
        assert share(right, SECOND, after(other, 0)) > WHOLE
        assert share(left, CALLER, after(caller, 0)) > WHOLE
        assert share(right, FIRST, phone.media.sent) == 0, "what plays before the answer is no talk"

    await in_both_directions(phones, scenario)


async def test_legs_of_different_codecs_hear_each_other_after_new_streams(phones: Phones) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            before, said = len(phone.media.sent), len(talk.caller.media.sent)
            talk.caller.restart(jump)
            phone.restart(jump)
            await asyncio.sleep(TALK)
            left, right = await talk.recorded()
            for numbers in (left, phone.media.heard):
                assert share(numbers, CALLER, after(talk.caller, said)) > WHOLE
            for numbers in (right, talk.caller.media.heard):
                assert share(numbers, FIRST, after(phone, before)) > WHOLE

    phones.office.payload, usual = ULAW, phones.office.payload
    try:
        await in_both_directions(phones, scenario)
    finally:
        phones.office.payload = usual


async def test_a_jitter_buffer_lets_new_streams_through(phones: Phones) -> None:
    async def scenario(phones: Phones, jump: int) -> None:
        async with talking(phones) as (talk, phone):
            talk.caller.restart(jump)
            phone.restart(jump)
            await asyncio.sleep(TALK)
            said = len(talk.caller.media.sent)
            await asyncio.sleep(TALK)  # a buffer takes a moment to know the other stream's clock
            left, _ = await talk.recorded()
            assert share(left, CALLER, after(talk.caller, said)[:-10]) > WHOLE
            assert share(phone.media.heard, CALLER, after(talk.caller, said)[:-10]) > WHOLE

    dialplan = phones.system.settings.ringtrace_etc / "dialplan.conf"
    plain = dialplan.read_text()
    buffered = plain.replace('"none" = "adaptive"', '"adaptive" = "adaptive"')
    assert buffered != plain
    try:
        dialplan.write_text(buffered)
        await phones.system.console("dialplan reload")
        shown = await phones.system.console("dialplan show s@ringtrace-ask-agent")
        assert '"adaptive" = "adaptive"' in shown
        await in_both_directions(phones, scenario)
    finally:
        dialplan.write_text(plain)
        await phones.system.console("dialplan reload")
