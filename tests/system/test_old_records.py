"""What warehouse_maintenance forgets of the records in `ops`, what never, and what runs then make of it."""

import pytest

from tests.faults import datasets
from tests.records import event
from tests.system.test_maintenance import DAYS, HIT, dag, dag_of, loaded, maintain, plays, run_task, window
from tests.system.test_reset import RECORDS, empty

__all__ = ["dag", "loaded"]

TIMES = {"staged_files": "staged_at", "loads": "finished_at", "quality_results": "checked_at"}
NEXT = ("2018-11-17T00:00:00", "2018-11-18T00:00:00")


def age(warehouse):
    """Make all that is on record two years older, and the ids of loads with it."""
    older = "'{}' || SUBSTRING({} FROM 5)"
    year = int(warehouse.query("SELECT MAX(LEFT(load_id, 4)) FROM ops.loads")[0][0]) - 2
    for table in ("staging_events", "staging_songs", *(f"ops.{name}" for name in RECORDS)):
        for column in ("load_id", "change_load_id"):
            if has_column(warehouse, table, column):
                warehouse.execute(f"UPDATE {table} SET {column} = {older.format(year, column)}")
    for table, column in TIMES.items():
        warehouse.execute(f"UPDATE ops.{table} SET {column} = ADD_MONTHS({column}, -24)")


def has_column(warehouse, table, column):
    schema, _, name = table.rpartition(".")
    return bool(
        warehouse.query(
            f"SELECT 1 FROM information_schema.columns WHERE table_schema = '{schema or 'public'}'"
            f" AND table_name = '{name}' AND column_name = '{column}'"
        )
    )


def forget_records(dag, *names):
    chosen = names or ("quality_results", "rejected_rows", "staged_files", "changes", "loads")
    return maintain(dag, "forget_rows", **{f"keep_days_ops_{name}": 100 for name in chosen})


def count(warehouse, table, where="TRUE"):
    return warehouse.query(f"SELECT COUNT(*) FROM ops.{table} WHERE {where}")[0][0]


def contradictions(warehouse):
    """What is wrong with the tables; sums over all loads ever are not to be expected any more."""
    asked = {**datasets.SPARKIFY.contradictions, **datasets.SPARKIFY.in_the_end}
    known = {what for what in asked if "more than all loads wrote" in what or what.startswith("loads by ")}
    return [what for what, sql in asked.items() if what not in known and warehouse.query(sql) != [(0,)]]


def test_records_that_are_young_stay(dag, loaded):
    before = {name: count(loaded, name) for name in RECORDS}
    assert set(forget_records(dag).values()) == {0}
    assert {name: count(loaded, name) for name in RECORDS} == before


def test_results_of_old_runs_go_and_those_of_new_ones_stay(dag, loaded, run_etl):
    age(loaded)
    old = count(loaded, "quality_results")
    assert run_etl(NEXT).state == "success"
    assert forget_records(dag, "quality_results") == {"ops.quality_results": old}
    assert count(loaded, "quality_results") == old


def test_what_old_runs_measured_goes_with_their_results(dag, loaded, run_etl):
    loaded.execute("UPDATE ops.quality_measures SET measured_at = ADD_MONTHS(measured_at, -24)")
    old = count(loaded, "quality_measures")
    assert old > 0
    assert run_etl(NEXT).state == "success"
    assert forget_records(dag, "quality_results") == {"ops.quality_results": old}
    assert count(loaded, "quality_measures") == 1


def test_of_a_file_only_versions_that_were_replaced_go_and_it_is_not_copied_again(
    dag, loaded, source, run_etl
):
    source.put_song("TRAAA1", song_id="SO1", title="Hit", artist_name="Name", duration=1.5, year=1999)
    assert run_etl(DAYS).state == "success"
    assert count(loaded, "staged_files", "dataset = 'staging_songs'") == 2
    age(loaded)
    assert forget_records(dag, "staged_files") == {"ops.staged_files": 1}
    before = loaded.contents()
    assert run_task("stage_songs")["files"] == 0
    assert run_etl(NEXT).state == "success"
    assert loaded.contents() == before
    assert contradictions(loaded) == []


