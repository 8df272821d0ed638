"""A number in its parts, as the script on a page puts its spellings together."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from router.domain.page_spelling import parts
from router.domain.visitors.sources import CLICK_IDS
from router.web.script import snippet


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_what_is_dialled_before_a_national_number_is_known_in_every_country(region: str) -> None:
    number = phonenumbers.example_number(region)
    made = parts(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    national = phonenumbers.national_significant_number(number)
    assert (made.country, made.national) == (str(number.country_code), national)
    written = phonenumbers.normalize_digits_only(
        phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    )
    assert all(len(lead) <= 3 for lead in made.leads)
    if written.endswith(national):
        assert written.removesuffix(national) in {"", *made.leads}


@pytest.mark.parametrize(
    ("e164", "leads"),
    [
        ("+74951234567", ("8",)),
        ("+12015550123", ()),
        ("+525512345678", ()),
        ("+390612345678", ()),
        ("+34912345678", ()),
        ("+4930123456", ("0",)),
        ("+3612345678", ("06",)),
        ("+375172000000", ("80", "8", "0")),
    ],
)
def test_the_digit_before_a_national_number_is_that_of_its_country(
    e164: str, leads: tuple[str, ...]
) -> None:
    assert parts(e164).leads == leads


def test_the_line_cannot_be_broken_out_of() -> None:
    line = snippet("https://x.example/</script><b>\"'", "shop")
    assert line.count("</script>") == 1
    assert line.endswith("</script>")
    assert len(CLICK_IDS) < 40, "they go with every script"
