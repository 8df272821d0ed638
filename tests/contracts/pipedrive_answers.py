"""How the Pipedrive of the tests refuses a request."""

from typing import Any

Row = dict[str, Any]


class Failure(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class Violation(Failure):
    """Something that the reference does not allow."""


def typed(params: Row, known: dict[str, type]) -> Row:
    if unknown := params.keys() - known.keys():
        raise Violation(400, f"unknown parameters: {unknown}")
    return {name: known[name](text) for name, text in params.items()}


def check_types(body: Row, known: dict[str, type]) -> None:
    """Raises `Violation` for keys and types that the reference does not name."""
    if unknown := body.keys() - known.keys():
        raise Violation(400, f"unknown: {unknown}")
    for name, value in body.items():
        if type(value) is not known[name]:
            raise Violation(400, f"{name} is not of the type {known[name].__name__}")
