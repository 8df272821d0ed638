"""Texts and names in CRMs come from templates, in English or Russian; values of visitors break
nothing.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.attribution.terms import Verdict
from router.domain.delivery.call_event import FACTS
from router.domain.delivery.templates import MOST_NAME, MOST_TEMPLATE, Part, fault_of, render
from router.domain.language import Language
from tests.support.crm_calls import ANNA, call_event

EN, RU = Language.ENGLISH, Language.RUSSIAN


@pytest.mark.parametrize(
    ("language", "part", "text"),
    [
        (EN, Part.TITLE, f"Missed call {ANNA}"),
        (EN, Part.CONTACT, ANNA),
        (EN, Part.TASK, f"Call back {ANNA}\nhttp://pages/calls/rt1-1.0"),
        (RU, Part.TITLE, f"Пропущенный звонок {ANNA}"),
        (RU, Part.CONTACT, ANNA),
        (RU, Part.TASK, f"Перезвонить {ANNA}\nhttp://pages/calls/rt1-1.0"),
    ],
)
def test_each_language_has_texts_of_its_own(language: Language, part: Part, text: str) -> None:
    assert render(part, call_event(answered=False), language, {}) == text


def test_a_russian_note_says_all_of_the_call() -> None:
    call = call_event()
    call = replace(call, facts={**call.facts, "number": "+74950000001"})
    assert render(Part.NOTE, call, RU, {}).splitlines() == [
        f"Звонок {ANNA}",
        "На номер +74950000001",
        "Ожидание 10 с, разговор 50 с",
        "Источник: google / cpc",
        "Google client ID: 123456789.1700000000",
        "Посетитель: на сайте (0.97)",
        "http://pages/calls/rt1-1.0",
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_is_russian(verdict: Verdict) -> None:
    call = call_event()
    call = replace(call, facts={**call.facts, "verdict": verdict})
    (line,) = [
        line for line in render(Part.NOTE, call, RU, {}).splitlines() if "Посетитель" in line
    ]
    assert not any("a" <= letter <= "z" for letter in line)


@pytest.mark.parametrize(("language", "name"), [(EN, "Hidden number"), (RU, "Скрытый номер")])
def test_a_hidden_number_has_a_name(language: Language, name: str) -> None:
    call = replace(call_event(), caller=None)
    assert render(Part.CONTACT, call, language, {}) == name
    assert render(Part.TITLE, call, EN, {}) == "Call from a hidden number"
    assert render(Part.TITLE, call, RU, {}) == "Звонок со скрытого номера"


def test_a_line_whose_names_are_all_unknown_is_left_out() -> None:
    templates = {Part.NOTE: "{call}\nUTM: {campaign} {term}\n{{literal}}\nFrom {source}"}
    assert render(Part.NOTE, call_event(), EN, templates) == "Call\n{literal}\nFrom google"


@pytest.mark.parametrize(
    "template",
    [
        *("{nothing}", "{caller.__class__}", "{caller[0]}", "{0}", "{}", "{caller!r}"),
        *("{caller:>999999999}", "{", "}", "{caller", "{caller:{source}}", "x" * 5000),
    ],
)
def test_a_template_with_anything_else_in_braces_is_refused(template: str) -> None:
    assert fault_of(template)


@pytest.mark.parametrize("name", [*FACTS, "call", "site", "came_from", "transfers", "withheld"])
def test_every_fact_can_be_named(name: str) -> None:
    assert fault_of(f"{{{name}}} {{{{") == ""


@given(st.text(max_size=MOST_TEMPLATE))
def test_a_template_that_is_accepted_can_be_rendered(template: str) -> None:
    if not fault_of(template):
        for part in Part:
            assert isinstance(render(part, call_event(), EN, {part: template}), str)


@given(st.dictionaries(st.sampled_from(FACTS), st.text(min_size=1)))
def test_values_stay_on_their_line_and_are_never_read_as_templates(facts: dict[str, str]) -> None:
    call = replace(call_event(), facts=facts)
    templates = {Part.NOTE: "one {source}\ntwo {campaign}", Part.TITLE: "{source} {campaign}"}
    lines = render(Part.NOTE, call, EN, templates).splitlines()
    assert all(line.startswith(("one", "two")) for line in lines if lines != ["Hidden number"])
    name = render(Part.TITLE, call, EN, templates)
    assert len(name) <= MOST_NAME
    assert name.isprintable()


def test_what_looks_like_a_template_in_a_value_stays_as_it_is() -> None:
    call = replace(call_event(), facts={"source": "{caller!r} {{"})
    assert render(Part.TITLE, call, EN, {Part.TITLE: "{source}"}) == "{caller!r} {{"


@pytest.mark.parametrize("letter", ["a", "я", "語", "😀", "e\u0301"])
def test_a_name_fits_wherever_a_crm_counts_characters_utf_16_units_or_bytes(letter: str) -> None:
    call = call_event(facts={"campaign": letter * 300})
    name = render(Part.TITLE, call, None, {Part.TITLE: "Call " + "{campaign} " * 3})
    assert name.startswith(f"Call {letter}")
    assert len(name.encode("utf-16-le")) <= 2 * MOST_NAME
    assert 240 <= len(name.encode()) <= 255 or len(name) == MOST_NAME
    assert not name.endswith(("\u200d", "\ufffd", " "))
