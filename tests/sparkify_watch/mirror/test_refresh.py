"""The mirror becomes what the warehouse is, and asks for no more than what is new."""

from datetime import timedelta

import pytest

from definitions import DATASETS
from sparkify.warehouse import reset
from sparkify.warehouse.ledger import TaskRun
from sparkify.warehouse.schema import with_ops
from sparkify_watch.mirror import read, read_files, read_quality, read_task, records, refresh
from tests.sparkify_watch.records import DAY, load, load_id, rejected_row, result, staged_file

HOUR = timedelta(hours=1)
COPIED = ("loads", "staged_files", "rejected_rows", "quality_results", "changes", "changes_taken")


@pytest.fixture
def look(session, store):
    """Refresh the mirror; give the statements that this took, and what the mirror holds."""

    def refreshed(**given):
        session.statements.clear()
        refresh.refresh(session, store, DATASETS, **given)
        return list(session.statements)

    return refreshed


def count(store, table):
    with store.reading() as db:
        return db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


def loads(store, owner="sparkify", **given):
    with store.reading() as db:
        return read.loads(db, owner, **given).items


def rejected(store, **given):
    with store.reading() as db:
        return read_files.rejected_rows(db, "sparkify", **given).items


def brought(statements):
    """The statements that fetched rows of ops, in order: those of all columns."""
    return [sql for sql in statements if "run_id, task_id" in sql or "etag" in sql or "raw_text" in sql]


def test_rows_because_of_which_a_load_failed_stand_beside_those_left_out_until_they_are_settled(
    ops, look, store
):
    at = DAY + 10 * HOUR
    run = {"dag_id": "sparkify_etl", "run_id": "a", "task_id": "stage_events", "refused_at": at}
    refused = rejected_row(at, 8, load_id=load_id(at, "f"), target_table="staging_events", **run)
    ops.add("loads", load(at, "staging_events", rows_rejected=1))
    ops.add("rejected_rows", rejected_row(at, 7))
    ops.add("refused_rows", refused)
    look()
    assert [(row.line, row.is_refused) for row in rejected(store)] == [(8, True), (7, False)]
    with store.reading() as db:
        assert read_files.count_rejected(db, "sparkify") == 2
        task = read_task.TaskKey("sparkify_etl", "a", "stage_events")
        assert [row.line for row in read_task.rejected_by(db, "sparkify", task)] == [8]
        assert read_task.rejected_by(db, "stores", task) == []
    ops.run("DELETE FROM ops.refused_rows")
    look()
    assert [row.line for row in rejected(store)] == [7]


def test_every_record_is_copied_with_what_it_says(ops, look, store):
    at = DAY + 10 * HOUR
    ops.add("loads", load(at, rows_rejected=1), load(at - HOUR, "store_sales", load_id="20181115T090000Z-b"))
    ops.add("staged_files", staged_file(at, "log_data/a.json"))
    ops.add("rejected_rows", rejected_row(at, 7))
    ops.add("quality_results", result(at), result(at, table_name="users"))
    look()
    [one] = loads(store)
    assert one.load_id == load_id(at)
    assert (one.window_start, one.window_end, one.seconds) == (at - HOUR, at, 2)
    assert [each.target_table for each in loads(store, "stores")] == ["store_sales"]
    [row] = rejected(store)
    assert (row.line, row.column_name, row.value, row.load_id) == (7, "ts", "soon", load_id(at))
    with store.reading() as db:
        [file] = read_files.staged_files(db, "sparkify").items
        assert (file.key, file.size, file.staged_at) == ("log_data/a.json", 1234, at)
        assert [each.key for each in read_quality.checks(db, "sparkify")] == [
            "songplays: rows",
            "users: rows",
        ]
        assert read.picture(db).problem == ""
        assert read.picture(db).at is not None


def test_an_unchanged_warehouse_is_asked_once_for_each_table_and_gives_no_rows(ops, look):
    ops.add("loads", load(DAY))
    look()
    statements = look()
    assert all(sql.startswith("SELECT COUNT(*), MAX(") for sql in statements)
    assert len(statements) == len(records.COPIES)


def test_of_a_day_that_is_known_only_what_came_since_is_read(ops, look, store):
    ops.add("loads", *(load(DAY + n * HOUR) for n in range(5)))
    look()
    ops.add("loads", load(DAY + 6 * HOUR))
    [fetched] = brought(look())
    assert f"load_id > '{load_id(DAY + 4 * HOUR)}'" in fetched
    assert len(loads(store)) == 6


def test_a_load_that_began_earlier_and_committed_later_is_found(ops, look, store):
    ops.add("loads", load(DAY + 2 * HOUR))
    look()
    ops.add("loads", load(DAY + HOUR))
    look()
    assert [each.load_id for each in loads(store)] == [load_id(DAY + 2 * HOUR), load_id(DAY + HOUR)]


def test_days_that_did_not_change_are_not_read_again(ops, look):
    ops.add("loads", load(DAY), load(DAY + 48 * HOUR))
    look()
    ops.run("DELETE FROM ops.loads WHERE load_id LIKE '20181115%'")
    assert brought(look()) == []


def test_rows_of_a_file_that_was_staged_again_take_the_place_of_the_old_ones(ops, look, store):
    ops.add("loads", load(DAY, "staging_events"))
    ops.add("rejected_rows", rejected_row(DAY, 3), rejected_row(DAY, 4))
    look()
    ops.add("loads", load(DAY + HOUR, "staging_events"))
    ops.run("DELETE FROM ops.rejected_rows")
    ops.add("rejected_rows", rejected_row(DAY + HOUR, 4), rejected_row(DAY + HOUR, 9))
    look()
    assert [(row.line, row.load_id) for row in rejected(store)] == [
        (4, load_id(DAY + HOUR)),
        (9, load_id(DAY + HOUR)),
    ]


