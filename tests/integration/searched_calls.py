"""Calls that differ in everything a list may ask for, and filters, alone and mixed."""

import itertools
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from router.domain.attribution.terms import Verdict
from router.domain.calls.call import Call, Ending, State, Tag
from router.domain.calls.call_filter import Among, Range
from router.domain.calls.hours import Hours
from router.store.engine import SqlStore
from tests.integration.store_calls import call, save
from tests.support.builders import NOON

CALLS = 240
ABSENT = ("recorded", "target", "spam", "to_review")
SOME_TIME = {"since": NOON + timedelta(hours=1), "until": NOON + timedelta(minutes=90)}
ALONE: tuple[dict[str, Any], ...] = (
    {},
    {"site_id": "shop"},
    {"site_id": "none"},
    {"caller": "+79160000011"},
    {"verdict": Verdict.CONTESTED},
    {"ending": Ending.CUT},
    {"state": State.TALKING},
    {"visitor_id": "visitor-7"},
    {"tag": "Missed"},
    {"tag": "none"},
    {"ending": Among(("cut", "busy"))},
    {"verdict": Among(("exact", ""), excluded=True)},
    {"tag": Among(("missed",), excluded=True)},
    {"employee": "PJSIP/olga"},
    {"scored": "PJSIP/olga"},
    {"talk": Range(20, 40)},
    {"first": True},
    {"recorded": False},
    {"target": False},
    {"spam": True},
    {"to_review": True},
    {"score": Range(50, None)},
    {"campaign": "spring"},
    {"campaign": Among(("spring",), excluded=True)},
    {"employee": Among(("PJSIP/olga", "PJSIP/ivan"))},
    {"site_id": Among(("shop", "other")), "ending": Among(("busy",), excluded=True)},
    {"text": "8 916 000-00-11"},
    {"text": "8 916"},
    {"text": "0011"},
    {"text": "мария"},
    {"text": "я"},
    {"text": "nobody at all"},
    {"hours": Hours(13, 14)},
    {"hours": Hours(15, 1, ZoneInfo("Asia/Kolkata"))},
)
MONTH = {"since": NOON - timedelta(days=20), "until": NOON + timedelta(days=10)}
# not all: each is some statements
MIXES = [
    one | other
    for one, other in itertools.combinations(ALONE[1::2], 2)
    if one.keys() != other.keys()
]


def made(n: int) -> Call:
    """A call that differs from its neighbours in everything a list may ask for."""
    return call(
        f"rt1-{n:04}.0",
        arrived_at=NOON + timedelta(minutes=n // 2),  # two of a moment
        number=f"+749500000{n % 7:02}",
        site_id=("shop", "other", None)[n % 3],
        caller=f"+7916{n * 7 % 100:07}" if n % 10 else None,
        caller_raw="anonymous" if n % 10 == 0 else "",
        caller_name=("Мария Петрова", "Иван", "")[n % 3],
        answered_by=("PJSIP/olga", None)[n % 2],
        verdict=(Verdict.CONTESTED, Verdict.EXACT, None)[n % 3],
        ending=(Ending.CUT, Ending.ANSWERED, Ending.BUSY, Ending.NO_ANSWER)[n % 4],
        state=State.TALKING if n % 50 == 0 else State.ENDED,
        wait_seconds=float(n % 9),
        talk_seconds=float(n % 60),
        visitor_id=f"visitor-{n % 40}",
    )


async def fill(store: SqlStore) -> None:
    """Save them all, every fourth with a tag."""
    await save(store, *map(made, range(CALLS)))
    async with store.write() as session:
        await session.tags.add(
            *(
                Tag(call_id=made(n).id, name="missed", author="rule", at=NOON)
                for n in range(0, CALLS, 4)
            )
        )
