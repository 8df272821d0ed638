"""An installation of eighteen months: a million calls, with their callers and what became of
them.

It is written into the tables of the first release (revision 0007) and then migrated, so that the
migration of a great database is measured, too. Rows depend on their number alone: two databases of
one size hold the same.
"""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.bench.desk_facts import (
    DESTINATIONS,
    EMPLOYEES,
    EMPTY_SITE,
    ENDINGS,
    FIRST_NAMES,
    LAST_NAMES,
    NAMED,
    NUMBERS_OF_A_SITE,
    RARE_EMPLOYEE,
    SITES,
    VERDICTS,
    call_id,
    called,
    caller_of,
    legs_of,
    number_of,
    site_of,
    suspects_of,
)

DAYS = 550
WITH_WAVEFORM = 0.05  # of the recordings, the newest: all of them would be 7 GB of the same digits
PEAKS = json.dumps([[round(0.5 + n % 97 / 200, 3) for n in range(1000)]] * 2)
RECEIVERS = ("crm", "ga4", "hook")
Row = tuple[object, ...]

# Columns of each table, in the order of its rows; `@` a moment, `#` JSON.
COLUMNS = {
    "destination": "id name #steps send_client_id send_source dtmf_transfer @created_at",
    "site": "id name #origins region exclude contacts consent "
    "certainty #source_rules mail @created_at",
    "pool": "id site_id name hold_seconds freeze_seconds #replaces selector on_request #regions "
    "free_after_call"
    " @created_at",
    "number": "e164 site_id kind pool_id channel strays @free_at @created_at",
    "webhook": "id url active @created_at",
    "visitor": "id site_id ga_client_id @created_at",
    "visit": "id visitor_id @started_at @seen_at landing source medium campaign channel term "
    "#click_ids device browser"
    " system country region city #parameters",
    "lease": "id number pool_id visitor_id visit_id @started_at @seen_at @frozen_at @ends_at",
    "showing": "id visit_id pool_id rung reason number @at",
    "tap": "id visit_id number @at",
    "form": "id visit_id phone @at",
    "call": "id did trunk number site_id caller caller_raw caller_name @arrived_at @answered_at "
    "@ended_at state"
    " disposition ending wait_seconds talk_seconds hold_seconds destination_id "
    "answered_by routed_by #transfers #legs spool_name"
    " verdict probability #suspects #origins lease_id visitor_id visit_id source channel revision",
    "tag": "call_id name author @at",
    "recording": "call_id spool_name state expected_seconds @due_at "
    "attempts key content_type bytes sha256 "
    "seconds"
    " caller_speech_seconds caller_silence_seconds company_speech_seconds "
    "company_silence_seconds talk_over_seconds"
    " #peaks #warnings @shelved_at",
    "delivery": "id key receiver_id call_id kind #payload state attempts "
    "@due_at @deadline_at @created_at "
    "@done_at"
    " last_error receipt revision #candidates",
}


