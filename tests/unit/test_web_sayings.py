"""What came of a delivery is told in the reader's language, and what a server said as it said
it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import router
from recordings import Flaw
from router.recorder import warning
from router.web.languages import LANGUAGES
from router.web.sayings import retell

ROUTER = Path(router.__file__).parent
ROOMS = (
    "service/delivery/crm_update.py",
    "service/delivery/senders.py",
    "service/delivery/dispatch.py",
    "receivers/http.py",
    "receivers/registry.py",
)
REASONS = "domain/delivery/crm_plan.py"
SAYERS = {"Annotated", "NotYet", "Plan", "ReceiverUnavailable", "Refused", "Taken", "Undecided"}
RUSSIAN = LANGUAGES["ru"].messages.gettext


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("created contact 3, deal 1", "создано: контакт 3, сделка 1"),
        (
            "created deal 1; contact 3: by an earlier attempt",
            "создано: сделка 1; контакт 3: создано прошлой попыткой",
        ),
        ("a note on lead deal-9", "событие добавлено: лид deal-9"),
        (
            "company a-7 kept 1.2, which another put there",
            "компания a-7: осталось 1.2, записанное не нами",
        ),
        ("request r1: 3 conversions; record 2", "запрос r1, конверсий: 3; запись 2"),
        (
            "the token is refused or lacks a right: 403 deal 3; go away",
            "токен отвергнут или у него не хватает прав: 403 deal 3; go away",
        ),
        ("503 Service Unavailable", "503 Service Unavailable"),
        (
            "no sound on the company's side from 1:04 to the end",
            "с 1:04 и до конца записи нет звука со стороны компании",
        ),
        ("created by; nobody %(entities)s %s", "created by; nobody %(entities)s %s"),
        ("nothing: the CRM's own reason", "nothing: the CRM's own reason"),
        ("", ""),
    ],
)
def test_our_sentences_are_translated_and_a_servers_stay(said: str, told: str) -> None:
    assert retell(said, RUSSIAN) == told
    assert retell(said, LANGUAGES["en"].messages.gettext) == said


def sentences() -> Iterator[tuple[str, str]]:
    """Where a sentence of ours is said, and how it reads with something in its places."""
    for name in (*ROOMS, REASONS):
        for call in ast.walk(ast.parse((ROUTER / name).read_text())):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id in SAYERS
            ):
                said = [
                    *call.args[:1],
                    *(one.value for one in call.keywords if one.arg in {"said", "reason"}),
                ]
                reads = [
                    text
                    for one in said
                    if isinstance(one, ast.JoinedStr | ast.Constant) and (text := _read(one))
                ]
                before = "nothing: " if name == REASONS else ""
                yield from ((f"{name}:{call.lineno}", before + text) for text in reads)


def _read(said: ast.expr) -> str:
    match said:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_read(part) for part in parts)
        case ast.FormattedValue(value=ast.Call(func=ast.Name(id="named"))):
            return "deal 7"
        case ast.FormattedValue(value=ast.Attribute(attr="reason")):
            return "the caller is on the list of those nobody is told of"
        case ast.FormattedValue(value=ast.Name(id="mend")):
            return "run `ringtrace crm connect amo`"
        case ast.FormattedValue():
            return "7"
    return ""


@pytest.mark.parametrize("flaw", Flaw)
def test_every_flaw_of_a_recording_is_known(flaw: Flaw) -> None:
    moment = 64.0 if flaw in {Flaw.CALLER_ENDS, Flaw.COMPANY_ENDS} else None
    assert any("а" <= letter <= "я" for letter in retell(warning(flaw, moment), RUSSIAN).lower())


@pytest.mark.parametrize(("place", "said"), list(sentences()))
def test_everything_we_say_ourselves_is_known(place: str, said: str) -> None:
    assert any("а" <= letter <= "я" for letter in retell(said, RUSSIAN).lower()), place
