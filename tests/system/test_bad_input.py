"""Each bad input ends in one clear error and leaves every table as it was."""

import json
import os
from types import SimpleNamespace

import pytest

from tests.records import event

DAY = ("2018-11-15T00:00:00", "2018-11-16T00:00:00")
KEY = "log_data/2018/11/2018-11-15-events.json"


@pytest.fixture
def loaded(warehouse, source, run_etl):
    """A warehouse with one loaded day, whose contents no bad input may change."""
    source.put_song("TRAAA1", song_id="SO1")
    source.put_events(
        "2018-11-15", [event("2018-11-15T09:00:00"), event("2018-11-15T09:30:00", itemInSession=1)]
    )
    assert run_etl(DAY).state == "success"
    return warehouse.contents()


def lines(*events) -> str:
    return "".join(json.dumps(one) + "\n" for one in events)


GOOD = event("2018-11-15T09:00:00")


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (lines(GOOD) + '{"ts": 1542272400000, "page"\n', [f"{KEY} line 2"]),
        (
            lines(GOOD, {**GOOD, "song": "x" * 1025}),
            [f"{KEY} line 2", "column song", "String length exceeds DDL length"],
        ),
        (
            lines({**GOOD, "sessionId": "twelve"}),
            [f"{KEY} line 1", "column session_id", "'twelve'", "Invalid digit"],
        ),
        (lines({**GOOD, "ts": "2018-11-15"}), [f"{KEY} line 1", "column ts", "'2018-11-15'"]),
    ],
    ids=["broken JSON", "string too long", "text in a number column", "text in a time column"],
)
def test_bad_data_is_named_by_file_line_column_and_value(
    loaded, warehouse, source, run_etl, capsys, body, parts
):
    source.put(KEY, body)
    assert run_etl(DAY).state == "failed"
    shown = capsys.readouterr().out
    for part in [*parts, "staging_events: rows of its files cannot be staged", "then clear the task"]:
        assert part in shown
    assert warehouse.contents() == loaded


def test_a_mended_file_loads_after_the_failure(loaded, warehouse, source, run_etl):
    source.put(KEY, "{broken\n")
    assert run_etl(DAY).state == "failed"
    source.put(KEY, lines(GOOD))
    assert run_etl(DAY).state == "success"
    assert warehouse.counts()["staging_events"] == 1


def test_a_missing_file_is_an_empty_source_and_is_reported(loaded, warehouse, run_etl, capsys):
    assert run_etl(("2018-11-20T00:00:00", "2018-11-21T00:00:00")).state == "success"
    assert "log_data/2018/11/2018-11-20-events.json" in capsys.readouterr().out
    assert warehouse.contents() == loaded


def test_a_missing_bucket_is_named_with_what_to_do(loaded, warehouse, run_etl, monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET", "no-such-bucket")
    assert run_etl(DAY).state == "failed"
    shown = capsys.readouterr().out
    assert "no-such-bucket" in shown
    assert "mend the Airflow Variable" in shown
    assert warehouse.contents() == loaded


def test_a_missing_table_names_the_task_that_makes_it(loaded, warehouse, sandbox, s3):
    from airflow.sdk.exceptions import AirflowFailException

    from sparkify.operators import LoadFactOperator
    from tests.contexts import task_context

    fact = LoadFactOperator(
        task_id="load_x",
        table="no_such_table",
        sql="SELECT 1 AS one",
        mode="replace",
        conn_id="redshift_default",
    )
    with pytest.raises(AirflowFailException, match=r"no_such_table.*create_tables"):
        fact.execute(task_context())
    assert warehouse.contents() == loaded


@pytest.mark.parametrize(
    "params",
    [
        {"window_start": "2018-11-15T00:00:00Z"},
        {"window_start": "2018-11-15T00:00:00Z", "window_end": "2018-11-15T00:00:00Z"},
        {"window_start": "2018-11-16T00:00:00Z", "window_end": "2018-11-15T00:00:00Z"},
    ],
    ids=["half a window", "empty", "reversed"],
)
def test_a_window_that_is_none_is_refused_with_an_example(loaded, warehouse, run_etl, capsys, params):
    assert run_etl(**params).state == "failed"
    assert "Trigger with params window_start and window_end" in capsys.readouterr().out
    assert warehouse.contents() == loaded


def broken_connection(monkeypatch, **changes):
    """Change redshift_default, as a person who mistypes it would."""
    connection = {**json.loads(os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"]), **changes}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))


def test_a_wrong_password_fails_at_once_and_names_the_connection(
    loaded, warehouse, run_etl, monkeypatch, capsys
):
    broken_connection(monkeypatch, password="wrong")
    assert run_etl(DAY).state == "failed"
    shown = capsys.readouterr().out
    assert "over connection redshift_default (127.0.0.1:" in shown
    assert "Check login, password and extra of the Airflow connection" in shown
    assert warehouse.contents() == loaded


def test_a_warehouse_that_does_not_answer_is_named_by_host_and_port(loaded, sandbox, monkeypatch):
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    from sparkify.operators import CreateTablesOperator
    from tests.conftest import free_port
    from tests.contexts import task_context

    pauses = []
    monkeypatch.setattr("sparkify.warehouse.tries.time", SimpleNamespace(sleep=pauses.append))
    port = free_port()
    broken_connection(monkeypatch, port=port, conn_type="postgres", extra={})
    create = CreateTablesOperator(task_id="create_tables", sql=["CREATE SCHEMA IF NOT EXISTS ops"])
    with pytest.raises(
        AirflowException, match=rf"127\.0\.0\.1:{port}.* Check that the cluster is available"
    ) as caught:
        create.execute(task_context())
    assert not isinstance(caught.value, AirflowFailException), "a cluster may be starting: worth a retry"
    assert len(pauses) == 4
