"""What a delivery tells of a call comes out again as facts in words that every CRM understands."""

from dataclasses import replace
from typing import Any

import pytest

from router.domain.calls.call import Call, Ending, State, Transfer, TransferKind, TransferOutcome
from router.domain.delivery.call_event import FACTS, CallEvent, read_call
from router.domain.delivery.payload import call_body
from router.domain.delivery.templates import Part, render
from router.domain.language import Language
from tests.support.builders import NOON, later, visit, visitor

CALL = Call(
    id="rt1-1.0",
    did="74950000001",
    number="+74950000001",
    trunk="carrier",
    site_id="shop",
    caller="+79123456789",
    arrived_at=NOON,
    answered_at=later(10),
    ended_at=later(60),
    state=State.ENDED,
    ending=Ending.ANSWERED,
    wait_seconds=10,
    talk_seconds=50,
    destination_id="office",
    verdict="exact",
    probability=0.974,
    source="google",
    channel="Paid Search",
)
PAGES = "https://calls.example"


def body(call: Call = CALL, **found: Any) -> dict[str, Any]:
    clicks = {"gclid": "Cj0", "yclid": "77"}
    who = visitor(ga_client_id="1.2", ga_session_id="170", ym_client_id="1734680388574908198")
    what = visit(medium="cpc", campaign="spring", click_ids=clicks, ga_session_id="171")
    return call_body(call, *(found.get("who", (who, what))))


def told_in_words(call: CallEvent, language: Language = Language.ENGLISH) -> str:
    return render(Part.NOTE, call, language, {})


def title(call: CallEvent, language: Language = Language.ENGLISH) -> str:
    return render(Part.TITLE, call, language, {})


def test_every_fact_is_sent_by_its_name() -> None:
    call = read_call(body(), PAGES)
    assert set(call.facts) <= set(FACTS) | {"gbraid", "wbraid"}
    assert {
        name: call.facts[name]
        for name in ("client_id", "ym_client_id", "source", "medium", "campaign")
    } == {
        "client_id": "1.2",
        "ym_client_id": "1734680388574908198",
        "source": "google",
        "medium": "cpc",
        "campaign": "spring",
    }
    assert (call.facts["session_id"], call.facts["gclid"], call.facts["probability"]) == (
        "171",
        "Cj0",
        "0.97",
    )
    assert call.facts["page"] == "https://calls.example/calls/rt1-1.0"
    assert (call.answered, call.talk_seconds, call.arrived_at, call.ended_at) == (
        True,
        50,
        NOON,
        later(60),
    )


def test_tags_and_who_answered_are_sent_and_missing_in_what_an_older_version_wrote() -> None:
    payload = call_body(replace(CALL, answered_by="101"), None, None, tags=["missed", "vip"])
    call = read_call(payload, PAGES)
    assert (call.answered_by, call.facts["tags"]) == ("101", "missed, vip")
    assert "Tags: missed, vip" in told_in_words(call)
    del payload["call"]["answered_by"], payload["call"]["tags"]
    older = read_call(payload, PAGES)
    assert (older.answered_by, "tags" in older.facts) == (None, False)


def test_of_an_unknown_visitor_nothing_is_invented() -> None:
    call = read_call(
        body(replace(CALL, caller=None, source=None, channel=None), who=(None, None)), PAGES
    )
    assert call.client_id is None
    assert not {"client_id", "source", "medium", "caller", "gclid"} & call.facts.keys()
    assert "hidden number" in title(call)


def test_a_missed_call_says_so() -> None:
    missed = read_call(body(replace(CALL, answered_at=None, talk_seconds=0)), PAGES)
    assert title(missed) == "Missed call +79123456789"


def test_a_note_names_what_matters_and_leads_to_the_recording() -> None:
    assert told_in_words(read_call(body(), PAGES)).splitlines() == [
        "Call +79123456789",
        "To +74950000001",
        "Wait 10 s, talk 50 s",
        "Source: google / cpc / spring",
        "Google client ID: 1.2",
        "Verdict: exact (0.97)",
        "https://calls.example/calls/rt1-1.0",
    ]


def test_a_note_says_what_came_of_each_transfer() -> None:
    taken = Transfer(
        kind=TransferKind.BLIND,
        at=NOON,
        to="202",
        outcome=TransferOutcome.ANSWERED,
        answered_by="boss",
        wait_seconds=4.2,
    )
    given_up = Transfer(
        kind=TransferKind.BLIND,
        at=NOON,
        to="203",
        outcome=TransferOutcome.ABANDONED_RINGING,
        wait_seconds=31,
    )
    older = Transfer(kind=TransferKind.BLIND, at=NOON, to="204")
    lost = replace(CALL, ending=Ending.LOST_IN_TRANSFER, transfers=(taken, given_up, older))
    lines = told_in_words(read_call(body(lost), PAGES)).splitlines()
    assert lines[0] == "Call lost in transfer +79123456789"
    assert lines[3:6] == [
        "Transferred to 202: answered by boss, 4 s",
        "Transferred to 203: the caller hung up while it rang, 31 s",
        "Transferred to 204",
    ]


@pytest.mark.parametrize("outcome", TransferOutcome)
@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.ENGLISH, "Transferred to 202: "), (Language.RUSSIAN, "Перевод на 202: ")],
)
def test_every_outcome_has_words(outcome: TransferOutcome, language: Language, words: str) -> None:
    transfer = Transfer(
        kind=TransferKind.BLIND, at=NOON, to="202", outcome=outcome, answered_by="boss"
    )
    call = read_call(body(replace(CALL, transfers=(transfer,))), PAGES)
    assert words in told_in_words(call, language)


@pytest.mark.parametrize(
    "payload", [{}, {"call": {}}, {"call": {"arrived_at": "yesterday"}, "attribution": {}}]
)
def test_a_payload_that_is_none_of_ours_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        read_call(payload, PAGES)
