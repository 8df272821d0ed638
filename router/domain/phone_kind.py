"""Kinds of phone numbers: which cost little to call."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

_ORDINARY = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
    PhoneNumberType.TOLL_FREE,
}


def is_ordinary(e164: str, region: str) -> bool:
    """Whether a number is of this region, and of a kind that costs little to call."""
    try:
        number = phonenumbers.parse(e164)
    except NumberParseException:
        return False
    here = phonenumbers.region_code_for_number(number) == region
    return here and phonenumbers.number_type(number) in _ORDINARY
