"""What a receiver gets of a call."""

import json
from typing import Any

from router.domain.attribution.terms import Candidate, Verdict
from router.domain.calls.call import Call, State
from router.domain.delivery.payload import call_body
from tests.support.builders import DID, NOON, visit, visitor


def call(**attributed: Any) -> Call:
    return Call(
        id="rt1-1.1", did=DID[1:], trunk="carrier", arrived_at=NOON, state=State.ENDED, **attributed
    )


def test_a_receiver_learns_how_probable_the_visitor_is_and_where_they_came_from() -> None:
    candidate = Candidate(lease_id=None, visitor_id="anna", visit_id="anna-1", probability=2 / 3)
    attributed = call(
        verdict=Verdict.EXACT,
        probability=2 / 3,
        candidates=(candidate,),
        source="google",
        channel="Paid Search",
    )
    told = json.loads(json.dumps(call_body(attributed, visitor(), visit(channel="Paid Search"))))[
        "attribution"
    ]
    assert (told["verdict"], told["probability"]) == ("exact", 0.6667)
    assert (told["source"], told["channel"], told["visitor"]) == ("google", "Paid Search", "anna")
    assert (told["visit"]["source"], told["visit"]["channel"]) == ("google", "Paid Search")


def test_the_source_is_sent_when_the_visitor_is_not_known() -> None:
    attributed = call(
        verdict=Verdict.CONTESTED, probability=0.1, source="yandex", channel="Organic Search"
    )
    told = call_body(attributed, None, None)["attribution"]
    assert (told["source"], told["channel"]) == ("yandex", "Organic Search")
    assert (told["visitor"], told["visit"], told["ga_client_id"]) == (None, None, None)


def test_nothing_is_sent_of_what_was_not_attributed() -> None:
    told = call_body(call(), None, None)["attribution"]
    assert set(told.values()) == {None}
