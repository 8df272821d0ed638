"""What came of a delivery: a code and its parameters, and the sentence that says it to a reader.

What another system said is a parameter, never a part of a sentence of ours.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from router.domain.calls.recording_codes import NoRecordingCode, RecordingCode
from router.domain.calls.transcript_codes import TranscriptCode
from router.domain.delivery.analytics_codes import (
    Ga4Code,
    GoogleAdsCode,
    MetricaCode,
    VisitorCode,
    WebhookCode,
)
from router.domain.delivery.check_codes import CheckCode
from router.domain.delivery.codes import AnswerCode, Code, SendingCode, SettingCode
from router.domain.delivery.crm_codes import (
    AmoCrmCode,
    Bitrix24Code,
    CrmCode,
    HubspotCode,
    OdooCode,
    RetailCrmCode,
    TrytonCode,
)
from router.domain.delivery.entity import Ref
from router.domain.delivery.fix_codes import FixCode
from router.domain.mail_codes import MailCode
from router.domain.text import one_line

LONGEST = 500  # letters of a parameter
MOST_PARTS = 30  # of an outcome, and of a list in it
CODES: Mapping[str, Code] = {
    code: code
    for kind in (
        *(AnswerCode, SettingCode, SendingCode, CrmCode, VisitorCode, WebhookCode),
        *(AmoCrmCode, Bitrix24Code, HubspotCode, RetailCrmCode, TrytonCode, OdooCode),
        *(Ga4Code, GoogleAdsCode, MetricaCode),
        *(RecordingCode, NoRecordingCode, MailCode, CheckCode, FixCode),
        TranscriptCode,
    )
    for code in kind
}
_UNKNOWN = "%(code)s"  # written by a newer version
_MOMENTS = frozenset({"until", "began"})
Gettext = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A code and plain JSON. An entity is `{kind, id}`, a reason an outcome of its own."""

    code: str  # a `Code`, or one of a newer version
    params: dict[str, Any] = field(default_factory=dict)
    also: tuple["Outcome", ...] = ()  # what has to be said beside it

    @classmethod
    def of(cls, code: Code, *also: "Outcome | Code", **params: Any) -> Self:
        """An outcome; its parameters become plain JSON of a bounded length."""
        others = []
        for part in also[:MOST_PARTS]:
            if isinstance(part, Code):
                part = cls(code=part.value)
            others.append(part)
        return cls(code=code.value, params=_plain(params), also=tuple(others))

    @classmethod
    def text(cls, text: str) -> Self:
        """Words that have no code."""
        return cls.of(AnswerCode.TEXT, text=text)

    def with_(self, others: Iterable["Outcome"]) -> Self:
        """This one, and what has to be said beside it."""
        flat = (part for other in others for part in other.parts())
        return replace(self, also=(*self.also, *flat)[:MOST_PARTS])

    def parts(self) -> tuple["Outcome", ...]:
        """This one alone, and what has to be said beside it."""
        return (replace(self, also=()), *self.also)

    def __str__(self) -> str:
        """The English sentence."""
        return sentence(self)


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Several as one: the first, and the others beside it."""
    if not outcomes:
        return Outcome.of(SendingCode.NOTHING_TO_SEND)
    return outcomes[0].with_(outcomes[1:])


def at_place(receipt: Outcome, place: int) -> Outcome:
    """The receipt of the delivery at this place in a request, from 0."""
    return receipt.with_([Outcome.of(SendingCode.RECORD, place=place)])


def request_of(receipt: Outcome | None) -> Outcome | None:
    """The common part of the receipts of one request."""
    if receipt is None:
        return None
    return replace(receipt, also=tuple(part for part in receipt.also if not _is_record(part)))


def record_of(receipt: Outcome | None) -> int | None:
    """The place in its request that a receipt names, from 0."""
    if receipt is None:
        return None
    for part in receipt.also:
        place = part.params.get("place")
        if _is_record(part) and isinstance(place, int):
            return place
    return None


def _is_record(outcome: Outcome) -> bool:
    return outcome.code == SendingCode.RECORD


def as_json(outcome: Outcome | None) -> dict[str, Any] | None:
    """An outcome for programs: with its English sentence."""
    if outcome is None:
        return None
    return {
        "code": outcome.code,
        "params": outcome.params,
        "text": sentence(outcome),
        "also": [as_json(part) for part in outcome.also],
    }


def sentence(
    outcome: Outcome | None,
    gettext: Gettext = str,
    moment: Callable[[datetime], str] | None = None,
) -> str:
    """An outcome in words: in English, or as `gettext` translates; `moment` writes dates."""
    if outcome is None:
        return ""
    return "; ".join(_said(part, gettext, moment or _utc) for part in outcome.parts())


def _said(outcome: Outcome, gettext: Gettext, moment: Callable[[datetime], str]) -> str:
    def word(name: str, value: Any) -> str:
        match value:
            case {"code": str(code)}:
                also = tuple(Outcome(**part) for part in value.get("also", ()))
                reason = Outcome(code=code, params=value.get("params", {}), also=also)
                return sentence(reason, gettext, moment)
            case {"kind": str(kind), "id": str(key)}:
                return f"{gettext(kind.capitalize()).lower()} {key}"
            case list():
                return ", ".join(word(name, item) for item in value)
            case str() if name in _MOMENTS:
                return moment(datetime.fromisoformat(value))
            case int() | float() if name == "position":
                minutes, seconds = divmod(int(value), 60)
                return f"{minutes}:{seconds:02}"
            case str() if name == "kind":
                return gettext(value.capitalize()).lower()
        return str(value)

    template = _UNKNOWN
    if outcome.code in CODES:
        template = CODES[outcome.code].template
    words = {name: word(name, value) for name, value in outcome.params.items()}
    return (gettext(template) % _Words(words, code=outcome.code)).strip()


class _Words(dict[str, str]):
    """Parameters in words; one that another version left out is shown as missing."""

    def __missing__(self, name: str) -> str:
        return "…"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _plain(value: Any) -> Any:
    match value:
        case Outcome():
            plain = {"code": value.code, "params": value.params}
            if value.also:
                plain["also"] = [_plain(part) for part in value.also]
            return plain
        case Ref():
            return {"kind": value.kind.value, "id": one_line(value.id)}
        case datetime():
            return value.astimezone(UTC).isoformat()
        case str():
            return one_line(value, LONGEST)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case None | bool() | int() | float():
            return value
        case Iterable():
            return [_plain(item) for item in list(value)[:MOST_PARTS]]
    return one_line(str(value), LONGEST)
