"""What came of something: a code with parameters, and the English sentence that says it."""

from typing import Any

from pydantic import model_validator

from router.domain.delivery.outcome import Outcome as OutcomeRecord
from router.domain.delivery.outcome import as_json
from router.web.api.models.base import Answer


class Outcome(Answer):
    """What came of a delivery, or what is odd about a recording."""

    code: str
    """The kind of outcome, e.g. `token_rejected`; a code keeps its meaning."""

    params: dict[str, Any]
    """Its parameters: `detail` is what the other system said, `reason` an outcome of its own."""

    text: str
    """The English sentence, with those of `also`."""

    also: tuple["Outcome", ...]
    """Further outcomes beside it."""

    @model_validator(mode="before")
    @classmethod
    def _with_sentence(cls, value: object) -> object:
        if not isinstance(value, OutcomeRecord):
            return value
        return as_json(value)
