"""Labels for score cards and scores."""

from collections.abc import Iterable

from router.domain.calls.score_card import SKIP, CardState, QuestionKind
from router.domain.calls.scoring import Settlement
from router.service.calls.score_sheets import Sheet
from router.web.words import N_

ANSWERS = {SKIP: N_("Does not apply"), "yes": N_("Yes"), "no": N_("No")}  # others are digits
KINDS = {QuestionKind.YES_NO: N_("yes or no"), QuestionKind.SCALE: N_("1 to 5")}
STATES = {
    CardState.DRAFT: N_("Draft"),
    CardState.PUBLISHED: N_("Published"),
    CardState.ARCHIVED: N_("Archived"),
}
SETTLEMENTS = {
    Settlement.KEPT: N_("The score is kept"),
    Settlement.CHANGED: N_("The score is changed"),
}


def differ(question_id: str, sheets: Iterable[Sheet]) -> bool:
    """Whether the answers to one question differ."""
    return len({sheet.values.get(question_id, "") for sheet in sheets}) > 1
