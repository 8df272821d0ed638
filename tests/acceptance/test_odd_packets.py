"""What networks and phones do to RTP: packets that come twice, or late and together, and phones
that send none while they are silent. The recording has each sound once, at its time.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio

from recordings import Course, SpoolPair
from recordings.growth import gaps, read_growths
from recordings.spool import opened
from router.domain.calls.call import Recording
from tests.acceptance.calling import somebody, the_call
from tests.acceptance.phone_world import (
    CALLER,
    FIRST,
    TALK,
    Phones,
    after,
    phone_world,
    share,
    talking,
)
from tests.acceptance.talking_phone import PhoneCall

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE = 0.7  # of a stream's frames: a busy machine loses some
NEAR = 0.5  # seconds: a busy machine is late by that much


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Phones]:
    """All phones, known to an Asterisk with an agent."""
    async with phone_world(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.mark.parametrize("doubled", ["caller", "company", "both"])
async def test_packets_that_the_network_doubles_are_recorded_once(
    phones: Phones, doubled: str
) -> None:
    for tries_left in (2, 1, 0):
        async with talking(phones) as (talk, phone):
            caller_from, company_from = len(talk.caller.media.sent), len(phone.media.sent)
            talk.caller.media.copies = 1 if doubled == "company" else 2
            phone.media.copies = 1 if doubled == "caller" else 2
            await asyncio.sleep(2 * TALK)
            caller_sent, company_sent = (
                after(talk.caller, caller_from),
                after(phone, company_from),
            )
            sides = await talk.recorded()
        shares = [
            share(sides[0], CALLER, caller_sent),
            share(sides[1], FIRST, company_sent),
        ]
        repeated = [len(side) - len(set(side)) for side in sides]
        print(shares, repeated)
        if min(shares) > WHOLE or not tries_left:
            break
    assert min(shares) > WHOLE
    assert repeated == [0, 0]


async def test_sound_that_comes_late_and_all_at_once_is_recorded(phones: Phones) -> None:
    async with talking(phones) as (talk, phone):
        caller_from, company_from = len(talk.caller.media.sent), len(phone.media.sent)
        for _ in range(8):
            await talk.caller.media.stand_still(0.3)
            await asyncio.sleep(0.1)
        caller_sent, company_sent = after(talk.caller, caller_from), after(phone, company_from)
        left, right = await talk.recorded()
    assert share(left, CALLER, caller_sent) > WHOLE
    assert share(right, FIRST, company_sent) > WHOLE


async def test_silence_without_packets_is_time_in_the_recording_of_both_sides(
    phones: Phones,
) -> None:
    async with talking(phones) as (talk, phone):
        said: dict[int, list[float]] = {CALLER: [], FIRST: []}
        sides = ((CALLER, talk.caller), (FIRST, phone))
        for _, call in sides:
            call.media.fall_silent()
        await asyncio.sleep(1.0)
        for pause in (0.8, 1.6, 1.2):
            for speaker, call in sides:
                said[speaker].append(await beep(call))
                await asyncio.sleep(pause)
        await talk.recorded()
        call = await the_call(phones.system, replace(somebody(""), number=talk.number))
        async with phones.system.store.read() as session:
            recording = await session.get(Recording, call.id)
    pair = SpoolPair(directory=phones.system.settings.spool, name=recording.spool_name)
    assert call.answered_at is not None
    assert call.ended_at is not None
    began = call.answered_at.timestamp()
    course = Course(answered_at=began, ended_at=call.ended_at.timestamp())
    with opened(pair) as audio:
        missing = tuple(gaps(read_growths(pair.growth), max(audio.sizes), course))
        whole = replace(audio, gaps=missing)
        blocks = list(whole.blocks())
    for side, (speaker, moments) in enumerate(said.items()):
        heard = onsets(np.concatenate([block[side] for block in blocks]))
        late = [at + began - moment for at, moment in zip(heard[-3:], moments, strict=True)]
        assert np.abs(late).max() < NEAR, (speaker, late)
    assert audio.seconds < whole.seconds - 4, "most of the silence was not written"


def onsets(samples: npt.NDArray[np.int16]) -> list[float]:
    """When sounds of a tenth of a second begin. Asterisk writes the last frame or two before a
    pause with the first sound after it.
    """
    frames = samples[: samples.size // 160 * 160].reshape(-1, 160)
    loud = np.flatnonzero(np.abs(frames).max(axis=1) > 1000)
    sounds = np.split(loud, np.flatnonzero(np.diff(loud) > 12) + 1)
    return [float(sound[0]) * 0.02 for sound in sounds if len(sound) >= 5]


async def beep(call: PhoneCall) -> float:
    """Speak for a moment, as a stream that goes on; when it began."""
    began = time.time()
    call.media.speak(call.start.jumped(len(call.media.sent) + 1))
    await asyncio.sleep(0.3)
    call.media.fall_silent()
    return began
