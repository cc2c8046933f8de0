"""Charts as inline SVG: no script, no font, no file beside them.

Every chart says in words what it shows (its title is its accessible name) and every mark says its value when
the pointer rests on it. Colours are classes (`chart-1` …), which a style sheet gives by variables, light and
dark; an attribute stands in where there is none.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape

from sparkify.text import printable

COLOURS = ("#2f6fb0", "#b35900", "#2e7d4f", "#8e4585", "#75661b", "#b3394b")
"""Of series, where no style sheet says otherwise: 4.5 to 1 against white at least."""

_TEXT = "#57606a"
_WIDTH = 640
_LABELS, _ROW = 190, 24
_LEFT, _TOP, _PLOT = 64, 12, 180
_MOST_MARKS = 60


def shown(number: float) -> str:
    """Return a number for people: 1,234,567 and 0.25."""
    return f"{number:,.0f}" if float(number).is_integer() or abs(number) >= 1000 else f"{number:,.4g}"


def bars(items: Sequence[tuple[str, float]], title: str) -> str:
    """Draw a horizontal bar for each label, with its value written behind it.

    Args:
        items: labels and values, none of them negative, in the order in which they are drawn.
        title: what is shown, for those who do not see it, too.
    """
    most = max((value for _, value in items), default=0) or 1
    room = _WIDTH - _LABELS - 90
    rows = [
        _bar(label, value, n * _ROW, max(1.0, room * value / most)) for n, (label, value) in enumerate(items)
    ]
    return _chart(title, _WIDTH, max(1, len(items)) * _ROW, "".join(rows))


def _bar(label: str, value: float, top: float, width: float) -> str:
    told = f"{label}: {shown(value)}"
    return (
        _text(_cut(label, 26), _LABELS - 8, top + 16, anchor="end")
        + _tag("rect", _told(told), x=_LABELS, y=top + 3, width=width, height=_ROW - 7, rx=2, **_fill(0))
        + _text(shown(value), _LABELS + width + 6, top + 16)
    )


def columns(items: Sequence[tuple[str, float]], title: str) -> str:
    """Draw an upright bar for each label, side by side, over an axis; for hours, days, months."""
    most = _top(max((value for _, value in items), default=0))
    step = (_WIDTH - _LEFT) / max(1, len(items))
    marks = [
        _tag(
            "rect",
            _told(f"{label}: {shown(value)}"),
            x=_LEFT + n * step + step * 0.1,
            y=_height(value, most),
            width=step * 0.8,
            height=_TOP + _PLOT - _height(value, most),
            **_fill(0),
        )
        for n, (label, value) in enumerate(items)
    ]
    places = [(_LEFT + (n + 0.5) * step, label) for n, (label, _) in enumerate(items)]
    return _chart(title, _WIDTH, _TOP + _PLOT + 24, _axes(most) + "".join(marks) + _foot(places))


def lines(series: Mapping[str, Sequence[tuple[datetime, float]]], title: str) -> str:
    """Draw a line for each series over time, with a legend where there are several.

    Args:
        series: by name, the points of each, oldest first; values are not negative.
        title: what is shown.
    """
    points = [point for found in series.values() for point in found]
    most = _top(max((value for _, value in points), default=0))
    first, last = _span([moment for moment, _ in points])
    drawn = [
        _line(
            number,
            name,
            [
                (_across(at, first, last), _height(value, most), f"{at:%Y-%m-%d %H:%M}", value)
                for at, value in found
            ],
        )
        for number, (name, found) in enumerate(series.items())
    ]
    places = [(_across(at, first, last), label) for at, label in _dates(first, last)] if points else []
    legend = _legend(list(series)) if len(series) > 1 else ""
    height = _TOP + _PLOT + 24 + (20 if legend else 0)
    return _chart(title, _WIDTH, height, _axes(most) + "".join(drawn) + _foot(places) + legend)


def _line(number: int, name: str, points: Sequence[tuple[float, float, str, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
    line = _tag("polyline", "", points=path, fill="none", stroke_width=2, **_stroke(number))
    # Marks of a long line would hide it.
    marks = points if len(points) <= _MOST_MARKS else ()
    return line + "".join(
        _tag("circle", _told(f"{name}, {at}: {shown(value)}"), cx=x, cy=y, r=3, **_fill(number))
        for x, y, at, value in marks
    )


def sparkline(values: Sequence[float], title: str, width: int = 120, height: int = 24) -> str:
    """Draw a line so small that it stands in a row of a table; its title has to say what there is to know."""
    least, most = min(values, default=0), max(values, default=0)
    step = (width - 4) / max(1, len(values) - 1)
    scale = (height - 4) / ((most - least) or 1)
    points = [(2 + n * step, height - 2 - (value - least) * scale) for n, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    line = _tag("polyline", "", points=path, fill="none", stroke_width=1.5, **_stroke(0))
    end = _tag("circle", "", cx=points[-1][0], cy=points[-1][1], r=2, **_fill(0)) if points else ""
    return _chart(title, width, height, line + end, kind="chart spark")


def strip(items: Sequence[tuple[str, str]], title: str, width: int = 240, height: int = 18) -> str:
    """Draw a cell for each of a sequence of states, oldest first; for the history of a check.

    Args:
        items: what is told of each cell, and its state, which becomes the class `state-<state>`.
        title: what is shown.
        width: of all.
        height: of all.
    """
    step = width / max(1, len(items))
    cells = [
        _tag(
            "rect",
            _told(told),
            x=n * step,
            y=0,
            width=max(1.0, step - 1),
            height=height,
            class_=f"state-{state}",
            fill=_TEXT,
        )
        for n, (told, state) in enumerate(items)
    ]
    return _chart(title, width, height, "".join(cells), kind="chart strip")


def _chart(title: str, width: float, height: float, content: str, kind: str = "chart") -> str:
    return _tag(
        "svg",
        _told(title) + content,
        xmlns="http://www.w3.org/2000/svg",
        class_=kind,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        aria_label=title,
    )


def _axes(most: float) -> str:
    """Draw lines across at nothing, half and all of the height, with their values."""
    parts = []
    for value in (0.0, most / 2, most):
        y = _height(value, most)
        parts.append(_tag("line", "", x1=_LEFT, x2=_WIDTH, y1=y, y2=y, class_="chart-grid", stroke="#d0d7de"))
        parts.append(_text(shown(value), _LEFT - 6, y + 4, anchor="end"))
    return "".join(parts)


def _foot(places: Sequence[tuple[float, str]]) -> str:
    """Write as many labels below the axis as there is room for."""
    longest = max((len(label) for _, label in places), default=0)
    every = max(1, math.ceil(len(places) * (longest * 8 + 10) / (_WIDTH - _LEFT)))
    return "".join(_text(label, x, _TOP + _PLOT + 18, anchor="middle") for x, label in places[::every])


def _legend(names: Sequence[str]) -> str:
    parts, x, y = [], float(_LEFT), _TOP + _PLOT + 28
    for number, name in enumerate(names):
        parts.append(_tag("rect", "", x=x, y=y, width=10, height=10, **_fill(number)))
        parts.append(_text(_cut(name, 24), x + 14, y + 10))
        x += 28 + 7.5 * min(len(name), 24)
    return "".join(parts)


def _height(value: float, most: float) -> float:
    return _TOP + _PLOT * (1 - value / most)


def _across(moment: datetime, first: datetime, last: datetime) -> float:
    return _LEFT + 8 + (_WIDTH - _LEFT - 56) * ((moment - first) / (last - first))


def _span(moments: Sequence[datetime]) -> tuple[datetime, datetime]:
    if not moments:
        return datetime(1970, 1, 1), datetime(1970, 1, 2)  # noqa: DTZ001 - naive as all moments are
    first, last = min(moments), max(moments)
    return first, last if last > first else first + timedelta(hours=1)


def _dates(first: datetime, last: datetime) -> list[tuple[datetime, str]]:
    form = "%d %b %H:%M" if last - first < timedelta(days=3) else "%d %b %Y"
    return [(moment, moment.strftime(form)) for moment in (first + (last - first) * n / 4 for n in range(5))]


def _top(most: float) -> float:
    """Return the round number at which an axis ends."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= most)


def _fill(number: int) -> dict[str, object]:
    return {"class_": f"chart-{number % len(COLOURS) + 1}", "fill": COLOURS[number % len(COLOURS)]}


def _stroke(number: int) -> dict[str, object]:
    colour = COLOURS[number % len(COLOURS)]
    return {"class_": f"chart-line-{number % len(COLOURS) + 1}", "stroke": colour}


def _text(text: str, x: float, y: float, anchor: str = "start") -> str:
    return _tag(
        "text", escape(printable(text)), x=x, y=y, text_anchor=anchor, class_="chart-text", fill=_TEXT
    )


def _told(text: str) -> str:
    return _tag("title", escape(printable(text)))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _tag(name: str, content: str = "", **attributes: object) -> str:
    """Return an element; `class_` and `stroke_width` stand for class and stroke-width."""
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(_written(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>"


def _written(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else printable(str(value))
