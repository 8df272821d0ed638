"""What all models of the API have in common, and the body of every error."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)


def _written_out(value: object) -> object:
    """A number is no moment: it might count seconds or milliseconds."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]", value):
        raise ValueError("write the moment with its time zone, e.g. 2026-01-20T11:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Key = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(max_length=200)]
Address = Annotated[str, StringConstraints(max_length=2000)]
# a phone number in any spelling of its country
Spelling = Annotated[str, StringConstraints(max_length=40)]


class Answer(BaseModel):
    """Something that we answer. The text below a field is its description in OpenAPI."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The same from a record of the domain, or from a view of some."""
        return cls.model_validate(value)


class Body(BaseModel):
    """Something that is sent to us; an unknown field is an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    def fields(self) -> dict[str, Any]:
        """The fields, with nested values unchanged."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Problem(Answer):
    """The body of every answer that is an error."""

    error: str = Field(examples=["not_found"])
    """Code for programs, as listed in the description of the answer."""

    message: str
    """Message for people: what is wrong, and what to do."""
