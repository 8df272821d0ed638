"""The remaining pages and filters: what is not (`not_…`) of each kind, many values of one kind, the
longest texts, pages of one thing, and what forms show before they change anything.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode

from router.domain.calls.call_query import LONGEST, MOST_VALUES
from tests.bench.desk_facts import EMPLOYEES, RARE_EMPLOYEE, call_id, called, caller_of, number_of
from tests.bench.desk_filters import Filters
from tests.bench.desk_many import EVERY
from tests.bench.desk_seed import Seed

Asked = tuple[str, str, object]  # name, path, query


def more_filters(seed: Seed, end: datetime) -> Filters:
    """Filters of the list of calls, by a name for the table."""
    newest = seed.calls - EVERY
    month = {"since": (end - timedelta(days=30)).date()}
    return {
        **_nots(seed),
        **_longest(),
        "one of 10,000 tags": {"tag": f"many-{newest // EVERY % 10_000:05}"},
        "one of 10,000 campaigns": {"campaign": f"spring-visit-{newest // 3}"},
        "one of 10,000 employees": {"employee": f"agent-{call_id(newest)}"},
        "20 campaigns": {"campaign": [f"campaign-{n}" for n in range(MOST_VALUES)]},
        "20 employees": {"employee": list(EMPLOYEES[:MOST_VALUES])},
        "20 of 10,000 tags": {"tag": [f"many-{n:05}" for n in range(MOST_VALUES)]},
        "20 callers": {"caller": [caller_of(n) for n in range(MOST_VALUES)]},
        "text spring": {"text": "spring"},
        "text agent": {"text": "agent"},
        "text spring agent": {"text": "spring agent"},
        "month + text agent": {"text": "agent", **month},
        "month + text мария петров": {"text": "мария петров", **month},
        "month + english + first": {"site": "english", "first": "yes", **month},
        "month + not recorded + answered": {"recorded": "no", "ending": "answered", **month},
        "english + text 4567": {"site": "english", "text": "4567"},
        "english + text 916": {"site": "english", "text": "916"},
        "site empty + text 916": {"site": "empty", "text": "916"},
        "cut + text доставка": {"ending": "cut", "text": "доставка"},
        "rare employee + text мария": {"employee": RARE_EMPLOYEE, "text": "мария"},
        "spam + text мария": {"spam": "yes", "text": "мария"},
        "first + not missed": {"first": "yes", "not_tag": "missed"},
        "reviewed + not complaint": {"reviewed": "yes", "not_tag": "complaint"},
        "CRM record + english": {"record": str(5_000_003), "site": "english"},
    }


def _nots(seed: Seed) -> Filters:
    return {
        "not number": {"not_number": number_of("shop", 3)},
        "not source yandex": {"not_source": "yandex"},
        "not source yandex, google, partner": {"not_source": ["yandex", "google", "partner"]},
        "not term": {"not_term": "term 7"},
        "not term unknown": {"not_term": "-"},
        "not destination": {"not_destination": "office"},
        "not both destinations": {"not_destination": ["office", "sales"]},
        "not verdict exact": {"not_verdict": "exact"},
        "not scored": {"not_scored": "-"},
        "not scored + english": {"not_scored": "-", "site": "english"},
        "not direction incoming (none)": {"not_direction": "incoming"},
        "not visitor": {"not_visitor": f"visitor-{seed.visits // 2}"},
        "not visitor unknown": {"not_visitor": "-"},
        "no visitor": {"visitor": "-"},
        "not tags": {"not_tag": ["missed", "complaint", "price"]},
        "not employee known": {"not_employee": "-"},
        "not campaign known": {"not_campaign": "-"},
        "source unknown": {"source": "-"},
        "channel unknown": {"channel": "-"},
    }


def _longest() -> Filters:
    """The longest texts that are read, of nobody, of digits and of common words."""
    words = "доставка размер шина мария петров цена склад оплата заказ адрес магазин клиент"
    return {
        "longest text of nobody": {"text": "щ" * LONGEST},
        "longest text of digits": {"text": "9161234567" * (LONGEST // 10)},
        "longest text of common words": {"text": words[:LONGEST]},
        "longest text of short words": {"text": "а и о у " * (LONGEST // 8)},
        "longest text of short digits": {"text": "7 8 а 9 1 а " * (LONGEST // 12)},
    }


def more_pages(seed: Seed, end: datetime) -> Iterator[Asked]:
    """Pages of one thing, parts that pages fetch, and the search of lists within them."""
    newest, older = call_id(seed.calls - 45), call_id(seed.calls // 50 * 25)
    some = f"/calls/{older}"
    yield "login", "/login", {}
    yield "opening page", "/", {}
    for which in ("newer", "older"):
        for name, query in (("no filter", "period="), ("employee nobody", "employee=nobody")):
            yield f"{which} call, {name}", f"{some}/beside/{which}", {"in": query}
    yield "call with many candidates", f"/calls/{call_id(seed.calls - 60)}", {}
    yield "changes of the list", "/live/changes", {"since_revision": seed.calls - 20}
    yield "changes of a call", f"{some}/live/changes", {"since_revision": seed.calls - 20}
    yield "values of scored", "/calls/values/scored", {}
    yield "/tags, one of 10,000", "/tags", {"text": "many-0777"}
    yield "/tags, none", "/tags", {"text": "nothing of this"}
    yield "one tag (38 %)", "/tags/change", {"name": "missed"}
    yield "one tag of 10,000", "/tags/change", {"name": "many-00007"}
    yield "/words", "/words", {}
    yield "new word list", "/words/new", {}
    yield "word list of common words", "/words/list-000", {}
    yield "word list of a rare word", "/words/list-001", {}
    yield "new card", "/cards", {}
    yield "scores of another month", "/scores", {"last": (end - timedelta(days=60)).date()}
    for state in ("needs_review", "failed", "done"):
        cursor = f"{(end - timedelta(days=200)).isoformat()}~d-x"
        yield f"deliveries, more {state}", "/deliveries", {"more": state, "cursor": cursor}
    yield "spam, longest text", "/spam", {"text": "9" * 40}
    yield "spam, a whole number", "/spam", {"text": caller_of(17)}
    yield "missed, of a site without", "/missed", {"site": "empty"}
    yield "peaks of an old call", f"/api/v1/calls/{older}/peaks", {}
    yield "listeners", f"/api/v1/calls/{newest}/listeners", {}


def more_programs(seed: Seed, end: datetime) -> Iterator[Asked]:
    """Lists that programs ask for."""
    some = call_id(seed.calls // 2 + 25)
    month = (end - timedelta(days=30)).isoformat()
    yield "word lists", "word-lists", {}
    yield "mails", "mails", {}
    yield "mails, 200 of english", "mails", {"site_id": "english", "limit": 200, "before": month}
    yield "one number", f"numbers/{called(7)}", {}
    yield "entities of a call", f"calls/{call_id(3)}/entities", {}
    yield "scores of a call", f"calls/{some}/scores", {}
    yield "open disputes", "scores/disputes", {}
    yield "settled disputes", "scores/disputes", {"settled": "true"}
    yield "receivers", "receivers", {}
    yield "connections", "connections", {}
    yield "routes", "rules", {}
    yield "deliveries", "deliveries", {}
    yield "deliveries done, 200", "deliveries", {"state": "done", "limit": 200}
    yield "missed, 200 closed of english", "missed", {
        "state": "closed", "site_id": "english", "limit": 200,
    }  # fmt: skip
    for name, values in _api_filters().items():
        yield f"calls, {name}", "calls", {**values, "limit": 200}


def _api_filters() -> Filters:
    return {
        "text мария": {"text": "мария"},
        "text of a common word": {"text": "доставка"},
        "text 4567": {"text": "4567"},
        "tag missed": {"tag": "missed"},
        "english, cut": {"site_id": "english", "ending": "cut"},
        "employee nobody": {"employee": "nobody"},
    }


def more_forms(seed: Seed) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Forms that show what they would do, or change nothing: name, path, bodies."""
    phrases = {"a rare word": "слово77", "a common word": "доставка", "none": "нет такого"}
    for name, typed in phrases.items():
        yield f"try words, {name}", "/words/try", (urlencode({"tag": "x", "phrases": typed}),)
    rare = urlencode({"action": "untag", "name": "measured"})
    yield (
        "bulk: untag all of a rare employee",
        f"/calls/bulk?employee={RARE_EMPLOYEE}",
        (f"{rare}&everything=true",),
    )
    marked = urlencode([("call", call_id(seed.calls // 3 + n)) for n in range(50)])
    yield "export csv: 50 marked calls", "/calls/export.csv", (marked,)
