"""What the page says of backfills: which hours are in the tables, whatever Airflow calls complete."""

from datetime import UTC, datetime, timedelta

import pytest

from sparkify_watch.airflow_runs import list_backfills, list_spans, list_wide_runs
from sparkify_watch.mirror.schema import stamp
from tests.sparkify_watch.web_server import Person

PAGE = "/warehouse/sparkify/backfills"
DAY = datetime(2018, 11, 15)
HOUR = timedelta(hours=1)


@pytest.fixture
def record(mirror):
    """Record loads of hours, of every table or of some."""

    def write(hours, tables=("staging_events", "songplays", "time")):
        with mirror.writing() as db:
            for hour in hours:
                for table in tables:
                    _insert(db, table, DAY + hour * HOUR)

    return write


def _insert(db, table, start):
    number = db.execute("SELECT COUNT(*) FROM loads").fetchone()[0]
    at = datetime(2020, 11, 20) + number * timedelta(seconds=1)
    row = {
        "load_id": f"{number:06}",
        "dag_id": "sparkify_etl",
        "run_id": "a",
        "task_id": "b",
        "target_table": table,
        "window_start": stamp(start),
        "window_end": stamp(start + HOUR),
        "rows_deleted": 0,
        "rows_inserted": 5,
        "rows_rejected": 0,
        "files": 1,
        "bytes": 9,
        "started_at": stamp(at),
        "finished_at": stamp(at),
        "owner": "sparkify",
    }
    names = ", ".join(row)
    db.execute(f"INSERT INTO loads ({names}) VALUES ({', '.join('?' for _ in row)})", tuple(row.values()))


@pytest.fixture
def backfill(op):
    """Backfill some hours of the day; with a state, all of its runs end in it, each after ten seconds."""
    return lambda first, last, state="", **more: _backfill(op, first, last, state, more)


def _backfill(person: Person, first: int, last: int, state: str, more) -> int:
    made = person.change(
        "POST",
        "backfills",
        {
            "dag_id": "sparkify_etl",
            "from_date": f"{DAY + first * HOUR}Z",
            "to_date": f"{DAY + last * HOUR}Z",
            "max_active_runs": 2,
            **more,
        },
    )
    if state:
        end_runs(state, made["id"])
    return made["id"]


def end_runs(state: str, backfill: int, least: int = 0) -> None:
    """End the runs of a backfill but for some, one every ten seconds."""
    from airflow.models.backfill import Backfill
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        runs = session.scalars(select(DagRun).where(DagRun.backfill_id == backfill).order_by(DagRun.id)).all()
        began = datetime(2026, 11, 1, tzinfo=UTC)
        for number, run in enumerate(runs[: len(runs) - least]):
            run.start_date = began + number * timedelta(seconds=10)
            run.end_date = run.start_date + timedelta(seconds=10)
            run._state = state
        if not least:
            session.get_one(Backfill, backfill).completed_at = func.now()


def test_hours_that_airflow_calls_complete_are_listed_as_missing_with_a_button_for_each_stretch(
    op, backfill, record
):
    backfill(0, 5, "success")
    record([0, 1, 4])
    text = op.get(PAGE).text
    assert "3 of 6 hours are in the tables, 3 are not as they should be." in text
    assert "Airflow says: complete since" in text
    assert "its runs: 6 success" in text
    assert "2018-11-15 02:00 to 2018-11-15 04:00: 2 hours, missing" in text
    assert "2018-11-15 05:00 to 2018-11-15 06:00: 1 hour, missing" in text
    assert 'name="window_start" value="2018-11-15T02:00:00+00:00"' in text
    assert 'aria-label="Load 2018-11-15 05:00 to 2018-11-15 06:00"' in text


def test_an_hour_that_is_staged_but_not_in_every_table_is_not_in_the_tables(op, backfill, record):
    backfill(0, 1, "success")
    record([0, 1], ["staging_events", "songplays"])
    record([0], ["time"])
    text = op.get(PAGE).text
    assert "1 of 2 hours are in the tables, 1 are not" in text
    assert "2018-11-15 01:00 to 2018-11-15 02:00: 1 hour, late" in text


def test_a_backfill_whose_hours_are_all_there_says_so(op, backfill, record):
    backfill(0, 2, "success")
    record([0, 1, 2])
    text = op.get(PAGE).text
    assert "3 of 3 hours are in the tables." in text
    assert "missing" not in text.split("<main", 1)[1]


