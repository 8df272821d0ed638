"""One row of the CEL log: read as cel_custom writes it, or refused with a reason."""

import csv
import io
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.asterisk.cel_rows import UnreadableRow, parse_row
from router.domain.calls.ledger import Row
from tests.support.builders import answered_call, line, missed_call


def row(*changes: tuple[int, str]) -> str:
    fields = [
        "ANSWER",
        "1795317602.887463",
        "rt1-1.0",
        "rt1-1.0",
        "PJSIP/a-1",
        "+7916",
        "Anna",
        "s",
        "x",
        "",
        "",
    ]
    for position, value in changes:
        fields[position] = value
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow(fields)
    return text.getvalue()


@pytest.mark.parametrize(
    "one", [*answered_call().rows, *missed_call().rows], ids=lambda one: one.event
)
def test_a_row_is_read_as_it_was_written(one: Row) -> None:
    assert parse_row(line(one).rstrip("\n")) == one


@pytest.mark.parametrize(
    "name",
    [
        'O\'Brien "x", y; z',
        "Анна\nИванова",
        "😀",
        '"',
        '""","',
        ",,,",
        "\r\n",
        "x" * 5000,
        "${SHELL(ls)}",
        "'; --",
    ],
)
def test_a_name_is_read_whatever_it_holds(name: str) -> None:
    row = replace(answered_call().rows[0], caller_name=name)
    assert parse_row(line(row).rstrip("\n")) == row


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 columns"),
        ("rubbish", "1 columns instead of 11"),
        (row() + ',"more"', "12 columns"),
        ('"ANSWER","1795317602.887463","half', "not CSV"),
        (row((1, "yesterday")), "not a time"),
        (row((1, "1795317602")), "not a time"),
        (row((1, "1795317602.88746")), "not a time"),
        (row((1, "1795317602.88746²")), "not a time"),
        (row((1, "-795317602.887463")), "not a time"),
        (row((1, "179531760299.887463")), "not a time"),
        (row((2, "")), "not a uniqueid"),
        (row((2, "a b")), "not a uniqueid"),
        (row((3, "x" * 65)), "not a uniqueid"),
        (row((3, "rt1-1.0\n")), "not a uniqueid"),
        (row((10, "{")), "not JSON"),
        (row((10, "[1]")), "not a JSON object"),
        (row((10, "[" * 30_000)), "not JSON"),
        (row((10, '{"a": ' + "9" * 5000 + "}")), "not JSON"),
    ],
)
def test_what_is_no_row_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(UnreadableRow, match=reason) as refused:
        parse_row(text)
    assert len(str(refused.value)) < 300


def test_characters_that_no_database_keeps_are_replaced() -> None:
    read = parse_row(row((6, "a\0b"), (10, r'{"extra":"x\u0000y\ud800z","k\u0000":1}')))
    assert read.caller_name == "a\ufffdb"
    assert read.extra == {"extra": "x\ufffdy\ufffdz", "k\ufffd": 1}


def test_of_extra_only_plain_texts_and_numbers_are_kept() -> None:
    read = parse_row(
        row(
            (
                10,
                '{"a":"x","b":17,"c":null,"d":{"e":1},"f":[1],"g":NaN,"h":1e999,"i":12345678901234567890}',
            )
        )
    )
    assert read.extra == {"a": "x", "b": 17}


@given(st.text())
def test_any_text_is_a_row_or_refused(text: str) -> None:
    with suppress(UnreadableRow):
        assert parse_row(text).uniqueid


@given(
    st.lists(
        st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")),
        min_size=11,
        max_size=11,
    )
)
def test_any_eleven_fields_are_a_row_or_refused(fields: list[str]) -> None:
    text = row(
        *(
            (position, value)
            for position, value in enumerate(fields)
            if position not in {1, 2, 3, 10}
        )
    )
    read = parse_row(text)
    assert (
        read.event,
        read.channel,
        read.caller_number,
        read.caller_name,
        read.extension,
        read.context,
    ) == (
        fields[0],
        *fields[4:9],
    )
