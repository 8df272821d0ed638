"""What a supervisor, a marketer and a program ask for: every page, and every filter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from router.service.calls.browse import written_cursor
from router.web.api.calls import sealed
from tests.bench.desk_facts import call_id, caller_of
from tests.bench.desk_filters import filters, opened_from, some_call
from tests.bench.desk_rest import more_filters, more_forms, more_pages, more_programs
from tests.bench.desk_seed import DAYS, Seed

ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; of a stream its first byte alone is waited for."""

    name: str
    path: str
    first_byte: bool = False
    forms: tuple[str, ...] = ()  # sent one after the other


def requests(seed: Seed, end: datetime) -> Iterator[Request]:
    """All of them."""
    yield Request(name="healthz", path="/healthz")
    for name, wanted in {**filters(seed, end), **more_filters(seed, end)}.items():
        yield _get(f"calls: {name}", "/calls", wanted)
    yield from _pages(seed, end)
    yield from _call_pages(seed)
    yield from _exports(end)
    yield from _changes(seed)
    yield from _other_pages(seed, end)
    yield from _pages_of_rules(seed)
    yield from _programs(seed, end)
    yield from _other_programs(seed, end)
    for name, path, values in more_pages(seed, end):
        yield _get(name, path, values)
    for name, path, values in more_programs(seed, end):
        yield _get(f"api {name}", f"/api/v1/{path}", values)
    for name, path, forms in more_forms(seed):
        yield Request(name=name, path=path, forms=forms)


def _get(name: str, path: str, values: object = (), *, first_byte: bool = False) -> Request:
    query = urlencode(values, doseq=True)  # type: ignore[call-overload]
    return Request(name=name, path=f"{path}?{query}" if query else path, first_byte=first_byte)


def _pages(seed: Seed, end: datetime) -> Iterator[Request]:
    """The list of calls further down."""
    for page in (2, 200, 15_000):
        yield _get(f"calls: page {page:,}", "/calls", {"cursor": _cursor(seed, end, page)})
    deep = _cursor(seed, end, 200)
    further = {
        "first=yes": {"first": "yes"},
        "not answered": {"not_ending": "answered"},
        "tag complaint": {"tag": "complaint"},
        "text мария": {"text": "мария"},
        "employee nobody": {"employee": "nobody"},
        "no tag": {"tag": "-"},
    }
    for name, wanted in further.items():
        yield _get(f"calls: {name}, page 200", "/calls", {**wanted, "cursor": deep})
    for name in ("source", "campaign", "term", "channel", "employee", "tag"):
        yield _get(f"values of {name}", f"/calls/values/{name}")
    yield _get("live: first byte", "/live", {"since_revision": seed.calls}, first_byte=True)
    yield _get("live from the beginning", "/live", {"since_revision": 0}, first_byte=True)
    yield _get("recordings of a year", "/calls/recordings", {"since": "2025-11-30"})
    yield _get("recordings of all calls", "/calls/recordings")


def _call_pages(seed: Seed) -> Iterator[Request]:
    newest, older = call_id(seed.calls - 45), some_call(seed)
    yield _get("call page", f"/calls/{newest}")
    yield _get("call page with a transcript", f"/calls/{older}")
    for name, wanted in opened_from(seed).items():
        query = urlencode(wanted, doseq=True) or "period="
        yield _get(f"call page in the list {name}", f"/calls/{older}", {"in": query})
    yield _get("call page in a sample", f"/calls/{newest}", {"sample": "sample-000"})
    yield _get("peaks", f"/api/v1/calls/{newest}/peaks")
    yield _get("marks", f"/api/v1/calls/{older}/marks")
    yield _get("api comments", f"/api/v1/calls/{older}/comments")
    yield _get("api transcript", f"/api/v1/calls/{older}/transcript")
    yield _get("api one call", f"/api/v1/calls/{newest}")


def _exports(end: datetime) -> Iterator[Request]:
    """Exports: what is measured is their beginning."""
    month = {"since": (end - timedelta(days=30)).date(), "until": end.date()}
    wanted: dict[str, dict[str, object]] = {
        "all": {},
        "month": {**month},
        "tag missed": {"tag": "missed"},
        "tag spam": {"tag": "spam"},
        "employee nobody": {"employee": "nobody"},
        "text no match": {"text": "никогоживого"},
    }
    for name, values in wanted.items():
        yield _get(f"export csv: {name}", "/calls/export.csv", values, first_byte=True)
    yield _get("api export csv: all", "/api/v1/calls/export.csv", first_byte=True)
    yield _get("export xlsx: tag spam", "/calls/export.xlsx", {"tag": "spam"})


