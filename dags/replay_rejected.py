"""By hand: rows that no load took come in once their files are corrected, each exactly once."""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from definitions import DATASETS
from definitions.forms import COMMON, LOADS
from definitions.replay import replay_params
from sparkify.operators import CheckReplayOperator, ReplayRejectedOperator

with DAG(
    dag_id="replay_rejected",
    dag_display_name="replay_rejected: bring in mended rows",
    description="Rejected rows come in once their files are corrected, each exactly once.",
    doc_md="""
### What it does
Rows that no load took stand in `ops.rejected_rows` (kept under `max_errors` or `keep_strays`, or of a file
that is left for later) and in `ops.refused_rows` (of a load that failed because of them). `correct` lists
them with file, line, column, value and reason, and says of each what will become of it:

* **its file has changed since**: it will be loaded again;
* **a corrected row is given** for its line: the file is written again with that row in place of the line,
  on condition that nobody has changed it since, and will be loaded again. The old file is kept below
  `replaced/` in the source bucket;
* **neither**: it waits.

`load_again` then triggers the loading DAG for the hours of these files (it must not be paused), and
`check_settled` fails if a row that was to come in did not. Rows that did go to `ops.settled_rows`, with the
load that settled them.

### How to correct
Either mend the file on S3 under its key, or give the rows: a line of JSON for each, in `corrections` or in a
file of the source bucket that `corrections_key` names. `"row": null` takes the line out.

    {"file": "log_data/2018/11/2018-11-15-events.json", "line": 17, "row": {"artist": null, "auth": "…"}}

`dry_run`, which is on at first, changes nothing.

### Running it again
As often as you like: a row comes only from its file, and a window is replaced, never appended. Corrections
that a file has already are left alone. Writing files needs the AWS connection to have the rights of
`include/iam/airflow-upload.json` besides those of loads.

### When it fails
* *changed since its rows were rejected*: somebody has replaced the file; look at it before you correct it.
* *no rejected row at line …*: the corrections name a line that is not open; the log lists those that are.
* `check_settled` lists rows that were rejected again, with the reason. Correct them and run this again.
""",
    schedule=None,
    **COMMON,
    max_active_runs=1,
    params=replay_params([dataset.name for dataset in DATASETS]),
    tags=["sparkify", "redshift", "operations", LOADS],
) as dag:
    datasets = {
        dataset.name: {"staging": dataset.staging, "folders": list(dataset.folders)} for dataset in DATASETS
    }
    correct = ReplayRejectedOperator(
        task_id="correct",
        datasets=datasets,
        dataset="{{ params.dataset }}",
        load_id="{{ params.load_id or '' }}",
        file="{{ params.file or '' }}",
        corrections="{{ params.corrections or '' }}",
        corrections_key="{{ params.corrections_key or '' }}",
        dry="{{ params.dry_run }}",
    )

    load_again = TriggerDagRunOperator.partial(
        task_id="load_again",
        trigger_dag_id="{{ params.dataset }}_etl",
        note="Loads files again whose rejected rows were corrected.",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=10,
        fail_when_dag_is_paused=True,
        max_active_tis_per_dagrun=4,
    ).expand(conf=correct.output)

    check_settled = CheckReplayOperator(
        task_id="check_settled",
        replayed="{{ ti.xcom_pull(task_ids='correct', key='replayed') | tojson }}",
    )

    load_again >> check_settled
