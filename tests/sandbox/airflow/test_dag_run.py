"""What the output of ``airflow dags test`` tells."""

import io

from rich.console import Console

from sandbox.airflow.dag_run import STARTED, LogReader, TaskEvent, TaskProgress

LOG = """\
2026-11-22T23:18:26.122009Z [info     ] Created dag run.               [airflow.models.dagrun]
2026-11-22T23:18:26.138277Z [info     ] [DAG TEST] starting task_id=create_tables map_index=-1
2026-11-22T23:18:29.636577Z [info     ] Task started                   [task_instances] previous_state=queued
2026-11-22T23:18:30.696693Z [info     ] Task instance state updated [task_instances] new_state=success
2026-11-22T23:18:30.710066Z [info     ] [DAG TEST] end task task_id=create_tables map_index=-1
2026-11-22T23:18:30.715021Z [info     ] [DAG TEST] starting task_id=stage_events map_index=-1
2026-11-22T23:18:30.726015Z [info     ] Task instance state updated [task_instances] rows_affected=1
2026-11-22T23:18:30.746191Z [error    ] row is bad                     [x] loc=t.py:9
2026-11-22T23:18:30.746286Z [error    ] Task failed with exception     [task] loc=task_runner.py:1676
Traceback (most recent call last):
  File "redshift.py", line 1, in run
    raise KeyError(1)
KeyError: 1

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "task_runner.py", line 1579, in _run
    result = _execute_task(context=context, ti=ti, log=log)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
sparkify.warehouse.rejected_rows.FatalError: COPY into staging_events failed:
  s3://sparkify-raw/log_data/2018/11/2018-11-12-events.json line 3, column ts

  Invalid timestamp: 'x'
2026-11-22T23:18:30.760819Z [info     ] Task instance state updated [task_instances] new_state=failed
2026-11-22T23:18:30.768261Z [info     ] [DAG TEST] end task task_id=stage_events map_index=-1
DagRun failed
"""


def read(log: str) -> tuple[list[TaskEvent], list[str]]:
    reader = LogReader()
    events = [event for line in log.splitlines(keepends=True) if (event := reader.read(line))]
    reader.finish()
    return events, reader.errors


def test_tasks_start_and_end_with_their_state() -> None:
    events, _ = read(LOG)

    assert events == [
        TaskEvent("create_tables", STARTED),
        TaskEvent("create_tables", "success"),
        TaskEvent("stage_events", STARTED),
        TaskEvent("stage_events", "failed", read(LOG)[1][1]),
    ]


def test_errors_are_told_without_their_tracebacks_and_in_full() -> None:
    _, errors = read(LOG)

    assert errors[0].startswith("row is bad")
    assert errors[1].splitlines() == [
        "sparkify.warehouse.rejected_rows.FatalError: COPY into staging_events failed:",
        "  s3://sparkify-raw/log_data/2018/11/2018-11-12-events.json line 3, column ts",
        "",
        "  Invalid timestamp: 'x'",
    ]
    assert len(errors) == 2


def test_an_error_before_the_first_task_is_told_too() -> None:
    events, errors = read("2026-11-22T23:18:26.122009Z [error    ] Failed to import: /dags/x.py [dagbag]\n")

    assert (events, errors) == ([], ["Failed to import: /dags/x.py [dagbag]"])


def test_an_exception_that_ends_airflow_itself_is_told_too() -> None:
    traceback = 'Traceback (most recent call last):\n  File "x.py", line 1\nAirflowException: no such DAG\n'

    assert read(LOG.splitlines()[0] + "\n" + traceback)[1] == ["AirflowException: no such DAG"]


def test_a_pipe_gets_a_line_when_a_task_starts_and_when_it_ends() -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    with TaskProgress(console) as tasks:
        for event in read(LOG)[0]:
            tasks.watch(event)

    lines = console.file.getvalue().splitlines()
    assert lines[0] == "  airflow …"
    assert [line.rpartition(":")[0] or line for line in lines[1:]] == [
        "  airflow",
        "  create_tables …",
        "  create_tables",
        "  stage_events …",
        "  stage_events: failed",
        "    sparkify.warehouse.rejected_rows.FatalError: COPY into staging_events failed",
    ]


def test_a_retry_tells_what_went_wrong_and_shows_the_wait() -> None:
    log = LOG.replace("new_state=failed", "new_state=up_for_retry")
    again = "2026-11-22T23:19:00.715021Z [info     ] [DAG TEST] starting task_id=stage_events map_index=-1\n"
    console = Console(file=io.StringIO(), width=80, highlight=False)
    with TaskProgress(console) as tasks:
        for event in read(log + again)[0]:
            tasks.watch(event)

    lines = console.file.getvalue().splitlines()
    assert lines[-5].startswith("    sparkify.warehouse.rejected_rows.FatalError: COPY into")
    assert lines[-4] == "  waiting to try stage_events again …"
    assert lines[-2] == "  stage_events …"
    assert lines[-1].startswith("  stage_events: stopped: ")


def test_a_terminal_shows_every_task_once_with_its_time() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, legacy_windows=False)
    with TaskProgress(console) as tasks:
        for event in read(LOG)[0]:
            tasks.watch(event)

    last = console.file.getvalue().rsplit("\x1b[2K", maxsplit=1)[-1]
    assert "stage_events: failed" in console.file.getvalue()
    assert "0:00:00" in last
