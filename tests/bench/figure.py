"""One measured figure beside its limit: what every benchmark hands back, and how a run of them is
shown.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`ours` and `limit` in `unit`; `limit` is what was measured in the same run without our part,
    if there is such.
    """

    name: str
    ours: float
    limit: float | None = None
    unit: str
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None  # None: there is no aim, the figure explains another
    note: str = ""


def show(figures: Iterable[Figure], *, as_json: bool) -> None:
    """The table, or one JSON object."""
    figures = list(figures)
    if as_json:
        print(json.dumps({"figures": [asdict(figure) for figure in figures]}, ensure_ascii=False))
        return
    table = Table("name", "ours", "limit", "ratio", "aim", "met?", "")
    for column in table.columns[1:4]:
        column.justify = "right"
    for figure in figures:
        verdict = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[figure.met]
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        ours, limit = (_with_unit(value, figure.unit) for value in (figure.ours, figure.limit))
        table.add_row(figure.name, ours, limit, ratio, figure.aim, verdict, figure.note)
    console = Console()
    Console(width=console.width if console.is_terminal else 160).print(table)


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"