def test_one_that_failed_is_in_the_tables_where_another_run_has_loaded_its_hours(op, backfill, record):
    backfill(0, 1, "failed")
    record([0, 1])
    text = op.get(PAGE).text
    assert "2 of 2 hours are in the tables." in text
    assert "its runs: 2 failed" in text


def test_a_viewer_reads_it_without_buttons(viewer, backfill):
    backfill(0, 1, "success")
    text = viewer.get(PAGE).text
    assert "2 hours, missing" in text
    assert "<button" not in text.split("<main", 1)[1]


def test_how_long_it_will_take_follows_from_its_own_runs_or_else_from_those_before(op, backfill):
    number = backfill(0, 9)
    assert "nothing tells yet" in op.get(PAGE).text
    end_runs("success", number, least=4)
    # Six have ended, one every ten seconds; four are left.
    assert "It will take about 40 s more." in op.get(PAGE).text
    end_runs("success", number)

    later = backfill(10, 15)
    text = op.get(PAGE).text
    assert f"Backfill {later}: 2018-11-15 10:00 to 2018-11-15 16:00" in text
    # Two at once, ten seconds each.
    assert "It will take about 30 s more." in text
    assert "A run of one hour takes about 10 s, a backfill of a day with 4 runs at once about 1 min" in text


def test_a_run_with_a_wide_window_is_shown_and_one_of_an_hour_is_not(op, record):
    for start, end in ((0, 3), (5, 6)):
        conf = {"window_start": f"{DAY + start * HOUR}Z", "window_end": f"{DAY + end * HOUR}Z"}
        conf = {name: value.replace(" ", "T") for name, value in conf.items()}
        op.change("POST", "dags/sparkify_etl/dagRuns", {"logical_date": None, "conf": conf})
    record([0, 1])
    text = op.get(PAGE).text
    assert "Run: 2018-11-15 00:00 to 2018-11-15 03:00" in text
    assert "2 of 3 hours are in the tables, 1 are not" in text
    assert "2018-11-15 05:00" not in text


def test_a_run_with_one_end_of_a_window_or_none_is_no_wide_run(op):
    from airflow.utils.session import create_session

    for conf in ({}, {"window_start": "2018-11-15T00:00:00Z"}, {"look_back_days": 2}):
        op.change("POST", "dags/sparkify_etl/dagRuns", {"logical_date": None, "conf": conf})
    with create_session() as session:
        assert list_wide_runs(session, "sparkify_etl", 10) == []
        assert list_backfills(session, "sparkify_etl", 10) == []
        assert list_spans(session, "sparkify_etl") == []
    assert "There was no backfill yet" in op.get(PAGE).text


def test_a_backfill_of_ten_thousand_hours_is_shown_soon(op, backfill, record):
    from airflow.models.backfill import Backfill
    from airflow.utils.session import create_session

    backfill(0, 0, "success")
    record(range(0, 10_000, 3))
    with create_session() as session:
        session.query(Backfill).update({"to_date": (DAY + 9_999 * HOUR).replace(tzinfo=UTC)})
    op.get(PAGE)
    began = datetime.now(UTC)
    text = op.get(PAGE).text
    assert datetime.now(UTC) - began < timedelta(seconds=2)
    assert "3,334 of 10,000 hours" in text
    assert "more stretches" in text


def test_what_is_too_long_for_one_page_is_left_to_the_map(op, backfill):
    from airflow.models.backfill import Backfill
    from airflow.utils.session import create_session

    backfill(0, 0, "success")
    with create_session() as session:
        session.query(Backfill).update({"to_date": (DAY + 99_999 * HOUR).replace(tzinfo=UTC)})
    text = op.get(PAGE).text
    assert "It is too long to be counted here" in text
    assert "/warehouse/sparkify/hours?year=2018" in text


def test_a_dataset_that_is_loaded_by_the_month_is_counted_in_months(op):
    made = {"dag_id": "stores_etl", "from_date": "2018-11-01T00:00:00Z", "to_date": "2018-12-01T00:00:00Z"}
    op.change("POST", "backfills", {**made, "max_active_runs": 1})
    text = op.get("/warehouse/stores/backfills").text
    assert "0 of 2 months are in the tables" in text
    assert "2018-11-01 00:00 to 2019-01-01 00:00: 2 months, missing" in text
