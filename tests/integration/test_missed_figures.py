"""How many calls are missed, and how soon their callers are called back."""

from datetime import datetime

from router.domain.calls.call import Ending
from router.domain.calls.missed import MissedState
from router.service.calls.missed_figures import missed_figures
from router.store.engine import SqlStore
from tests.integration.missed_world import answered, unanswered, write
from tests.support.builders import NOON, later


async def test_figures_by_hour_leave_short_abandons_out(store: SqlStore) -> None:
    early = {"ending": Ending.ABANDONED_RINGING, "wait_seconds": 4.0}
    await write(
        store,
        unanswered("1"),
        answered("2", 120),
        answered("3", 3700, caller="+79160000001"),
        unanswered("4", 3800, caller="+79160000002"),
        unanswered("5", 3900, caller="+79160000003", **early),
    )
    zone = datetime.fromisoformat("2026-01-20T12:00:00+03:00").tzinfo
    assert zone
    found = await missed_figures(store, later(-60), later(7200), zone)
    assert (found.calls, found.missed, found.short, found.callers) == (4, 2, 1, 2)
    assert found.states == {MissedState.RANG_AGAIN: 1}
    assert (found.open, found.median_seconds) == (1, 127)
    hour = NOON.astimezone(zone).hour
    assert [(hour.hour, hour.calls, hour.missed, hour.share) for hour in found.hours] == [
        (hour, 2, 1, 0.5),
        (hour + 1, 2, 1, 0.5),
    ]
    assert (await missed_figures(store, later(-60), later(7200), zone, "other")).calls == 0
