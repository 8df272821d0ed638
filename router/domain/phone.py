"""Phone numbers as people, carriers and pages write them, and the one form we keep.

A number from outside is parsed once, here, and kept in E.164 with the raw text beside it. Carriers send the
same DID as `+74951234567`, `74951234567`, `84951234567` or `4951234567`; the dialplan compares digits alone, so
`spellings` lists every way a number of ours may be dialled.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, carrier

from router.errors import InvalidInput

MAX_RAW = 80  # characters kept of what the other side called itself
_NOT_DIALLED = re.compile(r"[^0-9+]")


@lru_cache(maxsize=64)
def _parsed(text: str, region: str | None = None) -> PhoneNumber:
    """One caller's number is asked for its digits, its place and its operator in turn. Raises like `parse`."""
    return phonenumbers.parse(text, region)


def parse_number(text: str, region: str = "RU") -> str:
    """E.164 of a number that must be callable, e.g. `8 (495) 123-45-67` → `+74951234567`.

    Raises `InvalidInput` saying what is wrong. `region` is an ISO 3166 code for national spellings.
    """
    try:
        number = _parsed(text, region)
    except NumberParseException as error:
        raise InvalidInput(f"'{text[:40]}' is not a phone number: write it as +74951234567") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidInput(f"'{text[:40]}' cannot be a phone number in {region}: check the number of digits")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def caller_number(raw: str, region: str = "RU") -> str | None:
    """E.164 of a caller's number, or None for anonymous, short, internal and unreadable ones. Never raises."""
    dialled = _NOT_DIALLED.sub("", raw)
    for text in (dialled, f"+{dialled}"):
        try:
            number = _parsed(text, region)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return None


def digits(text: str) -> str:
    """The digits of a number as dialled, as the dialplan's `FILTER(0-9,…)` leaves them."""
    return "".join(c for c in text if c in "0123456789")


def spellings(e164: str) -> tuple[str, ...]:
    """Every string of digits under which a carrier may present this number, the E.164 digits first.

    `+74951234567` → 74951234567, 84951234567, 4951234567, 0074951234567.
    """
    number = phonenumbers.parse(e164)
    country, national = str(number.country_code), phonenumbers.national_significant_number(number)
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    metadata = PhoneMetadata.metadata_for_region(region, None)
    prefix = (metadata.national_prefix if metadata else None) or ""
    forms = [country + national, prefix + national, national, f"00{country}{national}"]
    return tuple(dict.fromkeys(forms))


def display(e164: str) -> str:
    """The international form for people, e.g. `+7 495 123-45-67`; an unreadable one comes back as it is."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return e164


@lru_cache(maxsize=65536)
def caller_place(e164: str) -> str | None:
    """The region in English that a number was given to, e.g. `Moscow`; None for mobiles, 8-800 and unknown ones."""
    # Its data takes 100 MB and 0.7 s to import, which no process should spend that never asks.
    from phonenumbers import geocoder

    try:
        number = _parsed(e164)
    except NumberParseException:
        return None
    if not phonenumbers.is_number_geographical(number):
        return None
    place = geocoder.description_for_valid_number(number, "en")
    return place if place and place != geocoder.country_name_for_number(number, "en") else None


@lru_cache(maxsize=65536)
def caller_operator(e164: str) -> str | None:
    """The mobile operator in English that a number was given to; it may have been carried to another since."""
    try:
        return carrier.name_for_number(_parsed(e164), "en") or None
    except NumberParseException:
        return None


def masked(number: str | None) -> str:
    """A number for logs: `+7495…67`."""
    return f"{number[:5]}…{number[-2:]}" if number and len(number) > 7 else "…"


TAIL = 10  # digits that a number keeps however it is written: +7, 7, 8 or nothing in front


def tail(number: str) -> str:
    """The last ten digits, by which numbers are searched for where spellings differ; an extension is cut off."""
    return digits(_main(number))[-TAIL:]


def _main(number: str) -> str:
    """Without an extension."""
    return re.split(r"[,;#xдe]", number.lower(), maxsplit=1)[0]


def same_phone(one: str, other: str) -> bool:
    """Whether two spellings are one number. Too few digits are nobody's; two written in full have one country."""
    ends = tail(one), tail(other)
    if ends[0] != ends[1] or len(ends[0]) < 7:
        return False
    full = [digits(_main(text)) for text in (one, other) if text.lstrip().startswith("+")]
    # +8 495 … is often written for +7 495 …
    slip = any(len(text) == TAIL + 1 and text.startswith("8") for text in full)
    return len(full) < 2 or slip or full[0] == full[1]
