"""Query results as tables and bars of plain text, for a terminal of any width or a pipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

_NAMES = ("_id", "hour", "weekday", "year")
"""Numbers that name something rather than count it: user 1024 is not user 1,024."""
_TITLES = {"row_count": "rows", "rows_per_second": "rows/s", "mb": "MB", "mb_per_second": "MB/s"}
_BETWEEN = 2
_LONGEST_BAR, _SHORTEST_BAR = 50, 10
_NARROWEST = 8


@dataclass(frozen=True)
class Answer:
    """What a query gave: the names of its columns, and its rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def show(console: Console, answer: Answer, bar: str | None = None) -> None:
    """Print rows one a line, within the console's width: text is cut to fit, numbers and moments never.

    Args:
        console: where to.
        answer: the rows.
        bar: the column whose numbers are drawn as bars beside the rest.
    """
    if not answer.rows:
        console.print("(no rows)\n")
        return
    titles = [_TITLES.get(name, name.replace("_", " ")) for name in answer.columns]
    texts = [[_text(*cell) for cell in zip(row, answer.columns, strict=True)] for row in answer.rows]
    columns = list(zip(*answer.rows, strict=True))
    numeric = [_has_only(column, int, float, Decimal) for column in columns]
    whole = [_has_only(column, int, float, Decimal, datetime) for column in columns]
    natural = [max(map(cell_len, column)) for column in zip(titles, *texts, strict=True)]
    widths = _fitted(natural, whole, console.width - _BETWEEN * (len(natural) - 1))
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold"
    )
    for title, width, number in zip(titles, widths, numeric, strict=True):
        table.add_column(_cut(title, width), justify="right" if number else "left", width=width, no_wrap=True)
    bars = _bars(answer, bar, console.width - sum(widths) - _BETWEEN * len(widths)) if bar else None
    if bars:
        table.add_column("", no_wrap=True)
    for position, row in enumerate(texts):
        cells = [Text(_cut(text, width)) for text, width in zip(row, widths, strict=True)]
        table.add_row(*cells, *([bars[position]] if bars else []))
    console.print(table)
    console.print()


def _has_only(column: Sequence[Any], *types: type) -> bool:
    return all(value is None or isinstance(value, types) for value in column)


def _text(value: Any, column: str) -> str:  # noqa: ANN401 — whatever a driver returns
    """Render one value; what a terminal cannot print becomes a question mark."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, int) and column.endswith(_NAMES):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        number = float(value)
        return f"{number:,.0f}" if number >= 1000 else f"{number:,.1f}"
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))


def _fitted(natural: Sequence[int], whole: Sequence[bool], room: int) -> list[int]:
    """Take from the widest column that need not stay whole, again and again, until all fit into ``room``."""
    widths = list(natural)
    texts = [at for at, stays in enumerate(whole) if not stays]
    while sum(widths) > room and texts:
        widest = max(texts, key=lambda at: widths[at])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def _bars(answer: Answer, column: str, room: int) -> list[str] | None:
    """Draw the numbers of ``column`` as bars; None where there is no room for them."""
    longest = min(room, _LONGEST_BAR)
    if longest < _SHORTEST_BAR:
        return None
    at = answer.columns.index(column)
    numbers = [float(row[at] or 0) for row in answer.rows]
    scale = longest / (max(numbers) or 1.0)
    return ["█" * round(number * scale) for number in numbers]
