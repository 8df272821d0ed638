"""What a site's own calls teach: seen in the rates and likelihood ratios of its model."""

from datetime import timedelta

from router.domain.attribution.hypotheses import AGES, DELAYS
from router.domain.attribution.model import USUAL
from router.domain.attribution.population import Crowd, crowds
from router.domain.attribution.terms import CallContext, CandidateFacts
from router.domain.attribution.training import Case, train_model
from tests.support.builders import NOON, dynamic, later, lease


def case(index: int, *, age: float | None, source: str = "google") -> Case:
    """A call an hour; its only candidate has been on the page for `age` seconds (None: the number
    is idle).
    """
    at = NOON + timedelta(hours=index)
    begun = at - timedelta(seconds=age or 0)
    times = {
        "started_at": begun,
        "seen_at": begun,
        "frozen_at": at + timedelta(seconds=60),
        "ends_at": at + timedelta(hours=1),
    }
    held = lease(f"l{index}", visitor_id=f"v{index}", **times)
    told = (
        ()
        if age is None
        else (CandidateFacts(lease=held, visitor_id=held.visitor_id, visit_id="x", source=source),)
    )
    crowd = Crowd(
        present=(1,) * len(AGES),
        gone=(0,) * (len(DELAYS) - 1),
        redial=(0,) * (len(DELAYS) - 1),
        numbers=50,
    )
    context = CallContext(number=dynamic(), at=at, caller=f"+7916000{index:04d}", candidates=told)
    return Case(context=context, crowd=crowd)


def test_without_calls_a_site_has_the_usual_model() -> None:
    assert train_model([], phones=100) == USUAL


def test_callers_who_call_early_on_the_page_raise_the_rate_of_those_ages_alone() -> None:
    model = train_model([case(index, age=40) for index in range(200)], phones=200)
    assert model.calls == 200
    assert model.present[2] > 5 * model.present[7]


def test_calls_to_idle_numbers_teach_that_unattributed_calls_are_many() -> None:
    unattributed_calls = train_model([case(index, age=None) for index in range(200)], phones=200)
    visitors = train_model([case(index, age=40) for index in range(200)], phones=200)
    assert unattributed_calls.unattributed / max(
        unattributed_calls.present
    ) > 5 * visitors.unattributed / max(visitors.present)


def test_a_crowd_counts_each_visitor_once_where_they_stood() -> None:
    noon = NOON.timestamp()
    leases = [
        (noon - 20, noon + 40, noon + 40),
        (noon - 500, noon - 400, noon - 400),
        (noon + 5, noon + 9, noon + 9),
    ]
    (crowd,) = crowds([NOON], leases, [(later(-100), "+7916"), (later(100), "+7917")], 3)
    assert (sum(crowd.present), sum(crowd.gone), sum(crowd.redial), crowd.numbers) == (1, 1, 1, 3)
    assert (
        crowd.present[AGES.index(15)]
        == crowd.gone[DELAYS.index(300)]
        == crowd.redial[DELAYS.index(60)]
        == 1
    )
