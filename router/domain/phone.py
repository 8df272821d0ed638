"""Parsing of phone numbers as people, carriers and pages write them.

A number from outside is parsed once, here, and stored in E.164 with the raw text. Carriers send the
same DID as `+74951234567`, `74951234567`, `84951234567` or `4951234567`; the dialplan compares
digits alone, so `spellings` lists every form in which a tracking number may be dialled.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    carrier,
)

from router.errors import InvalidInput

SHORTEST = 7  # digits of a number that is more than an extension
_RUN = re.compile(r"\+?[(\[]?\d(?:[\s()\[\].\-~_·•/\u2010-\u2015\u2212]*\d)*")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
_OF_A_SPREADSHEET = re.compile(r"\d(?:[.,]\d+)?[Ee]\+\d+")  # 7,4951E+10
_SECOND_LINE = re.compile(r"(?<=\d)\s*/.*$")  # 123-45-67/68: the second number of an office


@lru_cache(maxsize=64)
def _parsed(text: str, region: str | None = None) -> PhoneNumber:
    """Cached, because a caller's number is parsed for its digits, place and operator. Raises like
    `parse`.
    """
    return phonenumbers.parse(text, region)


def parse_number(text: str, region: str = "RU") -> str:
    """E.164 of a number that can be called, e.g. `8 (495) 123-45-67` → `+74951234567`.

    Raises `InvalidInput` saying what is wrong. `region` is an ISO 3166 code for national spellings.
    """
    shown = text[:40]
    if _OF_A_SPREADSHEET.fullmatch(text.strip()):
        raise InvalidInput(
            f"'{shown}' is how a spreadsheet shows a long number: format the column as text"
        )
    if _is_slip(written(text)):
        raise InvalidInput(
            f"'{shown}': no country has the code +8. Write it as +7… if it is a Russian number"
        )
    found = read_number(text, region)
    if found is not None:
        return found
    if len(digits(text)) < SHORTEST:
        raise InvalidInput(f"'{shown}' is not a phone number: write it as +74951234567")
    raise InvalidInput(
        f"'{shown}' is not a valid phone number in {region}: check the digits, or write it as "
        "+74951234567"
    )


@lru_cache(maxsize=4096)
def caller_number(raw: str, region: str = "RU") -> str | None:
    """E.164 of a caller's number, or None for anonymous, short, internal and unreadable ones. Never
    raises.
    """
    return read_number(raw, region)


def read_number(text: str, region: str) -> str | None:
    """E.164 of a number in any spelling that people and carriers use, or None when it is none.

    Labels and extensions are removed. Where a string without `+` is a valid number both in `region`
    and of another country, `_readings` says which of them comes first.
    """
    for candidate, place in _readings(written(text), region):
        try:
            number = _parsed(candidate, place)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def written(text: str) -> str:
    """The number in a text, without label, extension or second number.

    `тел. 8 (495) 123-45-67, доб. 12` → `8 (495) 123-45-67`.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text[:200]))
    runs = [_first_of_office(found.group()) for found in _RUN.finditer(plain)]
    long = (run for run in runs if len(digits(run)) >= SHORTEST)
    return next(long, max(runs, key=len, default=""))


def _first_of_office(run: str) -> str:
    """Without `/68` behind a whole number; the slash of `030/123456` stays."""
    head = _SECOND_LINE.sub("", run)
    if len(digits(head)) >= SHORTEST:
        return head
    return run


def _is_slip(number: str) -> bool:
    """`+8 495 …`, written for `8 495 …` or `+7 495 …`: a country code of one digit is never 8."""
    return re.match(r"\+8[^\d]", number) is not None


def _readings(number: str, region: str) -> Iterator[tuple[str, str | None]]:
    """The ways to read a number, the likeliest first: what to parse, and the region to parse it
    in.
    """
    dialled = digits(number)
    if _is_slip(number):
        yield dialled, region
        return
    if number.startswith("+"):
        yield "+" + digits(_TRUNK_ZERO.sub("", number)), None
        if dialled.startswith("8"):
            yield dialled, region
        return

    if dialled.startswith("00"):
        yield "+" + digits(_TRUNK_ZERO.sub("", number))[2:], None
    readings: list[tuple[str, str | None]] = [(dialled, region), ("+" + dialled, None)]
    if not _is_national(dialled, region):
        readings.reverse()
    yield from readings


def _is_national(dialled: str, region: str) -> bool:
    """Whether digits that could be a foreign number without `+` are first read as a national one.

    With the trunk prefix they are national. Without it they are where people leave it out, which
    shows in a number as long as a usual one: Russian and American ones of ten digits, Chinese
    mobiles. Where the prefix is a 0 that people always write, carriers that leave it out write the
    country code (sipgate: `491711234567`).
    """
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return False
    prefix = metadata.national_prefix or ""
    if prefix and dialled.startswith(prefix):
        return True
    return len(dialled) in _lengths_without_prefix(region, prefix)


