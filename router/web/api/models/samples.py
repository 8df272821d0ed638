"""Samples of calls as the API holds them."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field

from router.domain.calls.sampling import MOST_PER_EMPLOYEE, MOST_WEEKS, Progress
from router.service.calls.samples import SampleView
from router.web.api.models.base import Answer, Body


class Sample(Answer):
    """Calls chosen at random to be reviewed."""

    id: str
    """The sample's id."""

    name: str
    """Its name."""

    query: str
    """Filters of the calls, as an address of the list of calls says them."""

    per_employee: int
    """Calls of each employee and week."""

    since: date
    """Its first Monday."""

    weeks: int
    """How many weeks."""

    seed: str
    """The same calls are chosen again with it, while the calls are the same."""

    author: str
    """The login, or `api:` and the token's name."""

    created_at: datetime
    """When it was drawn (UTC)."""

    calls: int
    """How many calls it has."""

    reviewed: int
    """How many of them are reviewed."""

    @classmethod
    def of_progress(cls, progress: Progress) -> Self:
        """The same from the domain's value."""
        fields = (*cls.model_fields.keys() - {"calls", "reviewed"},)
        known = {name: getattr(progress.sample, name) for name in fields}
        return cls.of({**known, "calls": progress.calls, "reviewed": progress.reviewed})


class SampledCall(Answer):
    """A call of a sample."""

    call_id: str
    """The call."""

    employee: str
    """Who talked last."""

    week: date
    """The Monday of its week."""

    reviewed_by: str | None
    """The login, or the token's name; null: no person reviewed it."""

    reviewed_at: datetime | None
    """When it was reviewed (UTC)."""


class WholeSample(Answer):
    """A sample with its calls."""

    sample: Sample
    """The sample."""

    calls: tuple[SampledCall, ...]
    """Its calls, in their order."""

    @classmethod
    def of_view(cls, view: SampleView) -> Self:
        """The same from the service's view."""
        calls = []
        for call in view.calls:
            calls.append(
                {
                    "call_id": call.drawn.call_id,
                    "employee": call.drawn.employee,
                    "week": call.drawn.week,
                    "reviewed_by": call.review.person if call.review else None,
                    "reviewed_at": call.review.at if call.review else None,
                }
            )

        return cls.of({"sample": Sample.of_progress(view.progress), "calls": calls})


class NewSample(Body):
    """What to draw a sample from."""

    name: Annotated[str, Field(max_length=80)] = ""
    """Its name; empty: the week."""

    query: Annotated[str, Field(max_length=4000)] = ""
    """Filters as an address of the list of calls says them, e.g. `channel=paid&talk_from=60`."""

    per_employee: Annotated[int, Field(ge=1, le=MOST_PER_EMPLOYEE)]
    """Calls of each employee and week."""

    since: date
    """A day of the first week."""

    weeks: Annotated[int, Field(ge=1, le=MOST_WEEKS)] = 1
    """How many weeks."""

    zone: Annotated[str, Field(max_length=64)] = "UTC"
    """Time zone of the weeks, e.g. `Europe/Moscow`."""

    seed: Annotated[str, Field(max_length=64)] = ""
    """Chooses the same calls each time; empty: by chance."""
