"""One phone in its spellings: those of each region, and of people."""

import phonenumbers
import pytest

from router.domain.phone import (
    caller_number,
    digits,
    same_phone,
    spellings,
    tail,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+79162345678", "8 (916) 234-56-78", True),
        ("+79162345678", "9162345678,12", True),
        ("+79162345678", "+7 916 234-56-78", True),
        (
            "+79162345678",
            "+8 916 234-56-78",
            True,
        ),  # not in use, but often written
        ("+79162345678", "+1 916 234 5678", False),
        ("+79162345678", "9162345679", False),
        ("+49 30 1234567 ext. 12", "+49301234567", True),
        ("+49301234567,12", "+49 30 1234567", True),
        ("+43 1 2345678#12", "+4312345678", True),
        ("+8 (495) 123-45-67", "+74951234567", True),
        ("4567", "4567", False),
    ],
)
def test_one_phone_in_two_spellings(one: str, other: str, same: bool) -> None:
    assert same_phone(one, other) is same_phone(other, one) is same


EXAMPLES = [
    (region, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), number)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
    )
    if (number := phonenumbers.example_number_for_type(region, kind))
    and phonenumbers.is_valid_number(number)
]

FORMATS = {
    "national": lambda number: phonenumbers.format_number(
        number, phonenumbers.PhoneNumberFormat.NATIONAL
    ),
    "international": lambda number: phonenumbers.format_number(
        number, phonenumbers.PhoneNumberFormat.INTERNATIONAL
    ),
    "tel: link": lambda number: phonenumbers.format_number(
        number, phonenumbers.PhoneNumberFormat.RFC3966
    ),
    "E.164": lambda number: phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
    "E.164 without plus": lambda number: (
        f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    ),
    "with 00": lambda number: (
        f"00{number.country_code}{phonenumbers.national_significant_number(number)}"
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_regions_numbers_are_read_in_the_spellings_of_that_region(name: str) -> None:
    wrong = {
        (region, text): read
        for region, e164, number in EXAMPLES
        if (read := caller_number(text := FORMATS[name](number), region)) != e164
    }
    # also an international toll-free number
    known = {("HN", "800 2123 4567")} if name == "national" else set()
    assert set(wrong) <= known, wrong


@pytest.mark.parametrize("name", FORMATS)
def test_two_spellings_of_every_regions_numbers_are_one_phone(name: str) -> None:
    known = {"800 2123 4567"}
    wrong = [
        (region, text)
        for region, e164, number in EXAMPLES
        if not same_phone(text := FORMATS[name](number), e164) and text not in known
    ]
    assert wrong == []


def test_the_national_format_of_every_region_is_one_of_the_spellings() -> None:
    wrong = [
        e164
        for _, e164, number in EXAMPLES
        if digits(FORMATS["national"](number)) not in spellings(e164)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+49 (0)30 123456", "+4930123456", True),
        ("030 123456", "+4930123456", True),
        ("+44 (0)20 7946 0958", "020 7946 0958", True),
        ("099 123456", "+37499123456", True),
        ("65123456", "+99365123456", True),
        ("8 600 12345", "+37060012345", True),
        ("8 916 123-45-67 вн. 12", "+79161234567", True),
        ("Phone 89161234567", "+79161234567", True),
        ("8 (029) 123-45-67", "+375291234567", True),
        ("+79161234567", "+89161234567", True),
        ("4917112345678", "+79161234567", False),
        ("101", "101", False),
    ],
)
def test_phones_are_compared_by_what_they_say_not_by_their_letters(
    one: str, other: str, same: bool
) -> None:
    assert same_phone(one, other) is same
    assert same_phone(other, one) is same


@pytest.mark.parametrize(
    ("e164", "national"),
    [
        ("+79162345678", "8 (916) 234-56-78"),
        ("+77011234567", "8 701 123 45 67"),
        ("+375291234567", "8 (029) 123-45-67"),
        ("+48601234567", "601 234 567"),
        ("+998901234567", "90 123 45 67"),
        ("+995555123456", "0555 12 34 56"),
        ("+995555123456", "555 12 34 56"),
        ("+3725123456", "512 3456"),
        ("+34612345678", "612 34 56 78"),
        ("+37491123456", "091 12-34-56"),
        ("+380671234567", "67 123 45 67"),
        ("+493012345678", "(030) 1234 5678"),
        ("+3612345678", "(06 1) 234 5678"),
        ("+390612345678", "06 1234 5678"),
        ("+5491123456789", "011 15-2345-6789"),
        ("+12025550123", "(202) 555-0123"),
        ("+376712345", "712 345"),
    ],
)
def test_a_national_spelling_is_found_by_the_tail_and_is_the_same_phone(
    e164: str, national: str
) -> None:
    assert same_phone(e164, national)
    assert digits(national).endswith(tail(e164))
    assert digits(e164).endswith(tail(e164))
    assert len(tail(e164)) >= 6


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("89162345678", "9162345678"),
        ("101", "101"),
        ("", ""),
        ("+7 916 234-56-78,12", "9162345678"),
    ],
)
def test_the_tail_of_what_has_no_country_is_its_last_ten_digits(text: str, ending: str) -> None:
    assert tail(text) == ending
