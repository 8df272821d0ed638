"""Numbers as people and carriers write them."""

import re
import subprocess
import sys

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.phone import (
    caller_number,
    caller_operator,
    caller_place,
    digits,
    display,
    masked,
    parse_number,
    spellings,
)
from router.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+74951234567", "RU", "+74951234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("7 495 123 45 67", "RU", "+74951234567"),
        ("495 123 45 67", "RU", "+74951234567"),
        ("(020) 7946 0958", "GB", "+442079460958"),
        ("00 7 495 123 45 67", "DE", "+74951234567"),
        ("1 212 555 0123", "US", "+12125550123"),
    ],
)
def test_a_number_is_kept_in_one_form(text: str, region: str, e164: str) -> None:
    assert parse_number(text, region) == e164


@pytest.mark.parametrize(
    "text", ["", "abc", "112", "+7", "+7495123456789012", "sip:1@x", "\0", "+++", "😀"]
)
def test_what_cannot_be_called_is_refused_with_a_word_on_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_number(text)


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("+79161234567", "+79161234567"),
        ("89161234567", "+79161234567"),
        ("79161234567", "+79161234567"),
        ("9161234567", "+79161234567"),
        ("442079460958", "+442079460958"),
        ("+44 (20) 7946-0958", "+442079460958"),
        ("anonymous", None),
        ("Restricted", None),
        ("", None),
        ("101", None),
        ("+", None),
        ("+" * 500, None),
        ("9" * 500, None),
        ("${EXTEN}", None),
        ("٠٩١٦", None),
    ],
)
def test_a_caller_is_read_or_left_unknown(raw: str, e164: str | None) -> None:
    assert caller_number(raw, "RU") == e164


@given(st.text(max_size=60))
def test_reading_a_caller_never_fails(raw: str) -> None:
    read = caller_number(raw, "RU")
    assert read is None or parse_number(read) == read


def test_a_number_has_the_spellings_that_carriers_use() -> None:
    assert spellings("+74951234567") == (
        "74951234567",
        "84951234567",
        "4951234567",
        "0074951234567",
    )


VALID = st.sampled_from(
    [
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        if (number := phonenumbers.example_number(region))
    ]
)


@given(VALID)
def test_the_spellings_of_every_countrys_numbers_are_digits_and_begin_with_the_exact_one(
    e164: str,
) -> None:
    forms = spellings(e164)
    assert forms[0] == e164.removeprefix("+")
    assert len(set(forms)) == len(forms)
    assert all(form == digits(form) != "" for form in forms)


@given(st.text())
def test_digits_are_what_the_dialplan_keeps(text: str) -> None:
    assert digits(text) == "".join(c for c in text if c in "0123456789")


def test_people_see_the_international_form() -> None:
    assert display("+74951234567") == "+7 495 123-45-67"
    assert display("anonymous") == "anonymous"


@pytest.mark.parametrize(
    ("number", "shown"), [("+74951234567", "+7495…67"), ("101", "…"), ("", "…"), (None, "…")]
)
def test_logs_show_no_whole_number(number: str | None, shown: str) -> None:
    assert masked(number) == shown


@pytest.mark.parametrize(
    ("e164", "place"),
    [
        ("+74951234567", "Moscow"),
        ("+78123334455", "St Petersburg"),
        ("+442079460958", "London"),
        ("+79161234567", None),  # a mobile says no more than its country
        ("+78001234567", None),
        ("not a number", None),
        ("", None),
    ],
)
def test_a_landline_tells_where_its_caller_is(e164: str, place: str | None) -> None:
    assert caller_place(e164) == place


@pytest.mark.parametrize(
    ("e164", "operator"),
    [("+79991234567", "MegaFon"), ("+74951234567", None), ("nothing", None), ("", None)],
)
def test_a_mobile_tells_its_operator(e164: str, operator: str | None) -> None:
    assert caller_operator(e164) == operator


def test_the_map_of_numbers_costs_nothing_until_it_is_asked() -> None:
    script = "import sys, router.bootstrap; print(any('geodata' in name for name in sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


FOREIGN = (
    "+79161234567",
    "+442079460958",
    "+33612345678",
    "+375291234567",
    "+491711234567",
    "+48512345678",
)


@pytest.mark.parametrize("region", ["DE", "AT", "IT", "FR", "GB", "UA"])
def test_a_foreign_caller_without_plus_is_not_taken_for_a_national_one(region: str) -> None:
    assert [caller_number(e164[1:], region) for e164 in FOREIGN] == list(FOREIGN)


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+7 (916) 123-45-67 доб. 12", "RU", "+79161234567"),
        ("8 495 123-45-67, доб. 123", "RU", "+74951234567"),
        ("8 495 123-45-67 вн. 12", "RU", "+74951234567"),
        ("8 495 123-45-67 внутр. 12", "RU", "+74951234567"),
        ("8(495)1234567 #12", "RU", "+74951234567"),
        ("+7 916 123 45 67 p12", "RU", "+79161234567"),
        ("tel:+7-916-123-45-67;ext=5", "RU", "+79161234567"),
        ("Mobile: +7 916 123 45 67", "RU", "+79161234567"),
        ("Дежурный 8 916 123 45 67", "RU", "+79161234567"),
        ("8 (495) 123-45-67/68", "RU", "+74951234567"),
        ("8 (495) 123-45-67, 8 (916) 123-45-67", "RU", "+74951234567"),
        ("030/123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", "DE", "+4930123456"),
        ("0079161230010", "RU", "+79161230010"),
        ("00491711234567", "US", "+491711234567"),
        ("810491711234567", "RU", "+491711234567"),
        ("80291234567", "BY", "+375291234567"),
        ("8 (017) 123-45-67", "BY", "+375171234567"),
        ("15123456789", "DE", "+15123456789"),
        ("1711234567", "DE", "+491711234567"),
        ("3471234567", "IT", "+393471234567"),
        ("0612345678", "IT", "+390612345678"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("\u200e+7\u00a0916\u2011123\u201145\u201167", "RU", "+79161234567"),
    ],
)
def test_one_reader_takes_labels_extensions_and_second_lines(
    text: str, region: str, e164: str
) -> None:
    assert caller_number(text, region) == e164
    assert parse_number(text, region) == e164


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("123-45-67", "not a valid phone number in RU"),
        ("+8 495 123-45-67", "no country has the code +8"),
        ("12345", "is not a phone number"),
        ("7,4951E+10", "format the column as text"),
        ("+7 000 000-00-00", "not a valid phone number"),
    ],
)
def test_a_number_that_cannot_be_called_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(reason)):
        parse_number(text)
