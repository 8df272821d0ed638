"""Results of uploads to Yandex.Metrica: how many lines were matched to visits, and how many were
not.

Metrica only counts lines, so if they differ in their results, each receipt gives the counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from router.domain.delivery.analytics_codes import MetricaCode
from router.domain.delivery.delivery import Result, Use
from router.domain.delivery.outcome import Outcome, joined
from router.receivers.json_body import mapping

_DONE = frozenset({"PROCESSED", "LINKAGE_FAILURE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload of the list; a count is None if Metrica does not report it."""

    number: int
    status: str
    sent: int | None
    passed: int | None  # Metrica's validation
    linked: int | None
    no_visitor: int | None
    no_goal: int | None

    @property
    def works(self) -> bool:
        """Whether Metrica is still processing it."""
        return self.status not in _DONE

    @property
    def lost(self) -> bool:
        """Whether nothing in it counts, so that its lines may be uploaded again."""
        return not self.works and self._bound == 0

    @property
    def _bound(self) -> int | None:
        if self.status == "LINKAGE_FAILURE" and self.linked is None:
            return 0
        return self.linked

    def problems(self) -> list[Outcome]:
        """Why lines were not matched to a visit."""
        failed = 0
        if self.passed is not None:
            failed = max((self.sent or 0) - self.passed, 0)
        counts = {
            MetricaCode.METRICA_NO_VISITOR: self.no_visitor or 0,
            MetricaCode.METRICA_NO_GOAL: self.no_goal or 0,
            MetricaCode.METRICA_INVALID: failed,
        }
        return [
            Outcome.of(code, count=count, all=self.sent) for code, count in counts.items() if count
        ]


def read_upload(row: Any) -> Upload:
    """Parse an upload of the list; invalid numbers are None."""
    fields = mapping(row)
    return Upload(
        number=_number(fields, "id") or 0,
        status=str(fields.get("status")),
        sent=_number(fields, "source_quantity"),
        passed=_number(fields, "line_quantity"),
        linked=_number(fields, "linked_quantity"),
        no_visitor=_number(fields, "user_not_found_quantity"),
        no_goal=_number(fields, "goal_not_found_quantity"),
    )


def _number(fields: dict[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if type(value) is int and value >= 0:
        return value
    return None


def result_of(uploads: Sequence[Upload], receipt: Outcome) -> Result:
    """The result of an event whose lines are in these uploads."""
    problems = [problem for upload in uploads for problem in upload.problems()]
    if uploads and all(upload.lost for upload in uploads):
        never = Outcome.of(MetricaCode.METRICA_NOT_BOUND, *problems)
        return Result(use=Use.NEVER, outcome=never)
    code = MetricaCode.METRICA_BOUND
    if problems or any(upload.lost for upload in uploads):
        code = MetricaCode.METRICA_BOUND_PARTLY
    return Result(use=Use.USED, outcome=joined([receipt, Outcome.of(code, *problems)]))