def _changes(seed: Seed) -> Iterator[Request]:
    """The first step of a change of many calls: one transaction."""
    marked = [("call", call_id(seed.calls // 3 + n)) for n in range(50)]
    pairs = {"tag": ("tag", "untag"), "review": ("review", "unreview")}
    for name, actions in pairs.items():
        forms = tuple(
            urlencode([("action", action), ("name", "measured"), *marked]) for action in actions
        )
        yield Request(name=f"bulk: {name} 50 calls", path="/calls/bulk", forms=forms)


def _other_pages(seed: Seed, end: datetime) -> Iterator[Request]:
    paths = ("/missed", "/missed?days=30", "/missed?site=english", "/missed?days=30&site=english")
    for path in (*paths, "/board", "/samples"):
        yield _get(path, path)
    yield _get("/missed, done, page 20", "/missed", {"cursor": _cursor(seed, end, 400)})
    yield _get("one sample", "/samples/sample-000")
    yield _get("next of a sample", "/samples/sample-000/next")
    yield _get("/tags", "/tags")
    yield _get("/tags, some", "/tags", {"text": "e"})
    yield _get("deliveries", "/deliveries")
    yield _get("pools", "/pools")
    yield _get("one pool", "/pools/shop-pool")
    yield _get("reliability, 90 days", "/reliability")
    yield _get("reliability of english", "/reliability", {"site": "english"})
    since = (end - timedelta(days=400)).date()
    yield _get("reliability, 400 days", "/reliability", {"since": since})


def _pages_of_rules(seed: Seed) -> Iterator[Request]:
    """Rules, spam and scores."""
    scored = call_id(seed.calls // 2 + 25)
    yield _get("/rules", "/rules")
    rules: dict[str, dict[str, object]] = {
        "english + long talk": {"site": "english", "talk_from": 590},
        "not answered": {"not_ending": "answered"},
        "no match": {"text": "никогоживого"},
        "two common words": {"text": "доставка шины"},
        "employee nobody": {"employee": "nobody"},
        "keys": {"keys": "*7"},
    }
    for name, wanted in rules.items():
        yield _get(f"new rule: {name}", "/rules/new", wanted)
    for path in ("/spam", "/spam?text=916", "/scores", "/scores?weeks=26", "/scores/mine"):
        yield _get(path, path)
    yield _get("one score", f"/scores/score-{seed.calls // 2 + 25}-boss-1")
    yield _get("call page with a score", f"/calls/{scored}")
    yield _get("/cards", "/cards")
    yield _get("one card", "/cards/card-1")
    for path in ("rules", "spam", "cards", "scores/averages", "scores/agreement", "numbers"):
        yield _get(f"api {path}", f"/api/v1/{path}")
    yield _get("api call-backs", "/api/v1/call-backs")


def _programs(seed: Seed, end: datetime) -> Iterator[Request]:
    """Lists of calls as programs ask for them."""
    calls = seed.calls
    asked: dict[str, dict[str, object]] = {
        "since= a day ago": {"since": (end - timedelta(days=1)).isoformat()},
        "limit=200": {"limit": 200},
        "after=0": {"after": 0},
        "after=0 limit=200": {"after": 0, "limit": 200},
        "after=newest-10": {"after": calls - 10},
        "after, filter without match": {"after": calls // 2, "limit": 200, "site_id": "empty"},
        "caller=": {"caller": caller_of(calls // 2)},
        "state=talking": {"state": "talking"},
        "text no match": {"text": "nobody at all"},
        "page 15,000": {"cursor": sealed(_cursor(seed, end, 15_000))},
    }
    for name, values in asked.items():
        yield _get(f"api {name}", "/api/v1/calls", values)


def _other_programs(seed: Seed, end: datetime) -> Iterator[Request]:
    deliveries = {
        "failed": {"state": "failed"},
        "failed of one receiver": {"state": "failed", "receiver": "ga4"},
        "needs review of one without": {"state": "needs_review", "receiver": "hook"},
    }
    for name, values in deliveries.items():
        yield _get(f"api deliveries {name}", "/api/v1/deliveries", values)
    yield _get("api missed", "/api/v1/missed")
    yield _get("api missed, closed", "/api/v1/missed", {"state": "closed", "limit": 200})
    yield _get("api board", "/api/v1/board")
    yield _get("api tags", "/api/v1/tags")
    yield _get("api views", "/api/v1/views")
    yield _get("api samples", "/api/v1/samples")
    yield _get("api one sample", "/api/v1/samples/sample-000")
    yield _get("api causes of a receiver", "/api/v1/receivers/ga4/causes")
    yield _get("one receiver", "/receivers/ga4")


def _cursor(seed: Seed, end: datetime, page: int) -> str:
    """Where so many pages end."""
    return written_cursor(end - timedelta(days=DAYS) * (page * ROWS / seed.calls), "~")
