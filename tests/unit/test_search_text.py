"""A caller is found by what people type, in their spelling."""

import pytest

from router.domain.calls.call import Call
from router.domain.calls.search import read_search, search_text
from tests.integration.store_calls import call


def of(caller: str | None = "+79163141729", **fields: str) -> Call:
    return call(caller=caller, caller_raw=(caller or "")[1:], **fields)


def text_of(call: Call) -> str:
    return search_text(
        call.caller, call.caller_raw, call.caller_name, call.answered_by, call.last_answered_by
    )


@pytest.mark.parametrize(
    "typed",
    [
        "+7 916 314-17-29",
        "8 (916) 314 17 29",
        "89163141729",
        "9163141729",
        "+7 916",
        "+7916",
        "8 916",
        "8-916",
        "8 (916) 3",
        "7 916 314",
        "8916314",
        "7916314",
        "916",
        "916314",
        "31417",
        "1729",
        "17-29",
        "17 29",
        "729",
        "29",
        "9",
        "4-17-29",
    ],
)
def test_a_number_is_found_as_people_say_it(typed: str) -> None:
    assert read_search(typed).finds(text_of(of()))


@pytest.mark.parametrize(
    ("typed", "caller"),
    [
        ("17-29", "+79161729000"),  # ends so, and is not only somewhere in it
        ("1729", "+79161729000"),
        ("4567", "+74567000000"),
        ("8 916", "+79058916000"),
        ("+7 916", "+79057916000"),
        ("916", "+79059161234"),
        ("89163", "+79059163000"),
        ("9163141729", "+79163141728"),
    ],
)
def test_a_number_that_is_not_meant_is_not_found(typed: str, caller: str) -> None:
    assert not read_search(typed).finds(text_of(of(caller)))


def test_the_number_that_was_dialled_is_no_caller() -> None:
    assert not read_search("1729").finds(text_of(of("+79160000000", did="74951231729")))


@pytest.mark.parametrize(
    "typed",
    ["МАРИЯ", "мария с", "ари", "ма", "Семёнова", "семенова мария", "maria", "101", "мария 45-67"],
)
def test_names_of_both_sides_are_found_in_any_letters(typed: str) -> None:
    found = of("+79161234567", caller_name="Мария  Семенова", answered_by="PJSIP/Maria-101")
    extension = of(None, caller_name="Мария", answered_by="maria")
    text = text_of(call(caller_raw="101")) if typed == "101" else text_of(found)
    assert read_search(typed).finds(text)
    assert not read_search("мария 45-68").finds(text_of(extension))


def test_all_words_are_meant() -> None:
    assert not read_search("мария петрова").finds(text_of(of(caller_name="Мария Семенова")))


@pytest.mark.parametrize(
    ("typed", "caller"), [("8 916 314-17-29", "+79163141729"), ("1729", None), ("мария", None)]
)
def test_a_whole_number_can_be_looked_up(typed: str, caller: str | None) -> None:
    assert read_search(typed).caller == caller


def test_other_countries_have_other_prefixes() -> None:
    text = text_of(of("+4917112345678"))
    assert read_search("0171 123", "DE").finds(text)
    assert read_search("0 171 12", "DE").finds(text)
    assert not read_search("0 172 12", "DE").finds(text)


@pytest.mark.parametrize("typed", ["", "   ", "\x02\x03", "\ud800"])
def test_what_says_nothing_asks_for_nothing(typed: str) -> None:
    assert read_search(typed).finds(text_of(of()))