def test_results_of_a_task_that_ran_again_replace_those_before(ops, look, store):
    ops.add("quality_results", result(DAY, status="failed"))
    look()
    ops.run("DELETE FROM ops.quality_results")
    ops.add("quality_results", result(DAY + HOUR))
    look()
    with store.reading() as db:
        [check] = read_quality.checks(db, "sparkify")
    assert [each.status for each in check.results] == ["passed"]


def test_a_day_with_more_rows_than_one_statement_brings_is_brought_whole(ops, look, store, monkeypatch):
    monkeypatch.setattr(records, "_ROWS", 7)
    ops.add("loads", *(load(DAY + n * timedelta(minutes=1)) for n in range(40)), load(DAY + 50 * HOUR))
    fetched = brought(look())
    assert len(fetched) == 8
    assert sum("MOD(" in sql for sql in fetched) == 6
    assert count(store, "loads") == 41


def test_tables_are_counted_again_when_they_were_loaded_and_not_before(ops, look, store, monkeypatch):
    monkeypatch.setattr("sparkify_watch.mirror.counts._PAUSE", 0)
    ops.run("CREATE TABLE songplays (start_time TIMESTAMP)")
    ops.run(f"INSERT INTO songplays VALUES ('{DAY}'), ('{DAY - HOUR}')")
    ops.add("loads", load(DAY))

    def state():
        with store.reading() as db:
            return read.table_states(db, ["songplays", "users"])

    look()
    plays, users = state()
    assert (plays.rows, plays.newest, plays.loaded_until) == (2, DAY, DAY)
    assert plays.last_load.load_id == load_id(DAY)
    assert (users.name, users.rows, users.last_load) == ("users", None, None)
    ops.run(f"INSERT INTO songplays VALUES ('{DAY + HOUR}')")
    look()
    assert state()[0].rows == 2
    ops.add("loads", load(DAY + HOUR))
    look()
    assert (state()[0].rows, state()[0].newest) == (3, DAY + HOUR)


def test_what_a_reset_forgets_is_forgotten_here(ops, session, look, store):
    session.execute("CREATE TABLE staging_events (ts TIMESTAMP)")
    ops.add("loads", load(DAY, "staging_events"), load(DAY, load_id=load_id(DAY, "1")))
    ops.add("staged_files", staged_file(DAY, "log_data/a.json"))
    ops.add("rejected_rows", rejected_row(DAY, 1))
    look()
    run = TaskRun("warehouse_reset", "r", "t")
    reset.empty(session, ["staging_events"], ["staging_events", "songplays"], run)
    look()
    assert count(store, "staged_files") == 0
    assert count(store, "rejected_rows") == 0
    windows = {each.load_id: each.window_end for each in loads(store)}
    assert len(windows) == 3
    assert windows[load_id(DAY)] is None


def test_tables_that_were_dropped_leave_nothing_here(ops, look, store):
    ops.add("loads", load(DAY))
    ops.add("quality_results", result(DAY))
    look()
    ops.run("DROP SCHEMA ops CASCADE")
    look()
    assert {name: count(store, name) for name in (*COPIED, "load_days")} == dict.fromkeys(
        (*COPIED, "load_days"), 0
    )
    for statement in with_ops(()):
        ops.run(statement)
    ops.add("loads", load(DAY + HOUR))
    look()
    assert [each.load_id for each in loads(store)] == [load_id(DAY + HOUR)]


def test_the_mirror_of_another_warehouse_is_made_anew(ops, look, store):
    ops.add("loads", load(DAY))
    look(warehouse="here")
    with store.writing() as db:
        db.execute("INSERT INTO answers (dataset, name) VALUES ('sparkify', 'old')")
    look(warehouse="there")
    with store.reading() as db:
        assert not db.execute("SELECT name FROM answers WHERE name = 'old'").fetchall()
    assert len(loads(store)) == 1


def test_a_refresh_that_breaks_off_keeps_what_it_has_brought_and_the_next_goes_on(
    ops, session, look, store, monkeypatch
):
    ops.add("loads", load(DAY))
    ops.add("staged_files", staged_file(DAY, "log_data/a.json"))
    asked = session.ask

    def ask(sql, values=None):
        if "staged_files" in sql:
            raise ConnectionError("gone")
        return asked(sql, values)

    monkeypatch.setattr(session, "ask", ask)
    with pytest.raises(ConnectionError):
        look()
    assert (count(store, "loads"), count(store, "staged_files")) == (1, 0)
    with store.reading() as db:
        assert read.picture(db).at is None
    monkeypatch.undo()
    look()
    assert count(store, "staged_files") == 1


def test_what_loads_did_is_added_up_by_day(ops, look, store):
    ops.add("loads", load(DAY, rows_inserted=5), load(DAY + HOUR, rows_inserted=7), load(DAY + 30 * HOUR))
    look()
    with store.reading() as db:
        days = read.load_days(db, "sparkify", "songplays", 10)
    assert [(each.day, each.loads, each.rows_inserted) for each in days] == [
        (DAY, 2, 12),
        (DAY + 24 * HOUR, 1, 10),
    ]
    assert days[0].seconds == pytest.approx(4, abs=0.01)
