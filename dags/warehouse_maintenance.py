"""Weekly: old rows removed where a table has a retention, and VACUUM and ANALYZE where a table needs them."""

from datetime import timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from definitions import DATASETS
from definitions.forms import COMMON, LOADS
from definitions.maintenance import keep_days, maintenance_params
from sparkify.operators import ForgetRowsOperator, KeepUpTablesOperator
from sparkify.warehouse.old_records import RECORDS

STAGED = [dataset.files_of_windows for dataset in DATASETS]
RETAINED = [*(staged["table"] for staged in STAGED), *(f"ops.{name}" for name in RECORDS)]

with DAG(
    dag_id="warehouse_maintenance",
    dag_display_name="warehouse_maintenance: keep up tables",
    description="Old rows removed where a table has a retention; VACUUM and ANALYZE where one needs them.",
    doc_md="""
### What it does
* `forget_rows`: removes what is older than the days that are given for each table: rows of staging tables and
  records in `ops`. At first none are given, and nothing is removed. Facts and dimensions keep their rows.
* `keep_up_tables`: asks SVV_TABLE_INFO how much of each table is unsorted or deleted and how stale its
  statistics are, and runs VACUUM and ANALYZE where that is more than the params say, one table after the
  other, small ones first. Redshift does the same in the background when it is idle.

Both work beside loads. A window whose rows were removed is loaded again by a run of its DAG over that window:
the staging table gets its rows back, and the tables made from it end right.

### When to run it
By itself on Sundays at 03:00 UTC. By hand after a large backfill or a reset, and when queries have become
slow. Where a param with days is empty, an Airflow Variable of its name with `sparkify_` before it counts, for
example `sparkify_keep_days_staging_events`: that is how a retention holds every week.

### When a task fails
* `forget_rows`, `keeps its rows`: a table has yet to take in changed rows. A run of its DAG does that, and
  the next try of this task goes on. If it never does, look why those runs fail.
* `keep_up_tables`: the message has a line for each statement that is not done, and why. Give it more time
  (`max_minutes`) and trigger it again: it does what is left.
* `GRANT SELECT ON svv_table_info`: `redshift_cluster` does it as it provisions; elsewhere a superuser, once.
""",
    schedule=CronDataIntervalTimetable("0 3 * * 0", timezone="UTC"),
    **COMMON,
    max_active_runs=1,
    params=maintenance_params(RETAINED),
    tags=["sparkify", "redshift", "operations", LOADS],
) as dag:
    forget_rows = ForgetRowsOperator(
        task_id="forget_rows",
        staged=STAGED,
        keep_days={table: keep_days(table) for table in RETAINED},
        settled_days="{{ params.settled_days }}",
        execution_timeout=timedelta(hours=12),
    )

    keep_up_tables = KeepUpTablesOperator(
        task_id="keep_up_tables",
        tables=[table for dataset in DATASETS for table in (*dataset.tables, *dataset.beside.values())],
        unsorted_percent="{{ params.unsorted_percent }}",
        deleted_percent="{{ params.deleted_percent }}",
        stats_off_percent="{{ params.stats_off_percent }}",
        max_minutes="{{ params.max_minutes }}",
        boost="{{ params.boost }}",
        execution_timeout=timedelta(hours=12),
    )

    forget_rows >> keep_up_tables