class Seed:
    """The rows of an installation with so many calls, up to `end`."""

    def __init__(self, calls: int, end: datetime) -> None:
        self.calls, self.visits = calls, calls // 3
        self.end = end
        self._start = end - timedelta(days=DAYS)

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Every table with its rows, in the order in which they may be written."""
        for name in COLUMNS:
            yield name, getattr(self, f"_{name}")()

    def arrived(self, n: int) -> datetime:
        """When a call arrived."""
        return self._at(n, self.calls)

    def _at(self, n: int, of: int) -> datetime:
        """Evenly over the time there was."""
        return self._start + (self.end - self._start) * ((n + 0.5) / of)

    def _destination(self) -> Iterator[Row]:
        for name in DESTINATIONS:
            steps = json.dumps([{"dial": f"PJSIP/{name}", "ring_seconds": 30}])
            yield name, name.title(), steps, False, False, False, self._start

    def _site(self) -> Iterator[Row]:
        for name in (*SITES, EMPTY_SITE):
            yield name, name.title(), "[]", "RU", "", "", False, 0.8, "[]", "", self._start

    def _pool(self) -> Iterator[Row]:
        for site in SITES:
            yield (
                f"{site}-pool",
                site,
                site.title(),
                1800,
                300,
                "[]",
                "",
                False,
                "[]",
                False,
                self._start,
            )

    def _number(self) -> Iterator[Row]:
        for site in SITES:
            for n in range(NUMBERS_OF_A_SITE):
                kind, pool, channel = (
                    ("dynamic", f"{site}-pool", None) if n else ("static", None, "Billboard")
                )
                yield number_of(site, n), site, kind, pool, channel, 3, self.end, self._start

    def _webhook(self) -> Iterator[Row]:
        for name in RECEIVERS:
            yield name, f"http://127.0.0.1:9/{name}", True, self._start

    def _visitor(self) -> Iterator[Row]:
        for n in range(self.visits):
            yield f"visitor-{n}", site_of(n), f"{n}.{n}", self._at(n, self.visits)

    def _visit(self) -> Iterator[Row]:
        for n in range(self.visits):
            at = self._at(n, self.visits)
            campaign = "campaign-rare" if n % 10_007 == 1 else f"campaign-{n % 40}"
            paid = ("yandex", "cpc", campaign, "Paid Search", f"term {n % 900}")
            source = paid if n % 3 else ("google", "organic", None, None, None)
            if n % 30_011 == 7:
                source = ("partner", "referral", None, "Affiliates", "rare term")
            device = ("mobile", "Chrome", "Android", "RU", "Moscow", "Moscow")
            began = (f"visit-{n}", f"visitor-{n}", at, at, "https://shop.example/")
            yield (*began, *source, '{"yclid": "1"}', *device, "{}")

    def _lease(self) -> Iterator[Row]:
        for n in range(self.visits):
            at, site = self._at(n, self.visits), site_of(n)
            seen = at + timedelta(seconds=60 + n % 400)
            frozen, ends = seen + timedelta(minutes=25), seen + timedelta(minutes=30)
            number = number_of(site, 1 + n % (NUMBERS_OF_A_SITE - 1))
            yield (
                f"lease-{n}",
                number,
                f"{site}-pool",
                f"visitor-{n}",
                f"visit-{n}",
                at,
                seen,
                frozen,
                ends,
            )

    def _showing(self) -> Iterator[Row]:
        for n in range(0, self.visits, 20):
            yield (
                f"s-{n}",
                f"visit-{n}",
                f"{site_of(n)}-pool",
                "own",
                "empty",
                None,
                self._at(n, self.visits),
            )

    def _tap(self) -> Iterator[Row]:
        """Every ninth call was tapped a minute before."""
        for n in range(0, self.calls, 9):
            visit = n // 3
            at = self._at(n, self.calls) - timedelta(seconds=60)
            yield f"tap-{n}", f"visit-{visit}", called(n), at

    def _form(self) -> Iterator[Row]:
        for n in range(0, self.calls, 40):
            yield (
                f"form-{n}",
                f"visit-{n // 3}",
                caller_of(n),
                self._at(n, self.calls) - timedelta(hours=1),
            )

    def _call(self) -> Iterator[Row]:
        for n in range(self.calls):
            yield self._one_call(n)

    def _one_call(self, n: int) -> Row:
        chance = random.Random(n)
        ending = chance.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        verdict = chance.choices(list(VERDICTS), list(VERDICTS.values()))[0]
        at, caller, visit = self._at(n, self.calls), caller_of(n), n // 3
        wait = timedelta(seconds=chance.randrange(3, 30))
        answered = at + wait if ending in {"answered", "cut"} else None
        ended = at + wait + timedelta(seconds=chance.randrange(20, 600))
        talk = (ended - answered).total_seconds() if answered else 0.0
        name = (
            f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
            if chance.random() < 0.4
            else ""
        )
        employee = EMPLOYEES[chance.randrange(len(EMPLOYEES))] if answered else None
        employee = RARE_EMPLOYEE if answered and n % 30_013 < 2 else employee
        destination = DESTINATIONS[2 if n % 30_017 == 1 else n % 5 == 0]
        mine = (
            (f"lease-{visit}", f"visitor-{visit}", f"visit-{visit}")
            if verdict in NAMED
            else (None, None, None)
        )
        suspects = json.dumps(suspects_of(visit)) if verdict in {*NAMED, "contested"} else "[]"
        who = (caller, caller[1:], name)
        when = (at, answered, ended, "ended", "ANSWERED" if answered else "NO ANSWER", ending)
        lengths = (wait.total_seconds(), talk, 0.0)
        judged = (verdict, 0.9, suspects, '[["yandex", "Paid Search", 0.9]]')
        spool = call_id(n) if answered else None
        return (
            call_id(n), called(n)[1:], "carrier", called(n), site_of(visit), *who, *when, *lengths, destination,  # noqa: E501
            employee, "agent", "[]", legs_of(n), spool, *judged, *mine, "yandex", "Paid Search", n + 1,  # noqa: E501
        )  # fmt: skip

    def _tag(self) -> Iterator[Row]:
        for n in range(self.calls):
            ending = random.Random(n).choices(list(ENDINGS), list(ENDINGS.values()))[0]
            at = self._at(n, self.calls)
            if ending not in {"answered", "cut"}:
                yield call_id(n), "missed", "rule", at
            for name, every in (("complaint", 83), ("price", 35), ("spam", 20_000)):
                if n % every == 0:
                    yield call_id(n), name, "anna", at
            if self.calls // 10 <= n < self.calls // 9:
                yield call_id(n), "old", "anna", at

    def _recording(self) -> Iterator[Row]:
        for n in range(self.calls):
            if n % 5 >= 3:
                continue
            at = self._at(n, self.calls)
            peaks = PEAKS if n > self.calls * (1 - WITH_WAVEFORM) else "[]"
            kept = (
                f"2026/01/01/{n}.mp3",
                "audio/mpeg",
                240_000,
                "0" * 64,
                120.0,
                50.0,
                70.0,
                60.0,
                60.0,
                3.0,
            )
            yield (call_id(n), call_id(n), "shelved", 120.0, at, 0, *kept, peaks, "[]", at)

    def _delivery(self) -> Iterator[Row]:
        for n in range(self.calls):
            at, key = self._at(n, self.calls), f"{call_id(n)}:call.ended"
            state = "dead" if n % 335 == 0 else "undecided" if n % 2252 == 1 else "done"
            receiver = "crm" if state == "undecided" else RECEIVERS[n % len(RECEIVERS)]
            yield (
                f"d-{n:08}", key, receiver, call_id(n), "call.ended", '{"event": "call.ended"}', state, 1, at,  # noqa: E501
                at + timedelta(days=2), at, at if state == "done" else None, None, "200", 1, "[]",
            )  # fmt: skip
