"""What a CRM account has: the fields of each kind of entity, its users, pipelines and order
methods; and how a text is made to fit a field.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.outcome import Outcome
from router.domain.text import cut


class FieldType(StrEnum):
    """What a field holds, as far as it matters to us."""

    TEXT = "text"
    NUMBER = "number"
    LIST = "list"  # one of its options
    OTHER = "other"  # the CRM says whether it takes a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of one kind of entity."""

    name: str  # as it is written to
    title: str = ""  # as people see it
    aliases: frozenset[str] = frozenset()  # other names that a rule may give it
    type: FieldType = FieldType.TEXT
    options: Mapping[str, str] = field(default_factory=dict)  # as people see it → as it is written
    most: int | None = None  # characters; None: no limit is known
    required: bool = False  # of every new entity, and nothing of ours fills it
    stages: frozenset[str] = frozenset()  # required only there
    writable: bool = True
    phone: bool = False  # holds a phone number

    def is_called(self, name: str) -> bool:
        """Whether a rule means this field by that name."""
        names = {self.name, self.title, *self.aliases}
        return name.casefold() in {name.casefold() for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A user, a stage or an order method; `active` is false for a user who has left, and for what
    was switched off.
    """

    id: str
    title: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A pipeline and its stages."""

    id: str
    title: str = ""
    stages: Sequence[Named] = ()
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where new deals go by the options of a connection; empty: the CRM's own default."""

    pipeline: str = ""
    stage: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All of it. What is None cannot be seen with this token, or the CRM has no such thing."""

    fields: Mapping[EntityKind, Sequence[Field]] = field(default_factory=dict)
    users: Sequence[Named] | None = None
    pipelines: Sequence[Pipeline] | None = None
    methods: Sequence[Named] | None = None
    place: Place = Place()

    def find(self, kind: EntityKind, name: str) -> Field | None:
        """The field that a rule calls so."""
        fields, called = self.fields.get(kind, ()), None
        for known in fields:
            if known.name == name:
                return known
            if called is None and known.is_called(name):
                called = known
        return called

    def fit(self, kind: EntityKind, values: Mapping[str, str]) -> "Fitted":
        """Texts as these entities can take them; what they have no place for is left out.

        A field that other kinds have and this one has not is no fault of the values.
        """
        if kind not in self.fields:
            return Fitted(values=dict(values))

        taken, refused = dict[str, str](), dict[str, Outcome]()
        for name, text in values.items():
            known = self.find(kind, name)
            if known is None:
                if not any(self.find(other, name) for other in self.fields):
                    refused[name] = Outcome.of(CrmCode.NO_SUCH_FIELD)
            elif reason := misfit(known, text):
                refused[name] = reason
            else:
                taken[name] = fitted(known, text)
        return Fitted(values=taken, refused=refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Texts that fit, and why the others do not."""

    values: dict[str, str]
    refused: dict[str, Outcome] = field(default_factory=dict)


def fitted(known: Field, text: str) -> str:
    """The text as the field takes it: an option as the CRM writes it, a long text cut."""
    if known.type is FieldType.LIST:
        return _option(known, text) or ""
    if known.type is FieldType.TEXT and known.most is not None:
        return cut(text, known.most)
    return text


def misfit(known: Field, text: str) -> Outcome | None:
    """Why the field cannot take this text; None where it can. An empty text empties a field."""
    if not known.writable:
        return Outcome.of(CrmCode.FIELD_READ_ONLY)
    if not text:
        return None
    if known.type is FieldType.LIST and _option(known, text) is None:
        options = listed(known.options)
        return Outcome.of(CrmCode.NOT_AN_OPTION, found=text[:60], options=options)
    if known.type is FieldType.NUMBER and not _is_number(text):
        return Outcome.of(CrmCode.VALUE_NOT_A_NUMBER, found=text[:60])
    return None


def listed(names: Iterable[str], most: int = 10) -> str:
    """The first of them."""
    whole = list(names)
    shown = ", ".join(name[:40] for name in whole[:most])
    if len(whole) > most:
        shown += f", … (+{len(whole) - most})"
    return shown or "–"


def first(some: Sequence[Named] | None, key: str) -> Named | None:
    """The one with this id."""
    return next((named for named in some or () if named.id == key), None)


def _option(known: Field, text: str) -> str | None:
    """How the CRM writes the option that people see as this text, in any case."""
    for title, value in known.options.items():
        if text in (title, value):
            return value
    by_title = {title.casefold(): value for title, value in known.options.items()}
    return by_title.get(text.strip().casefold())


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
