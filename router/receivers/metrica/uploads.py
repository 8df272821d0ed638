"""What Yandex.Metrica says of an upload that it has worked on: how many lines are bound to visits,
and how many not.

It counts lines and does not name them: of an upload whose lines came out differently each receipt
tells the counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from router.domain.delivery.delivery import Outcome, Use

_DONE = frozenset({"PROCESSED", "LINKAGE_FAILURE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload, as the list of uploads tells it; a count is None where Metrica does not tell
    it.
    """

    number: int
    status: str
    sent: int | None
    passed: int | None  # Metrica's validation
    linked: int | None
    no_visitor: int | None
    no_goal: int | None

    @property
    def works(self) -> bool:
        """Whether Metrica works on it yet."""
        return self.status not in _DONE

    @property
    def lost(self) -> bool:
        """Nothing in it counts: its lines may be uploaded once more."""
        return not self.works and self._bound == 0

    @property
    def _bound(self) -> int | None:
        return 0 if self.status == "LINKAGE_FAILURE" and self.linked is None else self.linked

    def problems(self) -> list[str]:
        """What became of the lines that are bound to no visit."""
        failed = max((self.sent or 0) - (self.passed or 0), 0) if self.passed is not None else 0
        counts = {
            "Metrica knows no such visitor": self.no_visitor or 0,
            "the goal is not in the counter: `ringtrace crm connect` creates it": self.no_goal or 0,
            "failed Metrica's validation": failed,
        }
        return [f"{count} of {self.sent} lines: {why}" for why, count in counts.items() if count]


def read_upload(row: Any) -> Upload:
    """An upload of the list; what is no number is not known."""
    told = row if isinstance(row, dict) else {}
    return Upload(
        number=_number(told, "id") or 0,
        status=str(told.get("status")),
        sent=_number(told, "source_quantity"),
        passed=_number(told, "line_quantity"),
        linked=_number(told, "linked_quantity"),
        no_visitor=_number(told, "user_not_found_quantity"),
        no_goal=_number(told, "goal_not_found_quantity"),
    )


def _number(told: dict[str, Any], name: str) -> int | None:
    value = told.get(name)
    return value if type(value) is int and value >= 0 else None


def outcome_of(uploads: Sequence[Upload], receipt: str) -> Outcome:
    """What came of an event whose lines are in these uploads."""
    problems = [problem for upload in uploads for problem in upload.problems()]
    if uploads and all(upload.lost for upload in uploads):
        said = "; ".join(["bound to no visit by Metrica", *problems])
        return Outcome(use=Use.NEVER, said=said)
    if problems:
        said = "; ".join([receipt, "bound to visits by Metrica, but not all", *problems])
        return Outcome(use=Use.USED, said=said)
    if any(upload.lost for upload in uploads):
        return Outcome(use=Use.USED, said=f"{receipt}; bound to visits by Metrica, but not all")
    return Outcome(use=Use.USED, said=f"{receipt}; bound to visits by Metrica")
