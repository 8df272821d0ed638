"""An installation in which every page of the desk has something to show."""

from dataclasses import replace
from datetime import UTC

from router.domain.access import Role
from router.domain.calls.call import Recording
from router.domain.calls.transcript import Side, Spoken, Transcript, TranscriptState, in_order
from router.service.calls.comments import add_comment
from router.service.calls.disputes import dispute_score
from router.service.calls.rules import Wanted as WantedRule
from router.service.calls.rules import keep_rule
from router.service.calls.samples import Wanted as WantedSample
from router.service.calls.samples import draw_sample
from router.service.calls.spam import block_caller
from router.service.calls.tags import register_tag
from tests.integration.scores_world import ROOT, a_card, person, scored
from tests.integration.test_word_lists import a_list
from tests.support.speech_world import a_rule
from tests.support.web_calls import furnish
from tests.support.web_world import World

SAID = (
    Spoken(side=Side.COMPANY, at=1, until=4, text="Good morning, tyre shop."),
    Spoken(side=Side.CALLER, at=5, until=11, text="Hello, how much are winter tyres?"),
    Spoken(side=Side.COMPANY, at=12, until=18, text="Three thousand, fitting included."),
    Spoken(side=Side.CALLER, at=20, until=26, text="That is expensive, I'll think about it."),
)


async def transcribe(world: World, call_id: str, said: tuple[Spoken, ...] = SAID) -> None:
    """Keep a transcript of a call that has a stored recording."""
    now = world.clock.now
    made = Transcript(
        call_id=call_id,
        rule_id="all",
        state=TranscriptState.DONE,
        due_at=now,
        created_at=now,
        progress=1.0,
        engine="speech.example · whisper-1",
        language="en",
        done_at=now,
    )
    async with world.store.write() as session:
        await session.transcripts.save(made)
        await session.transcripts.save_segments(call_id, in_order(call_id, said))
        await session.calls.touch(call_id)


async def whole_desk(world: World, recording: Recording) -> dict[str, str]:
    """Fill the desk; the addresses of its pages by their names."""
    store, now = world.store, world.clock.now
    warned = replace(recording, caller_speech_seconds=0.0)
    call = (await furnish(world, warned))["attributed"]
    await transcribe(world, call.id)
    async with store.write() as session:
        await session.add(a_rule(), a_list("expensive", "how much"))
    await register_tag(store, "price", digit=1, now=now)
    await add_comment(store, call.id, "Good", author="anna", now=now, at_seconds=7.0)
    card = await a_card(store)
    score = await scored(store, call.id, card, ROOT)
    employee = person("maria", Role.EMPLOYEE, call.answered_by)
    await dispute_score(store, score, "I did", person=employee, now=now)
    wanted = WantedRule(name="Long", query="talk_from=60", tag="long", past=True)
    await keep_rule(store, wanted, author="anna", now=now)
    await block_caller(store, "+7495123*", note="robots", author="anna", now=now)
    week = WantedSample(name="Week", per_employee=1, since=now.date(), weeks=1, seed="s")
    sample = await draw_sample(store, week, zone=UTC, author="anna", now=now)
    return {
        "calls": "/calls",
        "filtered": "/calls?period=30d&ending=answered&not_tag=x",
        "call": f"/calls/{call.id}",
        "missed": "/missed",
        "board": "/board",
        "samples": "/samples",
        "sample": f"/samples/{sample.sample.id}",
        "scores": "/scores",
        "score": f"/scores/{score}",
        "cards": "/cards",
        "card": f"/cards/{card.id}",
        "rules": "/rules",
        "rule": "/rules/new?talk_from=60",
        "words": "/words",
        "word list": "/words/price",
        "spam": "/spam",
        "tags": "/tags",
        "tag": "/tags/change?name=price",
        "deliveries": "/deliveries",
        "pools": "/pools",
        "pool": "/pools/visitors",
        "reliability": "/reliability",
    }
