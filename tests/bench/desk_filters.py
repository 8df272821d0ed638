"""Filters of the list of calls, common and rare, alone and mixed, as addresses say them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from router.domain.calls.call_filter import FLAGS
from router.domain.calls.call_order import OrderBy
from router.domain.calls.saved_view import BUILT_IN
from tests.bench.desk_extras import RARE_WORD
from tests.bench.desk_facts import EMPLOYEES, RARE_EMPLOYEE, call_id, caller_of, number_of
from tests.bench.desk_seed import Seed

Filters = dict[str, dict[str, object]]


def filters(seed: Seed, end: datetime) -> Filters:
    """All of them, by a name for the table."""
    periods = _periods(end)
    found: Filters = {
        "first page": {},
        **_choices(seed),
        **_figures(),
        **_texts(seed),
        **periods,
        **_mixes(),
    }
    for name, filters in _in_periods().items():
        for period in ("day", "month", "old month"):
            found[f"{period} + {name}"] = {**filters, **periods[period]}
    return found | {f"view {name}": {"view": name} for name in (*BUILT_IN, "view-003")}


def _periods(end: datetime) -> Filters:
    def days(first: int, last: int) -> Mapping[str, object]:
        since, until = end - timedelta(days=first), end - timedelta(days=last)
        return {"since": since.date(), "until": until.date()}

    return {
        "day": {**days(3, 3)},
        "month": {**days(30, 0)},
        "old month": {**days(430, 400)},
        "before the first call": {**days(900, 800)},
    }


def _choices(seed: Seed) -> Filters:
    several = ["unreachable", "cut", "busy"]
    return {
        "ending answered (60 %)": {"ending": "answered"},
        "ending cut (1.5 %)": {"ending": "cut"},
        "ending lost in a transfer (none)": {"ending": "lost_in_transfer"},
        "several endings": {"ending": several},
        "not several endings": {"not_ending": several},
        "verdict exact (30 %)": {"verdict": "exact"},
        "verdict contested (7 %)": {"verdict": "contested"},
        "verdict not known (none)": {"verdict": "-"},
        "site shop (30 %)": {"site": "shop"},
        "site english (3 %)": {"site": "english"},
        "site empty (none)": {"site": "empty"},
        "not site shop": {"not_site": "shop"},
        "number": {"number": number_of("shop", 3)},
        "number nobody called": {"number": "+74950000000"},
        "several numbers": {"number": [number_of("shop", n) for n in range(4, 8)]},
        "caller": {"caller": caller_of(seed.calls // 2)},
        "caller nobody is": {"caller": "+79990000000"},
        "not caller": {"not_caller": caller_of(seed.calls // 2)},
        "source yandex": {"source": "yandex"},
        "source partner (30 calls)": {"source": "partner"},
        "source nobody": {"source": "nobody"},
        "campaign common (2 %)": {"campaign": "campaign-7"},
        "campaign rare (100 calls)": {"campaign": "campaign-rare"},
        "campaign nobody": {"campaign": "nobody"},
        "several rare campaigns": {"campaign": ["campaign-rare", "nobody", "nothing"]},
        "not campaign": {"not_campaign": "campaign-7"},
        "campaign not known": {"campaign": "-"},
        "term common": {"term": "term 7"},
        "term rare (30 calls)": {"term": "rare term"},
        "term nobody": {"term": "nobody"},
        "channel Paid Search": {"channel": "Paid Search"},
        "channel Affiliates (30 calls)": {"channel": "Affiliates"},
        "channel nobody": {"channel": "nobody"},
        "not channel Paid Search": {"not_channel": "Paid Search"},
        "destination office (80 %)": {"destination": "office"},
        "destination warehouse (33 calls)": {"destination": "warehouse"},
        "destination nobody": {"destination": "nobody"},
        "employee": {"employee": EMPLOYEES[0]},
        "employee rare (40 calls)": {"employee": RARE_EMPLOYEE},
        "employee nobody": {"employee": "nobody"},
        "several employees": {"employee": [EMPLOYEES[0], RARE_EMPLOYEE]},
        "not employee": {"not_employee": EMPLOYEES[0]},
        "employee not known": {"employee": "-"},
        "direction outgoing (none)": {"direction": "outgoing"},
        "direction incoming": {"direction": "incoming"},
        "scored": {"scored": EMPLOYEES[0]},
        "scored nobody": {"scored": "nobody"},
        "state talking (40 calls)": {"state": "talking"},
        "state ringing (none)": {"state": "ringing"},
        "not state ended": {"not_state": "ended"},
        "tag missed (38 %)": {"tag": "missed"},
        "tag complaint (1.2 %)": {"tag": "complaint"},
        "tag spam (50 calls)": {"tag": "spam"},
        "tag old (111,111 calls, the newest a year ago)": {"tag": "old"},
        "tag nobody set": {"tag": "nobody"},
        "several tags": {"tag": ["spam", "complaint"]},
        "several rare tags": {"tag": ["spam", "nobody"]},
        "no tag at all": {"tag": "-"},
        "not tag missed": {"not_tag": "missed"},
        "any tag": {"not_tag": "-"},
        "visitor": {"visitor": f"visitor-{seed.visits // 2}"},
        "visitor nobody": {"visitor": "nobody"},
        "CRM record": {"record": str(5_000_000 + seed.calls // 100 * 50 + 3)},
        "CRM record nobody": {"record": "4"},
    }


def _figures() -> Filters:
    return {
        "talk 2 to 3 minutes": {"talk_from": 120, "talk_to": 180},
        "talk 10 minutes and longer (rare)": {"talk_from": 597},
        "talk longer than any": {"talk_from": 7200},
        "wait 25 s and longer": {"wait_from": 25},
        "wait longer than any": {"wait_from": 600},
        "wait shorter than any": {"wait_to": 1},
        "silence 30 s and longer": {"silence_from": 30},
        "silence longer than any": {"silence_from": 600},
        "talk-over longer than any": {"talk_over_from": 600},
        "talk-over 10 s and longer": {"talk_over_from": 10},
        "probability 80 to 95 %": {"probability_from": 80, "probability_to": 95},
        "probability of none": {"probability_to": 5},
        "score 50 and more": {"score_from": 50},
        "score of none": {"score_from": 101},
        **_sorted(),
        "sort talk + english": {"sort": "talk", "site": "english"},
        "sort talk + complaint": {"sort": "talk", "tag": "complaint"},
        "sort wait + spam": {"sort": "wait", "tag": "spam"},
        "sort talk + day": {"sort": "talk", "since": "2026-11-27", "until": "2026-11-27"},
        "sort talk + employee nobody": {"sort": "talk", "employee": "nobody"},
        "sort talk + text мария": {"sort": "talk", "text": "мария"},
        "keys *7 (none)": {"keys": "*7"},
        **{f"{name}={value}": {name: value} for name in FLAGS for value in ("yes", "no")},
        "target + spam (none)": {"target": "yes", "spam": "yes"},
        "spam + english": {"spam": "yes", "site": "english"},
        "to_review + cut": {"to_review": "yes", "ending": "cut"},
        "target + rare employee": {"target": "yes", "employee": RARE_EMPLOYEE},
        "score 90 and more + english": {"score_from": 90, "site": "english"},
    }


def _sorted() -> Filters:
    """In every order, and at hours of the day."""
    night = {"hour_from": 2, "hour_to": 3}
    return {
        **{
            f"sort {order}{up}": {"sort": f"{order}{up}"} for order in OrderBy for up in ("", ".up")
        },
        "sort probability + spam": {"sort": "probability", "spam": "yes"},
        "sort silence + to_review": {"sort": "silence", "to_review": "yes"},
        "sort score + month": {"sort": "score", "since": "2026-10-31"},
        "sort wait + target": {"sort": "wait", "target": "yes"},
        "sort talk + hours at night": {"sort": "talk", **night},
        "sort talk.up + not answered": {"sort": "talk.up", "not_ending": "answered"},
        "sort talk + text 4567": {"sort": "talk", "text": "4567"},
        "hours 9 to 11": {"hour_from": 9, "hour_to": 11},
        "hours at night + english": {**night, "site": "english"},
        "hours at night + english + cut": {**night, "site": "english", "ending": "cut"},
        "hours at night + tag complaint": {**night, "tag": "complaint"},
        "hours at night + text мария": {**night, "text": "мария"},
        "hours at night + employee nobody": {**night, "employee": "nobody"},
    }


def _texts(seed: Seed) -> Filters:
    whole = caller_of(seed.calls // 2)
    spelled = f"8 ({whole[2:5]}) {whole[5:8]}-{whole[8:10]}-{whole[10:]}"
    texts = {
        "4567": "4567",
        "45-67": "45-67",
        "567": "567",
        "67": "67",
        "7": "7",
        "916": "916",
        "8 916": "8 916",
        "whole number": spelled,
        "rare 9161234": "9161234",
        "мария": "мария",
        "мария петров": "мария петров",
        "мария 4567": "мария 4567",
        "no match": "никогоживого",
        "no match of two words": "никогоживого мария",
        "one letter": "я",
        "an employee": "olga-101",
        "a rare employee": RARE_EMPLOYEE,
        "a campaign": "campaign-rare",
        "a common word of transcripts": "доставки",
        "two common words of transcripts": "доставка шины",
        "three common words of transcripts": "доставка склад заказ",
        "a rare word of transcripts and comments": RARE_WORD,
        "a word of 13 transcripts": "слово77",
        "a rare and a common word of transcripts": "слово77 доставка",
        "a word of transcripts + 916": "доставка 916",
        "a CRM record": str(5_000_000 + seed.calls // 100 * 50 + 3),
    }
    return {f"text {name}": {"text": text} for name, text in texts.items()}


def _mixes() -> Filters:
    number = number_of("shop", 3)
    return {
        "english + contested + cut": {"site": "english", "verdict": "contested", "ending": "cut"},
        "shop + contested + cut": {"site": "shop", "verdict": "contested", "ending": "cut"},
        "english + tag complaint": {"site": "english", "tag": "complaint"},
        "site empty + tag missed": {"site": "empty", "tag": "missed"},
        "site empty + text мария": {"site": "empty", "text": "мария"},
        "number + ending cut": {"number": number, "ending": "cut"},
        "answered + tag missed (none)": {"ending": "answered", "tag": "missed"},
        "answered + not answered by any": {"ending": "answered", "employee": "-"},
        "no answer + talk": {"ending": "no_answer", "talk_from": 10},
        "no answer + employee (none)": {"ending": "no_answer", "employee": EMPLOYEES[0]},
        "missed + recorded": {"tag": "missed", "recorded": "yes"},
        "complaint + reviewed": {"tag": "complaint", "reviewed": "yes"},
        "complaint + commented": {"tag": "complaint", "commented": "yes"},
        "several tags + english": {"tag": ["spam", "price"], "site": "english"},
        "several sites + several verdicts": {
            "site": ["english", "shop"],
            "verdict": ["contested", "exact"],
        },
        "rare employee + not shop": {"employee": RARE_EMPLOYEE, "not_site": "shop"},
        "warehouse + english": {"destination": "warehouse", "site": "english"},
        "commented + cut": {"commented": "yes", "ending": "cut"},
        "reviewed + cut + english": {"reviewed": "yes", "ending": "cut", "site": "english"},
        "first + long talk": {"first": "yes", "talk_from": 560},
        "long talk + short wait": {"talk_from": 590, "wait_to": 4},
        "tag complaint + text мария": {"tag": "complaint", "text": "мария"},
        "tag spam + text 8 916": {"tag": "spam", "text": "8 916"},
        "campaign + text доставка": {"campaign": "campaign-7", "text": "доставка"},
    }


def _in_periods() -> Filters:
    """What is measured in periods, too."""
    return {
        "text 4567": {"text": "4567"},
        "text no match": {"text": "никогоживого"},
        "text мария": {"text": "мария"},
        "text доставка": {"text": "доставка"},
        "tag missed": {"tag": "missed"},
        "tag complaint": {"tag": "complaint"},
        "no answer": {"ending": "no_answer"},
        "english + unreachable": {"site": "english", "ending": "unreachable"},
        "employee": {"employee": EMPLOYEES[0]},
        "employee nobody": {"employee": "nobody"},
        "first=yes": {"first": "yes"},
        "talk longer than any": {"talk_from": 7200},
        "not several endings": {"not_ending": ["unreachable", "cut", "busy"]},
        "campaign rare": {"campaign": "campaign-rare"},
        "reviewed=yes": {"reviewed": "yes"},
        "spam=yes": {"spam": "yes"},
        "to_review=yes": {"to_review": "yes"},
        "score 90 and more": {"score_from": 90},
        "hours at night": {"hour_from": 2, "hour_to": 3},
        "two common words": {"text": "доставка шины"},
    }


def opened_from(seed: Seed) -> Filters:
    """Lists that a call was opened from: the calls before and after it are looked for."""
    return {
        "all": {},
        "shop": {"site": "shop"},
        "tag complaint": {"tag": "complaint"},
        "text мария": {"text": "мария"},
        "employee nobody": {"employee": "nobody"},
        "campaign rare": {"campaign": "campaign-rare"},
        "caller": {"caller": caller_of(seed.calls // 2)},
        "talk longer than any": {"talk_from": 7200},
    }


def some_call(seed: Seed) -> str:
    """A call in the middle, with a transcript."""
    return call_id(seed.calls // 50 * 25)