@lru_cache(maxsize=512)
def _lengths_without_prefix(region: str, prefix: str) -> frozenset[int]:
    """Digits of the region's landlines and mobiles that are written without the prefix."""
    lengths = set()
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        usual = digits(phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL))
        if prefix != "0" or not usual.startswith(prefix):
            lengths.add(len(phonenumbers.national_significant_number(example)))
    return frozenset(lengths)


def digits(text: str) -> str:
    """The digits of a number as dialled, as the dialplan's `FILTER(0-9,…)` leaves them."""
    return "".join(c for c in text if c in "0123456789")


def spellings(e164: str) -> tuple[str, ...]:
    """Every string of digits under which a carrier may present this number, the E.164 digits first.

    `+74951234567` → 74951234567, 84951234567, 4951234567, 0074951234567.
    """
    number = phonenumbers.parse(e164)
    country, national = str(number.country_code), phonenumbers.national_significant_number(number)
    prefix = national_prefix(region_of(number))
    # Belarus dials 8 and then a 0 that is in no other field than the format
    as_written = digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    forms = [country + national, as_written, prefix + national, national, f"00{country}{national}"]
    return tuple(dict.fromkeys(forms))


def region_of(number: PhoneNumber) -> str:
    """The region (ISO 3166) of a number; the main one of its country code where it is in none."""
    found = phonenumbers.region_code_for_number(number)
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


def national_prefix(region: str) -> str:
    """The national prefix, e.g. 8 in Russia; may be empty."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return ""
    return metadata.national_prefix or ""


@lru_cache(maxsize=16384)
def display(e164: str) -> str:
    """The international format, e.g. `+7 495 123-45-67`; unreadable text is returned unchanged."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return e164


@lru_cache(maxsize=65536)
def caller_place(e164: str) -> str | None:
    """The region in English that a number is assigned to, e.g. `Moscow`; None for mobiles, 8-800
    and unknown ones.
    """
    # Imported late: its data takes 100 MB and 0.7 s.
    from phonenumbers import geocoder

    try:
        number = _parsed(e164)
    except NumberParseException:
        return None
    if not phonenumbers.is_number_geographical(number):
        return None
    place = geocoder.description_for_valid_number(number, "en")
    if place and place != geocoder.country_name_for_number(number, "en"):
        return place
    return None


@lru_cache(maxsize=65536)
def caller_operator(e164: str) -> str | None:
    """The mobile operator in English that a number was assigned to; it may have been ported
    since.
    """
    try:
        return carrier.name_for_number(_parsed(e164), "en") or None
    except NumberParseException:
        return None


def masked(number: str | None) -> str:
    """A number for logs: `+7495…67`."""
    if number and len(number) > 7:
        return f"{number[:5]}…{number[-2:]}"
    return "…"


TAIL = 10  # digits compared where a number's country is unknown


@lru_cache(maxsize=4096)
def tail(number: str) -> str:
    """The last digits of a number in E.164, which it has in every spelling of its country.

    CRMs search for text, so this is what to search for: `+79161234567` → `9161234567`,
    `+375291234567` → `291234567`. Of a number that cannot be read, the last ten digits.
    """
    plain, spelled = written(number), tuple[str, ...]()
    with suppress(NumberParseException):
        if _region_of(plain):
            spelled = spellings(plain)
    if not spelled:
        return digits(plain)[-TAIL:]
    common = min(spelled, key=len)
    while not all(spelling.endswith(common) for spelling in spelled):
        common = common[1:]
    return common


def same_phone(phone: str, other: str) -> bool:
    """Whether two spellings are one number, such as `+79162345678` and `8 (916) 234-56-78, доб.
    12`.
    """
    numbers = written(phone), written(other)
    regions = [_region_of(number) for number in numbers]
    region = regions[0] or regions[1]
    if region is not None:
        read = [read_number(number, region) for number in numbers]
        if None not in read:
            return read[0] == read[1]
    return _same_digits(*numbers)


def _region_of(number: str) -> str | None:
    """The region of a number written in full, if it is a valid one."""
    if not number.startswith("+") or _is_slip(number):
        return None
    try:
        return phonenumbers.region_code_for_number(
            _parsed("+" + digits(_TRUNK_ZERO.sub("", number)))
        )
    except NumberParseException:
        return None


def _same_digits(phone: str, other: str) -> bool:
    """The same last ten digits; two written in full have one country, too."""
    ends = digits(phone)[-TAIL:], digits(other)[-TAIL:]
    full = {digits(number) for number in (phone, other) if number.startswith("+")}
    return ends[0] == ends[1] and len(ends[0]) >= SHORTEST and len(full) < 2
