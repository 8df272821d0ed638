"""A text that a CRM saved in its own way is still ours; a client ID must be the same."""

import pytest

from router.domain.delivery.saved_text import is_changed, made_of, same_id, same_text

LANDING = "https://example.com/windows?utm_campaign=spring"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Spring sale ", "Spring sale"),
        ("Spring  sale", "Spring sale"),
        ("Windows & doors", "Windows &amp; doors"),
        ('"Windows"', "&quot;Windows&quot;"),
        ("Spring", "spring"),
        ("1234", "1,234"),
        ("1234", "1 234,00"),
        ("1234.5", "1\u202f234,5"),
        ("94", "94.0"),
    ],
)
def test_spaces_case_escapes_and_separators_make_no_other_text(written: str, found: str) -> None:
    assert same_text(written, found)
    assert made_of(written, found)


@pytest.mark.parametrize(
    ("written", "found"), [("google", "yandex"), ("94", "95"), ("google", "goo"), ("google", "")]
)
def test_another_text_is_of_others(written: str, found: str) -> None:
    assert not made_of(written, found)


@pytest.mark.parametrize("found", [LANDING[:30], LANDING[:30] + "\ufffd"])
def test_a_text_that_was_cut_is_ours_but_not_the_same(found: str) -> None:
    assert made_of(LANDING, found)
    assert not same_text(LANDING, found)


def test_a_client_id_is_kept_as_it_is() -> None:
    assert same_id("123.456", " 123.456 ")
    assert same_id("a&b.1", "a&amp;b.1")
    assert not same_id("abc.1", "ABC.1")
    assert not same_id("123.456", "123.45")


@pytest.mark.parametrize("found", ["abc", "ABC.1700000001", "abc.1700000001…"])
def test_a_changed_client_id_is_told_from_one_of_others(found: str) -> None:
    assert is_changed("abc.1700000001", found)
    assert not is_changed("abc.1700000001", "def.1")


@pytest.mark.parametrize("found", ["123,456,789.17", "123 456 789,17", "123456789.170"])
def test_a_client_id_in_a_field_for_numbers_is_changed(found: str) -> None:
    assert is_changed("123456789.17", found)
