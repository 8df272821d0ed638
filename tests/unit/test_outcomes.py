"""What came of a delivery is a code with parameters, and a sentence for each reader."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from recordings import AudioWarning
from router.domain.calls.recording_codes import RecordingCode
from router.domain.delivery.codes import AnswerCode, Code, SendingCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.delivery.outcome import CODES, LONGEST, Outcome, as_json, joined, sentence
from router.recorder import warning
from router.web.languages import LANGUAGES

DEAL, CONTACT = Ref(kind=EntityKind.DEAL, id="7"), Ref(kind=EntityKind.CONTACT, id="3")
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SPECIAL: dict[str, Any] = {
    "entity": DEAL,
    "entities": [CONTACT, DEAL],
    "until": NOON,
    "began": NOON,
    "position": 64.5,
    "kind": "deal",
    "reason": Outcome.of(CrmCode.ENTITY_GONE, entity=CONTACT),
}
RUSSIAN = LANGUAGES["ru"].messages.gettext


class _Named(dict[str, Any]):
    """Notes the parameters that a template asks for."""

    def __missing__(self, name: str) -> str:
        self[name] = SPECIAL.get(name, f"<{name}>")
        return name


def example(code: Code) -> Outcome:
    """An outcome of this code with everything that its sentence names."""
    named = _Named()
    _ = code.template % named
    return Outcome.of(code, **named)


def _codes(kind: type[Code] = Code) -> set[str]:
    below = [_codes(subclass) for subclass in kind.__subclasses__()]
    return {code.value for code in kind}.union(*below)


def test_every_code_can_be_rendered_and_none_is_there_twice() -> None:
    assert set(CODES) == _codes()
    assert sum(len(kind) for kind in Code.__subclasses__()) == len(CODES)


@pytest.mark.parametrize("code", CODES.values(), ids=str)
def test_every_sentence_names_its_parameters_in_every_language(code: Code) -> None:
    outcome = example(code)
    for language in LANGUAGES.values():
        said = sentence(outcome, language.messages.gettext)
        for name in outcome.params.keys() - SPECIAL.keys():
            assert f"<{name}>" in said
        assert "…" not in said
        assert "%(" not in said
    has_words = any(letter.isalpha() for letter in sentence(Outcome.of(code)))
    assert any("а" <= letter <= "я" for letter in sentence(outcome, RUSSIAN).lower()) == has_words


@pytest.mark.parametrize(
    ("outcome", "english", "russian"),
    [
        (
            joined(
                [
                    Outcome.of(CrmCode.CREATED, entities=[CONTACT, DEAL]),
                    Outcome.of(
                        CrmCode.FIELD_LEFT_OUT,
                        entity=DEAL,
                        field="src",
                        reason=Outcome.of(AnswerCode.REFUSED, status=400, detail="no <b>such</b>"),
                    ),
                ]
            ),
            "created contact 3, deal 7; deal 7 without src: 400 no <b>such</b>",
            "создано: контакт 3, сделка 7; сделка 7 без поля src: 400 no <b>such</b>",
        ),
        (
            Outcome.of(SendingCode.CUT_OFF, receiver_kind="metrica", until=NOON),
            "too late: metrica takes this until 2026-11-30 12:00 UTC",
            "поздно: metrica принимает это до 2026-11-30 12:00 UTC",
        ),
        (
            warning(AudioWarning.COMPANY_ENDS, 64.0),
            "no sound on the company's side from 1:04 to the end",
            "с 1:04 и до конца записи нет звука со стороны компании",
        ),
        (Outcome(code="of_tomorrow", params={"x": 1}), "of_tomorrow", "of_tomorrow"),
        (Outcome(code="created"), "created …", "создано: …"),
        (None, "", ""),
    ],
)
def test_an_outcome_reads_in_the_readers_language_and_another_systems_words_stay(
    outcome: Outcome | None, english: str, russian: str
) -> None:
    assert sentence(outcome) == english
    assert sentence(outcome, RUSSIAN) == russian


def test_dates_are_written_by_the_reader() -> None:
    late = Outcome.of(SendingCode.DEADLINE, until=NOON, days=3)
    assert "at noon" in sentence(late, str, lambda at: "at noon" if at == NOON else "?")


def test_an_outcome_is_plain_json_of_bounded_length() -> None:
    hostile = Outcome.of(AnswerCode.REFUSED, status=400, detail="\0\ud83d" + "x" * 99_999)
    kept = Outcome.of(CrmCode.CHOICE_REFUSED, entity=DEAL, reason=hostile, many=["y"] * 9999)
    adapter = TypeAdapter(Outcome)
    assert adapter.validate_json(json.dumps(adapter.dump_python(kept, mode="json"))) == kept
    assert len(kept.params["reason"]["params"]["detail"]) <= LONGEST
    assert len(kept.params["many"]) < 100
    assert len(joined([kept] * 9999).also) < 100


def test_programs_get_the_code_the_parameters_and_the_english_sentence() -> None:
    gone = Outcome.of(CrmCode.ENTITY_GONE, entity=DEAL)
    told = as_json(joined([gone, Outcome.text("so it is")]))
    assert told == {
        "code": "entity_gone",
        "params": {"entity": {"kind": "deal", "id": "7"}},
        "text": "deal 7 is gone from the CRM; so it is",
        "also": [{"code": "text", "params": {"text": "so it is"}, "text": "so it is", "also": []}],
    }


def test_every_flaw_of_a_recording_has_a_code() -> None:
    assert [flaw.name for flaw in AudioWarning] == [code.name for code in RecordingCode]
