"""What a site learns of phones that call as another person: nothing where none forges caller IDs,
and to trust the visitor on the page where somebody does.
"""

import pytest

from router.domain.attribution.model import USUAL
from router.domain.visitors.site import Pool
from tests.bench.forged_phones import HOUR, Attack, Attacked
from tests.bench.judges import Judged
from tests.bench.simulated_site import DAY, START, SimSite, simulate


@pytest.fixture(scope="module")
def busy() -> SimSite:
    """Five numbers that are nearly always held: redials come while others are on the page."""
    pool = Pool(
        id="main", site_id="shop", name="Main", hold_seconds=600, freeze_seconds=540,
        created_at=START,
    )  # fmt: skip
    return simulate(a_day=400, days=25, numbers=5, pool=pool, seed=7)


def result(site: SimSite, attack: Attack | None) -> Judged:
    rules = Judged(site) if attack is None else Attacked(site, attack)
    for call in site.calls:
        rules.judge(call)
    rules.learn()
    return rules


def test_a_new_site_has_learned_nothing_of_forgers() -> None:
    assert USUAL.forged is None


def test_a_site_without_forgers_takes_redials_for_redials(busy: SimSite) -> None:
    model = result(busy, None).model
    assert model.forged is not None
    assert model.forged < 0.2


@pytest.mark.parametrize("before", [HOUR, 5 * DAY])
def test_forgers_of_many_phones_are_noticed_and_take_few_calls(
    before: float, busy: SimSite
) -> None:
    attacked = result(busy, Attack(victims=0.4, before=before, most=100.0))
    assert isinstance(attacked, Attacked)
    assert attacked.model.forged is not None
    assert attacked.model.forged > 0.5
    assert attacked.victims > 30
    assert attacked.taken < 0.3 * attacked.victims
