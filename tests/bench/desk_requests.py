"""What a supervisor, a marketer and a program ask for: every page and filter, common and rare, and
their mixes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from router.domain.calls.saved_view import BUILT_IN
from router.service.calls.browse import written_cursor
from router.web.api.calls import sealed
from tests.bench.desk_facts import EMPLOYEES, call_id, caller_of, number_of
from tests.bench.desk_seed import DAYS, Seed

ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; of a stream its first byte alone is waited for."""

    name: str
    path: str
    first_byte: bool = False


def requests(seed: Seed, end: datetime) -> Iterator[Request]:
    """All of them."""
    yield Request(name="healthz", path="/healthz")
    for name, filters in _filters(seed, end).items():
        yield Request(name=f"calls: {name}", path=f"/calls?{urlencode(filters, doseq=True)}")
    yield from _exports(seed, end)
    for page in (2, 200, 15_000):
        yield Request(
            name=f"calls: page {page:,}",
            path=f"/calls?{urlencode({'cursor': _cursor(seed, end, page)})}",
        )
    newest = call_id(seed.calls - 5)
    yield Request(name="call page", path=f"/calls/{newest}")
    yield Request(name="peaks", path=f"/api/v1/calls/{newest}/peaks")
    yield Request(
        name="live: first byte", path=f"/live?since_revision={seed.calls}", first_byte=True
    )
    yield Request(name="live from the beginning", path="/live?since_revision=0", first_byte=True)
    yield Request(name="deliveries", path="/deliveries")
    yield Request(name="pools", path="/pools")
    yield Request(name="one pool", path="/pools/shop-pool")
    yield Request(name="reliability, 90 days", path="/reliability")
    since = (end - timedelta(days=400)).date()
    yield Request(name="reliability, 400 days", path=f"/reliability?since={since}")
    yield from _programs(seed, end)


