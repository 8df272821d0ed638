"""Text of other systems, as it is stored and shown."""

from router.domain.text import one_line, storable


def test_a_text_is_one_line_of_what_can_be_seen() -> None:
    assert one_line(" Not\x00 found\r\n\u202e at\tall\ud800 ") == "Not found at all"
    assert one_line("Ошибка: «нет прав»") == "Ошибка: «нет прав»"


def test_a_long_text_is_cut() -> None:
    assert one_line("word " * 10**6, 12) == "word word wo"
    assert len(one_line("x" * 10**6)) == 300


def test_what_no_database_keeps_is_replaced() -> None:
    assert storable("a\0b\ud83dc\udfffd") == "a\ufffdb\ufffdc\ufffdd"
    assert storable("line\n😀") == "line\n😀"
