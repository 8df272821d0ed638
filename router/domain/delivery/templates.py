"""The texts and names that are written into CRMs: templates with named placeholders.

A template is plain text with names in braces from a closed set, as `{call} {caller}`; `{{` is a
brace. Values come from visitors and callers: line breaks and characters that cannot be seen are
taken out of them, and each CRM escapes the whole text as it needs.
"""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from router.domain.delivery.call_event import FACTS, CallEvent
from router.domain.delivery.transfer_words import transfer_in_words
from router.domain.language import Language
from router.domain.text import one_line, short_name

MOST_TEMPLATE = 4000  # characters
MOST_NAME = 200  # UTF-16 units of a title or a contact's name: the shortest field of a CRM has 255
MOST_VALUE = 300  # of one value in a text
_TRANSFERS = "transfers"
_PLACES = frozenset({*FACTS, "call", "caller", "site", "withheld", "came_from", _TRANSFERS})
_parse = string.Formatter().parse


class Part(StrEnum):
    """What a template is for."""

    TITLE = "title"  # of a deal or lead
    CONTACT = "contact"  # name of a contact or company
    NOTE = "note"  # text of a note, and of a new deal
    TASK = "task"  # text of a task for a missed call


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """The names in one language, and the default templates."""

    answered: str
    missed: str
    lost: str
    hidden: str  # in place of the phone: as a name,
    from_hidden: str  # and in a sentence
    withheld: str
    verdicts: Mapping[str, str]
    templates: Mapping[Part, str]


_WORDS = {
    Language.ENGLISH: _Words(
        answered="Call",
        missed="Missed call",
        lost="Call lost in transfer",
        hidden="Hidden number",
        from_hidden="from a hidden number",
        withheld="The caller withheld the number: do not show it.",
        verdicts=MappingProxyType({}),
        templates={
            Part.TITLE: "{call} {caller}",
            Part.CONTACT: "{caller}",
            Part.NOTE: "\n".join(
                (
                    "{call} {caller}",
                    "{withheld}",
                    "To {number}",
                    "Wait {wait_seconds} s, talk {talk_seconds} s",
                    "{transfers}",
                    "Source: {came_from}",
                    "Tags: {tags}",
                    "Google client ID: {client_id}",
                    "Verdict: {verdict} ({probability})",
                    "{page}",
                )
            ),
            Part.TASK: "Call back {caller}\n{page}",
        },
    ),
    Language.RUSSIAN: _Words(
        answered="Звонок",
        missed="Пропущенный звонок",
        lost="Звонок, потерянный при переводе",
        hidden="Скрытый номер",
        from_hidden="со скрытого номера",
        withheld="Звонящий скрыл свой номер: не показывайте его.",
        verdicts=MappingProxyType(
            {
                "exact": "на сайте",
                "frozen": "ушёл с сайта",
                "contested": "несколько вариантов",
                "stale": "позвонил позже",
                "static": "статический номер",
                "repeat": "повторный звонок",
                "unknown": "не определён",
            }
        ),
        templates={
            Part.TITLE: "{call} {caller}",
            Part.CONTACT: "{caller}",
            Part.NOTE: "\n".join(
                (
                    "{call} {caller}",
                    "{withheld}",
                    "На номер {number}",
                    "Ожидание {wait_seconds} с, разговор {talk_seconds} с",
                    "{transfers}",
                    "Источник: {came_from}",
                    "Теги: {tags}",
                    "Google client ID: {client_id}",
                    "Посетитель: {verdict} ({probability})",
                    "{page}",
                )
            ),
            Part.TASK: "Перезвонить {caller}\n{page}",
        },
    ),
}


def fault_of(template: str) -> str:
    """What is wrong with a template; empty where it can be used."""
    if len(template) > MOST_TEMPLATE:
        return f"a template has at most {MOST_TEMPLATE} characters"
    try:
        pieces = list(_parse(template))
    except ValueError as error:
        return f"{error}: write {{{{ and }}}} for braces"
    for _, name, form, conversion in pieces:
        if name is None:
            continue
        if name not in _PLACES or form or conversion:
            wrong = name
            if conversion:
                wrong += f"!{conversion}"
            if form:
                wrong += f":{form}"
            wrong = wrong[:40]
            return f"there is no {{{wrong}}}; there are {', '.join(sorted(_PLACES))}"
    return ""


def render(
    part: Part, call: CallEvent, language: Language | None, templates: Mapping[Part, str]
) -> str:
    """The text for this call, in English where no language is chosen. A line whose names are all
    unknown is left out.
    """
    language = language or Language.ENGLISH
    words = _WORDS[language]
    template = templates.get(part) or words.templates[part]
    values = _values(call, words, language)
    if call.caller is None and part is not Part.CONTACT:
        values["caller"] = words.from_hidden
    lines = []
    for written in template.splitlines():
        line = _line(written, values)
        if line is not None:
            lines.append(line)
    text = "\n".join(lines).strip()
    if part in {Part.NOTE, Part.TASK}:
        return text or words.hidden
    return short_name(text, MOST_NAME) or words.hidden


def _line(template: str, values: Mapping[str, str]) -> str | None:
    names = [name for _, name, _, _ in _parse(template) if name is not None]
    if names and not any(values.get(name) for name in names):
        return None
    return "".join(_filled(template, values)).replace(" ()", "").rstrip()


def _filled(template: str, values: Mapping[str, str]) -> Iterator[str]:
    for text, name, _, _ in _parse(template):
        yield text
        if name is not None:
            yield values.get(name, "")


def _call_word(call: CallEvent, words: _Words) -> str:
    if call.lost:
        return words.lost
    if call.answered:
        return words.answered
    return words.missed


def _values(call: CallEvent, words: _Words, language: Language) -> dict[str, str]:
    facts, withheld = call.facts, ""
    if call.withheld:
        withheld = words.withheld
    came = [facts[name] for name in ("source", "medium", "campaign") if name in facts]
    verdict = facts.get("verdict", "")
    values = {name: facts[name] for name in FACTS if name in facts} | {
        "call": _call_word(call, words),
        "caller": call.caller or words.hidden,
        "site": call.site_id or "",
        "withheld": withheld,
        "came_from": " / ".join(came),
        "verdict": words.verdicts.get(verdict, verdict),
    }
    plain = {name: one_line(text, MOST_VALUE) for name, text in values.items()}
    transfers = (transfer_in_words(transfer, language) for transfer in call.transfers)
    return {**plain, _TRANSFERS: "\n".join(one_line(text, MOST_VALUE) for text in transfers)}