def test_old_loads_go_and_their_hours_still_count_as_staged(dag, loaded, source, run_etl):
    age(loaded)
    of_facts = "target_table IN ('songplays', 'users', 'time')"
    assert count(loaded, "loads", of_facts) == 3
    forget_records(dag)
    # That of songplays has taken in the songs.
    assert count(loaded, "loads", of_facts) == 1
    assert contradictions(loaded) == []
    # The days before are looked back at as ever.
    source.put_events("2018-11-16", plays(16, 8, 9, 10, 11, **HIT))
    assert run_etl(NEXT).state == "success"
    assert loaded.query("SELECT COUNT(*) FROM songplays") == [(13,)]
    assert contradictions(loaded) == []


def test_old_changes_go_once_all_tables_have_taken_them_in(dag, loaded, source, run_etl):
    source.put_events("2018-11-16", plays(16, 8, 9, **HIT))
    assert run_etl(NEXT).state == "success"
    source.put_events("2018-11-16", plays(16, 8, **HIT))
    run_task("stage_events", **window(*NEXT))
    run_task("load_users", **window(*NEXT))
    age(loaded)
    windows = "window_start IS NOT NULL"
    assert count(loaded, "changes", windows) == 2
    forget_records(dag, "changes")
    assert count(loaded, "changes", windows) == 1
    # What waits is taken in by the next run, and may then be forgotten.
    assert run_etl(NEXT).state == "success"
    assert loaded.query("SELECT COUNT(*) FROM songplays") == [(10,)]
    forget_records(dag, "changes")
    assert count(loaded, "changes", windows) == 0
    assert count(loaded, "changes_taken", "change_load_id NOT IN (SELECT load_id FROM ops.changes)") == 0
    assert contradictions(loaded) == []


def test_changes_of_songs_go_when_no_row_of_their_load_is_left(dag, loaded, source, run_etl):
    source.put_song("TRAAA2", song_id="SO2", artist_id="AR2", title="Other", artist_name="Else", duration=3.5)
    assert run_etl(NEXT).state == "success"
    source.put_song("TRAAA1", song_id="SO1", title="Hit", artist_name="Name", duration=1.5, year=1999)
    assert run_etl(NEXT).state == "success"
    age(loaded)
    songs = "source_table = 'staging_songs'"
    assert count(loaded, "changes", songs) == 3
    forget_records(dag, "changes")
    assert count(loaded, "changes", songs) == 2
    before = loaded.contents()
    assert run_etl(NEXT).state == "success"
    assert loaded.contents() == before


def test_rejected_rows_go_and_those_of_a_file_that_waits_to_be_mended_stay(dag, loaded, source, run_etl):
    strange = event("2018-11-20T08:00:00")
    source.put_events("2018-11-17", [*plays(17, 8, **HIT), strange])
    assert run_etl(NEXT, keep_strays=True).state == "success"
    source.put("log_data/2018/11/2018-11-16-events.json", "{broken")
    assert run_etl(NEXT, keep_strays=True).state == "success"
    assert count(loaded, "rejected_rows") == 2
    age(loaded)
    forget_records(dag)
    assert loaded.query("SELECT file LIKE '%2018-11-16%' FROM ops.rejected_rows") == [(True,)]


@pytest.mark.parametrize(
    "tables", [["staging_events"], ["songs"], ["songplays", "time", "users"]], ids="+".join
)
def test_a_reset_after_old_records_went_is_made_good_by_a_run(dag, loaded, run_etl, tables):
    before = loaded.contents()
    age(loaded)
    forget_records(dag)
    empty(dag_of("warehouse_reset.py", "warehouse_reset"), *tables)
    assert run_etl(DAYS).state == "success"
    assert loaded.contents() == before


def test_that_old_loads_are_no_longer_on_record_is_on_record(dag, loaded):
    age(loaded)
    assert forget_records(dag, "loads")["ops.loads"] > 0
    marks = "dataset = 'ops.loads' AND forgotten_before > (SELECT MAX(finished_at) FROM ops.loads)"
    assert count(loaded, "retention", marks) == 1
