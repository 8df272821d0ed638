"""Sets up the log: lines for people on a terminal, JSON otherwise."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure_logs(level: str, part: str = "") -> None:
    """Lines that name an action and the part that did it: for people on a terminal, JSON
    otherwise.
    """
    terminal = sys.stderr.isatty()

    def add_part(
        _logger: Any, _method: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if not part:
            return line
        return {"part": part, **line}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            add_part,
            structlog.processors.TimeStamper(
                fmt="%H:%M:%S" if terminal else "iso", utc=not terminal
            ),
            printable,
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer()
            if terminal
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING)


def printable(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Escape what is not printable in the values of a line: line breaks would forge lines, and a
    terminal obeys the others.
    """
    for name, value in line.items():
        if isinstance(value, str) and not value.isprintable():
            line[name] = "".join(map(_escaped, value))
    return line


def _escaped(letter: str) -> str:
    if letter.isprintable():
        return letter
    return letter.encode("unicode_escape").decode()
