"""Charts are well-formed, say what they show, and hold nothing that somebody has written as mark-up."""

from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from sparkify_watch import charts

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '"><script>alert(1)</script>&\x1b\ud800'
DAY = datetime(2018, 11, 15)
POINTS = [(DAY + timedelta(hours=n), float(n * n)) for n in range(30)]


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def told(svg: str) -> list[str]:
    """What each mark says of itself, the chart's own title first."""
    return [title.text or "" for title in parse(svg).iter(f"{SVG}title")]


CHARTS = {
    "bars": lambda label: charts.bars([(label, 3), ("other", 0)], label),
    "columns": lambda label: charts.columns([(label, 3), ("other", 0)], label),
    "lines": lambda label: charts.lines({label: POINTS, "other": POINTS[:1]}, label),
    "sparkline": lambda label: charts.sparkline([1, 5, 2], label),
    "strip": lambda label: charts.strip([(label, "passed"), (label, "failed")], label),
}
EMPTY = {
    "bars": charts.bars([], "none"),
    "columns": charts.columns([], "none"),
    "lines": charts.lines({}, "none"),
    "sparkline": charts.sparkline([], "none"),
    "strip": charts.strip([], "none"),
}


@pytest.mark.parametrize("kind", CHARTS)
def test_what_somebody_has_written_is_text_in_a_chart(kind):
    root = parse(CHARTS[kind](EVIL))
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert root.get("aria-label") == '"><script>alert(1)</script>&\\x1b\\ud800'
    assert root.get("role") == "img"
    assert told(CHARTS[kind]("Plays"))[0] == "Plays"


@pytest.mark.parametrize("kind", EMPTY)
def test_nothing_at_all_is_a_chart_too(kind):
    assert told(EMPTY[kind]) == ["none"]


@pytest.mark.parametrize("kind", CHARTS)
def test_a_chart_has_no_style_that_a_page_would_have_to_allow(kind):
    assert not [element for element in parse(CHARTS[kind]("x")).iter() if element.get("style")]


def test_bars_are_as_long_as_their_values_and_say_them():
    svg = charts.bars([("a", 100), ("b", 25), ("c", 0)], "t")
    long, short, none = (float(rect.get("width", "")) for rect in parse(svg).iter(f"{SVG}rect"))
    assert short == pytest.approx(long / 4, abs=0.1)
    assert none == 1
    assert told(svg) == ["t", "a: 100", "b: 25", "c: 0"]


def test_columns_stand_on_the_axis_and_are_as_high_as_their_values():
    rects = list(parse(charts.columns([("a", 100), ("b", 50)], "t")).iter(f"{SVG}rect"))
    feet = {float(rect.get("y", "")) + float(rect.get("height", "")) for rect in rects}
    heights = [float(rect.get("height", "")) for rect in rects]
    assert len(feet) == 1
    assert heights[0] == pytest.approx(2 * heights[1])


def test_points_of_a_line_are_placed_by_their_time_and_marked_as_long_as_there_are_few():
    svg = charts.lines(
        {"rows": [(DAY, 1), (DAY + timedelta(hours=1), 2), (DAY + timedelta(hours=4), 3)]}, "t"
    )
    first, second, last = (float(c.get("cx", "")) for c in parse(svg).iter(f"{SVG}circle"))
    assert (last - first) == pytest.approx(4 * (second - first), abs=0.5)
    assert told(svg)[1] == "rows, 2018-11-15 00:00: 1"
    many = charts.lines({"rows": [(DAY + timedelta(hours=n), n) for n in range(500)]}, "t")
    assert not list(parse(many).iter(f"{SVG}circle"))


def test_labels_that_would_overlap_are_left_out():
    texts = [
        t.text for t in parse(charts.columns([(f"{n:02}:00", n) for n in range(200)], "t")).iter(f"{SVG}text")
    ]
    assert 5 < len(texts) < 20


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (0.25, "0.25"),
        (12345.678, "12,346"),
        (1e-7, "1e-07"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_written_for_people(number, text):
    assert charts.shown(number) == text
