"""Questions are asked when something was loaded since, and what cannot be answered leaves the last answer."""

from datetime import timedelta

import pytest

from definitions.sparkify import SPARKIFY
from sparkify_watch import subjects
from sparkify_watch.mirror import answers, refresh
from tests.sparkify_watch.records import DAY, load

HOUR = timedelta(hours=1)


@pytest.fixture
def questions(tmp_path, monkeypatch):
    """The folder of the dataset's questions; every question may be asked at any time."""
    monkeypatch.setattr(subjects, "INCLUDE", [str(tmp_path)])
    monkeypatch.setattr(answers, "_PAUSE", 0)
    folder = tmp_path / "sparkify" / "analytics"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def look(ops, session, store, questions):
    """Refresh the mirror; give the questions asked, and the answers."""

    def refreshed():
        session.statements.clear()
        refresh.refresh(session, store, [SPARKIFY])
        asked = [sql for sql in session.statements if sql.startswith("-- ")]
        with store.reading() as db:
            return len(asked), {answer.name: answer for answer in answers.answers_of(db, SPARKIFY)}

    ops.run("CREATE TABLE songplays (start_time TIMESTAMP, amount NUMERIC(9, 2), name VARCHAR(64))")
    ops.run(f"INSERT INTO songplays VALUES ('{DAY}', 1.5, NULL), ('{DAY + HOUR}', 2, 'x')")
    return refreshed


def test_a_question_is_asked_once_for_each_load_or_when_it_is_another(look, ops, questions):
    file = questions / "all.sql"
    file.write_text(
        "-- What is there? A note.\n-- Chart: amount by start_time.\nSELECT * FROM songplays ORDER BY 1"
    )
    assert look()[0] == 0
    ops.add("loads", load(DAY))
    asked, found = look()
    assert asked == 1
    assert found["all"].title == "What is there?"
    assert found["all"].columns == ["start_time", "amount", "name"]
    assert found["all"].rows == [["2018-11-15 00:00:00", 1.5, None], ["2018-11-15 01:00:00", 2.0, "x"]]
    assert look()[0] == 0
    ops.add("loads", load(DAY + HOUR))
    assert look()[0] == 1
    file.write_text("-- What is there?\nSELECT COUNT(*) AS plays FROM songplays")
    assert look()[1]["all"].rows == [[2]]


def test_what_cannot_be_answered_says_why_and_leaves_the_last_answer(look, ops, questions):
    (questions / "all.sql").write_text("-- How many?\nSELECT COUNT(*) AS plays FROM songplays")
    ops.add("loads", load(DAY))
    look()
    ops.run("DROP TABLE songplays")
    ops.add("loads", load(DAY + HOUR))
    [answer] = look()[1].values()
    assert answer.rows == [[2]]
    assert "songplays" in answer.problem
    assert look()[0] == 0


def test_a_question_that_takes_too_long_is_given_up_and_the_others_are_asked(
    look, ops, questions, monkeypatch
):
    monkeypatch.setattr(answers, "SECONDS", 0.2)
    long = "SELECT COUNT(*) AS n FROM " + ", ".join(f"songplays AS t{n}" for n in range(40))
    (questions / "long.sql").write_text(f"-- How long?\n{long}")
    (questions / "short.sql").write_text("-- How short?\nSELECT 1 AS n")
    ops.add("loads", load(DAY))
    found = look()[1]
    assert (
        found["long"].problem
        == "It took the warehouse longer than 0.2 seconds, and the page waits no longer."
    )
    assert found["short"].rows == [[1]]


def test_so_many_rows_are_kept_and_no_more(look, ops, questions):
    joined = ", ".join(f"songplays AS t{n}" for n in range(9))
    (questions / "many.sql").write_text(f"-- How many?\nSELECT 1 AS n FROM {joined}")
    ops.add("loads", load(DAY))
    assert len(look()[1]["many"].rows) == answers.MOST_ROWS


def test_a_question_that_is_gone_is_forgotten(look, ops, questions, store):
    file = questions / "all.sql"
    file.write_text("-- How many?\nSELECT COUNT(*) AS plays FROM songplays")
    ops.add("loads", load(DAY))
    look()
    file.unlink()
    assert look()[1] == {}
    with store.reading() as db:
        assert db.execute("SELECT COUNT(*) FROM answers").fetchone()[0] == 0
