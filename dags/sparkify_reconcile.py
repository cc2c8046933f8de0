"""By hand: source files and warehouse compared hour by hour, and the hours that differ loaded again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param

from sparkify.defaults import DEFAULT_ARGS
from sparkify.operators import ReconcileOperator

INCLUDE = Path(__file__).resolve().parents[1] / "include"

# How sparkify_etl stages events, and what it loads from them window by window.
EVENTS: dict[str, Any] = {
    "bucket": "{{ var.value.sparkify_source_bucket }}",
    "work_bucket": "{{ var.value.sparkify_work_bucket }}",
    "iam_role": "{{ var.value.get('sparkify_iam_role', 'default') }}",
    "region": "{{ var.value.get('sparkify_region', '') }}",
    "table": "staging_events",
    "key_pattern": "log_data/%Y/%m/%Y-%m-%d-events.json",
    "time_column": "ts",
    "jsonpaths": "sparkify/log_events.json",
    "copy_options": ["TIMEFORMAT AS 'epochmillisecs'"],
    "loaded_tables": ["songplays", "time"],
    "loaded_sql": ["sparkify/load/songplays.sql", "sparkify/load/time.sql"],
    "loaded_time_column": "start_time",
}

WINDOW_HELP = "UTC. Compare hours that their runs have finished with."

with DAG(
    dag_id="sparkify_reconcile",
    description="Source files and warehouse compared hour by hour; hours that differ are loaded again.",
    doc_md="""
### What it does
Copies the event files of the window into a temp table and compares them with `staging_events`, and what
`staging_events` says of plays with `songplays` and `time`: row by row, hour by hour. The log of `compare` has
a line for every hour that differs, with the number of rows on each side.

### When to run it
After a backfill: Airflow may call a backfill complete that has left out hours. After an outage, and for late
data that came after the look-back of the hourly runs.

### What to do when it fails
`compare` fails when hours differ. Trigger it again with `reload`: every stretch of such hours becomes a run
of `sparkify_etl` (which must not be paused), and `compare_again` looks once more. Without a scheduler, as
with `airflow dags test`, run `sparkify_etl` yourself with the windows that the message names.
""",
    schedule=None,
    start_date=datetime(2018, 11, 1, tzinfo=UTC),
    catchup=False,
    default_args=DEFAULT_ARGS,
    params={
        "window_start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Start of the window",
            description=f"First moment to compare. {WINDOW_HELP}",
        ),
        "window_end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="End of the window",
            description=f"First moment not to compare. {WINDOW_HELP}",
        ),
        "reload": Param(
            False,
            type="boolean",
            title="Load the hours that differ again",
            description="Trigger a run of sparkify_etl for every stretch of hours that differ, wait for it"
            " and compare again. Without it the run fails when hours differ.",
        ),
    },
    template_searchpath=[str(INCLUDE)],
    tags=["sparkify", "redshift", "operations"],
) as dag:
    compare = ReconcileOperator(task_id="compare", fail="{{ not params.reload }}", **EVENTS)

    reload_hours = TriggerDagRunOperator.partial(
        task_id="reload_hours",
        trigger_dag_id="sparkify_etl",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=10,
        fail_when_dag_is_paused=True,
        max_active_tis_per_dagrun=4,
    ).expand(conf=compare.output)

    compare_again = ReconcileOperator(task_id="compare_again", **EVENTS)

    reload_hours >> compare_again
