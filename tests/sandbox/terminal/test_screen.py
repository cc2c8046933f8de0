"""Query results on the screen."""

import io
from datetime import datetime
from decimal import Decimal

import pytest
from rich.console import Console

from sandbox.terminal.screen import Answer, show

LONG = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/37.0.2062.94 Safari/537.36"
)


def shown(answer: Answer, width: int = 80, bar: str | None = None) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(console, answer, bar)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_numbers_are_aligned_right_with_separators_and_ids_plain() -> None:
    answer = Answer(("user_id", "plays", "share"), [(1024, 1234567, Decimal("12.34")), (7, 3, 1500.5)])

    assert shown(answer)[2:4] == ["   1024  1,234,567   12.3", "      7          3  1,500"]


def test_text_moments_and_nothing_are_readable() -> None:
    answer = Answer(("title", "played_at"), [("Café", datetime(2018, 11, 1, 2, 3, 4, 5000)), (None, None)])

    assert shown(answer)[2:4] == ["Café   2018-11-01 02:03:04", "-      -"]


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert shown(Answer(("title",), [("Howlin\x19\x1b[31m",)]))[2] == "Howlin??[31m"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_console_and_no_number_is_cut(width: int) -> None:
    answer = Answer(("user_agent", "location", "plays"), [(LONG, "Somewhere-Else, " * 5, 123456)] * 3)

    lines = shown(answer, width)
    assert max(map(len, lines)) <= width
    assert all(line.endswith("123,456") for line in lines[2:5])
    assert "…" in lines[2]
    assert len(lines) == 6


def test_text_that_fits_is_not_cut() -> None:
    assert shown(Answer(("agent", "plays"), [(LONG, 1)]), width=130)[2] == f"{LONG}      1"


def test_bars_are_proportional_and_fill_the_width() -> None:
    answer = Answer(("hour", "plays"), [(0, 10), (1, 40), (2, 0)])

    bars = [line.count("█") for line in shown(answer, 80, "plays")[2:5]]
    assert bars[1] == 4 * bars[0] + bars[1] % 4
    assert 40 <= bars[1] <= 60
    assert bars[2] == 0
    assert max(map(len, shown(answer, 40, "plays"))) <= 40


def test_an_empty_answer_says_so() -> None:
    assert shown(Answer(("a",), []))[0] == "(no rows)"
