"""Which questions a dataset has, and what their files say of them."""

import dataclasses

import pytest

from definitions import DATASETS
from definitions.sparkify import SPARKIFY
from sparkify_watch import questions, subjects
from sparkify_watch.drawing import draw_answer
from sparkify_watch.mirror.answers import Answer, bounded
from sparkify_watch.questions import questions_of, read_question

FILE = """\
-- At which hours do listeners play? A note: of
-- two lines.
-- Chart: plays by hour.
SELECT hour, plays FROM t WHERE name = %(name)s; -- Chart: no by no.
"""


def test_a_file_says_the_question_a_note_and_what_is_drawn(tmp_path):
    (tmp_path / "when.sql").write_text(FILE)
    found = read_question(tmp_path / "when.sql")
    assert (found.name, found.title) == ("when", "At which hours do listeners play?")
    assert found.note == "A note: of two lines."
    assert found.chart == ("plays", "hour")
    assert found.sql == FILE


def test_a_file_without_a_comment_is_asked_by_its_name(tmp_path):
    (tmp_path / "plain.sql").write_text("SELECT 1")
    found = read_question(tmp_path / "plain.sql")
    assert (found.title, found.note, found.chart) == ("plain", "", None)


def test_questions_that_want_a_value_from_somebody_are_left_out(tmp_path, monkeypatch):
    folder = tmp_path / "sparkify" / "analytics"
    folder.mkdir(parents=True)
    (folder / "wants.sql").write_text(FILE)
    (folder / "asks.sql").write_text("-- What is it.\nSELECT 1")
    monkeypatch.setattr(subjects, "INCLUDE", [str(tmp_path)])
    assert [(each.name, each.title) for each in questions_of(SPARKIFY)] == [("asks", "What is it")]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_dataset_has_questions_of_which_some_are_drawn(dataset):
    found = questions_of(dataset)
    assert found[0].chart
    assert all(each.title[0].isupper() and len(each.title) > 10 for each in found)


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("SELECT 1;\n", "SELECT 1\nLIMIT 201"),
        ("SELECT 1 LIMIT 10;\n", "SELECT 1 LIMIT 10"),
        ("SELECT 1\nlimit 10", "SELECT 1\nlimit 10"),
        ("SELECT (SELECT 1 LIMIT 1) AS a -- few", "SELECT (SELECT 1 LIMIT 1) AS a -- few\nLIMIT 201"),
    ],
)
def test_no_question_has_more_rows_than_are_kept(sql, asked):
    assert bounded(sql) == asked


ANSWER = Answer("n", "How many?", "", ("plays", "hour"), ["hour", "plays"], [[0, 3], [1, 5]], None, "")


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ({}, ["0: 3", "1: 5"]),
        ({"rows": [["a", 3], [None, 5.5], ["c", None]]}, ["a: 3", "None: 5.5"]),
        ({"rows": [["2018-11-01 00:00:00", 3]]}, ["2018-11-01: 3"]),
        ({"chart": None}, []),
        ({"chart": ("gone", "hour")}, []),
        ({"rows": []}, []),
    ],
)
def test_an_answer_is_drawn_as_far_as_it_has_numbers(given, kinds):
    svg = draw_answer(dataclasses.replace(ANSWER, **given))
    assert all(f"<title>{kind}</title>" in svg for kind in kinds)
    assert bool(svg) is bool(kinds)


def test_comments_are_read_up_to_the_statement_only():
    assert questions._comment(["-- a", "--  b", "SELECT 1", "-- c"]) == "a b"