def _filters(seed: Seed, end: datetime) -> dict[str, dict[str, object]]:
    day = {"since": (end - timedelta(days=3)).date(), "until": (end - timedelta(days=3)).date()}
    month = {"since": (end - timedelta(days=30)).date(), "until": end.date()}
    old = {"since": (end - timedelta(days=430)).date(), "until": (end - timedelta(days=400)).date()}
    number, whole = number_of("shop", 3), caller_of(seed.calls // 2)
    return {
        "first page": {},
        "ending answered (60 %)": {"ending": "answered"},
        "ending unreachable (2.5 %)": {"ending": "unreachable"},
        "ending cut (1.5 %)": {"ending": "cut"},
        "verdict exact": {"verdict": "exact"},
        "verdict contested (7 %)": {"verdict": "contested"},
        "site shop (30 %)": {"site": "shop"},
        "site english (3 %)": {"site": "english"},
        "site without calls": {"site": "empty"},
        "number": {"number": number},
        "tag missed (38 %)": {"tag": "missed"},
        "tag complaint (1.2 %)": {"tag": "complaint"},
        "tag spam (50 calls)": {"tag": "spam"},
        "tag nobody set": {"tag": "nobody"},
        "day": day,
        "month": month,
        "text 4567": {"text": "4567"},
        "text 45-67": {"text": "45-67"},
        "text 567": {"text": "567"},
        "text 67": {"text": "67"},
        "text 7": {"text": "7"},
        "text 916": {"text": "916"},
        "text 8 916": {"text": "8 916"},
        "text whole number": {"text": f"8 ({whole[2:5]}) {whole[5:8]}-{whole[8:10]}-{whole[10:]}"},
        "text rare 9161234": {"text": "9161234"},
        "text мария": {"text": "мария"},
        "text мария петров": {"text": "мария петров"},
        "text no match": {"text": "никогоживого"},
        "text of one letter": {"text": "я"},
        "text of an employee": {"text": "olga-101"},
        "day + text 4567": {"text": "4567", **day},
        "month + text no match": {"text": "никогоживого", **month},
        "old month + text мария": {"text": "мария", **old},
        "old month + text 8 916": {"text": "8 916", **old},
        "day + ending no_answer": {"ending": "no_answer", **day},
        "day + tag missed": {"tag": "missed", **day},
        "old month + tag missed": {"tag": "missed", **old},
        "old month + tag complaint": {"tag": "complaint", **old},
        "month + english + unreachable": {"site": "english", "ending": "unreachable", **month},
        "english + contested + cut": {"site": "english", "verdict": "contested", "ending": "cut"},
        "shop + contested + cut": {"site": "shop", "verdict": "contested", "ending": "cut"},
        "english + tag complaint": {"site": "english", "tag": "complaint"},
        "site without calls + tag missed": {"site": "empty", "tag": "missed"},
        "site without calls + text мария": {"site": "empty", "text": "мария"},
        "number + ending cut": {"number": number, "ending": "cut"},
        **_facets(month, old),
        "tag complaint + text мария": {"tag": "complaint", "text": "мария"},
        "tag spam + text 8 916": {"tag": "spam", "text": "8 916"},
    }


def _facets(month: dict[str, object], old: dict[str, object]) -> dict[str, dict[str, object]]:
    """Filters that compare facets, alone and in a month."""
    several = ["unreachable", "cut", "busy"]
    alone: dict[str, dict[str, object]] = {
        "campaign common (2 %)": {"campaign": "campaign-7"},
        "campaign rare": {"campaign": "campaign-rare"},
        "campaign nobody used": {"campaign": "nobody"},
        "not campaign": {"not_campaign": "campaign-7"},
        "employee": {"employee": EMPLOYEES[0]},
        "employee nobody": {"employee": "nobody"},
        "talk 2 to 3 minutes": {"talk_from": 120, "talk_to": 180},
        "talk longer than any": {"talk_from": 7200},
        "wait 25 s and longer": {"wait_from": 25},
        "first=yes": {"first": "yes"},
        "first=no": {"first": "no"},
        "recorded=yes": {"recorded": "yes"},
        "several endings": {"ending": several},
        "not several endings": {"not_ending": several},
        "several sites + several verdicts": {
            "site": ["english", "shop"],
            "verdict": ["contested", "exact"],
        },
        "not tag missed": {"not_tag": "missed"},
        "probability 80 to 95 %": {"probability_from": 80, "probability_to": 95},
    }
    windows = {
        "month + campaign rare": {"campaign": "campaign-rare", **month},
        "month + employee": {"employee": EMPLOYEES[0], **month},
        "month + first=yes": {"first": "yes", **month},
        "month + talk 2 to 3 minutes": {"talk_from": 120, "talk_to": 180, **month},
        "month + not several endings": {"not_ending": several, **month},
        "old month + campaign common": {"campaign": "campaign-7", **old},
        "old month + first=no": {"first": "no", **old},
        "30d, first=yes, english": {"period": "30d", "first": "yes", "site": "english"},
    }
    built_in = {f"view {name}": {"view": name} for name in BUILT_IN}
    return {**alone, **windows, **built_in}


def _exports(seed: Seed, end: datetime) -> Iterator[Request]:
    """Exports: what is measured is their beginning."""
    month = {"since": (end - timedelta(days=30)).date(), "until": end.date()}
    for name, filters in {"all": {}, "month": month, "tag missed": {"tag": "missed"}}.items():
        yield Request(
            name=f"export csv: {name}",
            path=f"/calls/export.csv?{urlencode(filters)}",
            first_byte=True,
        )
    deep = {"first": "yes", "cursor": _cursor(seed, end, 200)}
    yield Request(name="calls: first=yes, page 200", path=f"/calls?{urlencode(deep)}")
    busy = {"not_ending": "answered", "cursor": _cursor(seed, end, 200)}
    yield Request(name="calls: not answered, page 200", path=f"/calls?{urlencode(busy)}")


def _programs(seed: Seed, end: datetime) -> Iterator[Request]:
    calls, newest = seed.calls, call_id(seed.calls - 5)
    since = (end - timedelta(days=1)).isoformat()
    asked: dict[str, dict[str, object]] = {
        "since= a day ago": {"since": since},
        "limit=200": {"limit": 200},
        "after=0": {"after": 0},
        "after=0 limit=200": {"after": 0, "limit": 200},
        "after=newest-10": {"after": calls - 10},
        "after, filter without match": {"after": calls // 2, "limit": 200, "site_id": "empty"},
        "caller=": {"caller": caller_of(calls // 2)},
        "state=talking (none)": {"state": "talking"},
        "text no match": {"text": "nobody at all"},
        "page 15,000": {"cursor": sealed(_cursor(seed, end, 15_000))},
    }
    for name, values in asked.items():
        yield Request(name=f"api {name}", path=f"/api/v1/calls?{urlencode(values)}")
    yield Request(name="api one call", path=f"/api/v1/calls/{newest}")
    yield Request(name="api deliveries failed", path="/api/v1/deliveries?state=failed")
    yield Request(
        name="api deliveries failed of one receiver",
        path="/api/v1/deliveries?state=failed&receiver=ga4",
    )
    yield Request(
        name="api deliveries needs review of one without",
        path="/api/v1/deliveries?state=needs_review&receiver=hook",
    )


def _cursor(seed: Seed, end: datetime, page: int) -> str:
    """Where so many pages end."""
    return written_cursor(end - timedelta(days=DAYS) * (page * ROWS / seed.calls), "~")
