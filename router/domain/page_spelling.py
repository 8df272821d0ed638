"""Spellings of a number on pages, which the script has to find.

A country's rules are those of phonenumbers. Spellings that are no longer dialled are in `_OLD`,
because they stay on pages for years. In them `N` is the national number and `x` one digit of a
carrier's code, or the letter x itself.
"""

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat

from router.domain.phone import digits, national_prefix, region_of

_ALSO_DIALLED = {"BY": ("0", "8"), "CL": ("0",), "LT": ("8",)}
_OLD = {
    "BO": ("01xN",),
    "BR": ("0xxN", "550xxN"),
    "CO": ("0xN", "570xN"),
    "MX": ("01N", "044N", "045N", "521N", "5201N", "52044N", "52045N"),
    "UA": ("80N",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A number in its parts, digits alone: `7`, `8`, `4951234567`."""

    country: str
    leads: tuple[str, ...]  # what may be dialled before the national number inside the country
    national: str
    # spellings that are replaced as a whole, because other numbers have no such form
    old: tuple[str, ...]


@lru_cache(maxsize=1 << 14)
def parts(e164: str) -> Parts:
    """The parts from which the script makes a number's spellings."""
    number = phonenumbers.parse(e164)
    country, national = str(number.country_code), phonenumbers.national_significant_number(number)
    region = region_of(number)
    prefix = national_prefix(region)
    usual = digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    old = _OLD.get(region, ())

    leads = [prefix, *_ALSO_DIALLED.get(region, ())]
    if usual.endswith(national):
        leads.insert(0, usual.removesuffix(national))
    else:
        old = (*old, *_with_15(usual.removeprefix(prefix), country, prefix, national))
    known = dict.fromkeys(lead for lead in leads if lead not in {"", country})
    return Parts(country=country, leads=tuple(known), national=national, old=old)


def _with_15(usual: str, country: str, prefix: str, national: str) -> tuple[str, ...]:
    """Argentina's mobiles: 15 inside the country or 9 from abroad, or neither: no landline has
    those digits.
    """
    plain = national[1:]
    return (
        prefix + usual,
        usual,
        country + usual,
        country + national[0] + usual,
        prefix + plain,
        country + plain,
    )
