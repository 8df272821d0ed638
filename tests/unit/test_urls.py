"""Addresses are strangers' words: whatever they hold, what is kept of them is clean and short."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.domain.visitors.url import (
    MAX_ADDRESS,
    MAX_LABEL,
    MAX_WORD,
    clean,
    host_of,
    read_address,
    within,
)
from tests.unit.known_sources import read


@given(
    url=st.text() | st.text().map("https://shop.ru/?".__add__),
    referrer=st.none() | st.text().map("https://".__add__),
)
def test_nothing_raises_and_everything_is_clean_and_short(url: str, referrer: str | None) -> None:
    source = read(url, referrer)
    words = [
        source.source,
        source.medium,
        source.campaign,
        source.term,
        source.content,
        source.path,
        source.channel,
    ]
    for word in words:
        assert word is None or (len(word) <= MAX_WORD and word.isprintable() and word)
    for text in (source.landing, source.referrer):
        assert text is None or (len(text) <= MAX_ADDRESS and text.isprintable())


@example([], b"\xff\x98")  # a byte that windows-1251 has no letter for
@given(
    st.lists(st.tuples(st.sampled_from(["utm_source", "utm_medium", "gclid", "x"]), st.text())),
    st.binary(),
)
def test_labels_of_any_bytes_are_read(pairs: list[tuple[str, str]], raw: bytes) -> None:
    noise = "".join(f"%{byte:02x}" for byte in raw)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    source = read(f"https://shop.ru/{noise}?{noise}&{query}&utm_term={noise}")
    assert source.path.startswith("/")
    assert "\0" not in repr(source)


@given(st.text(alphabet=st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"]), min_size=1))
def test_what_cannot_be_seen_is_taken_out(text: str) -> None:
    assert clean(f"a{text}b") == "a b"


def test_long_words_are_cut() -> None:
    source = read("https://shop.ru/" + "p" * 900 + "?utm_source=" + "s" * 900)
    assert len(source.source) == MAX_WORD
    assert len(source.path) == MAX_WORD
    assert read("https://shop.ru/?fbclid=" + "f" * 400).click_ids == {"fbclid": "f" * 400}
    assert len(read("https://shop.ru/?fbclid=" + "f" * 900).click_ids["fbclid"]) == MAX_LABEL
    assert len(read_address("https://shop.ru/?" + "x" * 9000).text) == MAX_ADDRESS


def test_a_host_is_compared_in_one_spelling() -> None:
    assert host_of("WWW.Shop.RU.") == "shop.ru"
    assert host_of("xn--e1afmkfd.xn--p1ai") == "пример.рф"
    assert host_of("xn--\ud800") == "xn--"
    assert within("a.shop.ru", "shop.ru")
    assert not within("ashop.ru", "shop.ru")


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_long_word_that_was_cut_inside_a_letter_keeps_the_letters_before(cut: int) -> None:
    said = quote("диван" * 5)[:-cut]
    term = read(f"https://shop.ru/?utm_source=a&utm_term={said}").term
    assert term is not None
    assert len(term) >= 22
    assert ("диван" * 5).startswith(term)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gad_source=1&gad_campaignid=2", ("google", "cpc")),  # iOS has removed gclid
        ("srsltid=AfmBOoq", ("google", "organic")),
        ("igsh=MzRl", ("instagram", "social")),
        ("gclid%3Dabc", ("google", "cpc")),
    ],
)
def test_what_is_left_of_click_ids_names_the_sender(query: str, expected: tuple[str, str]) -> None:
    source = read(f"https://shop.ru/?{query}")
    assert (source.source, source.medium) == expected
