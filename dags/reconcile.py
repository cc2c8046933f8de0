"""By hand: source files and warehouse compared hour by hour, and the hours that differ loaded again."""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, Param

from definitions import DATASETS
from definitions.forms import COMMON, LOADS, window_params
from sparkify.operators import ReconcileOperator

for dataset in DATASETS:
    staging, loads = (
        dataset.staging["table"],
        " and ".join(f"`{name}`" for name in dataset.window_loads),
    )
    with DAG(
        dag_id=f"{dataset.name}_reconcile",
        dag_display_name=f"{dataset.name}_reconcile: compare with source",
        description="Source files and warehouse compared hour by hour; hours that differ are loaded again.",
        doc_md=f"""
### What it does
Copies the files of the window into a temp table and compares them with {staging}, and what is loaded from
there with {loads}: row by row, hour by hour. The log of `compare` has a line for every hour that differs,
with the number of rows on each side.

### When to run it
After a backfill: Airflow may call a backfill complete that has left out intervals. After an outage, and for
late data that came after the look-back of the scheduled runs.

### What to do when it fails
`compare` fails when hours differ. Trigger it again with `reload`: every stretch of such hours becomes a run
of `{dataset.loaded_by}` (which must not be paused), and `compare_again` looks once more. Without a scheduler,
as with `airflow dags test`, run `{dataset.loaded_by}` yourself with the windows that the message names.
""",
        schedule=None,
        **COMMON,
        params={
            **window_params("compare", "UTC. Compare hours that their runs have finished with."),
            "reload": Param(
                False,
                type="boolean",
                title="Load the hours that differ again",
                description=f"Trigger a run of {dataset.loaded_by} for every stretch of hours that differ,"
                " wait for it and compare again. Without it the run fails when hours differ.",
            ),
        },
        tags=["sparkify", "redshift", "operations", LOADS],
    ):
        compare = ReconcileOperator(
            task_id="compare", fail="{{ not params.reload }}", **dataset.reconciliation
        )

        reload_hours = TriggerDagRunOperator.partial(
            task_id="reload_hours",
            trigger_dag_id=dataset.loaded_by,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=10,
            fail_when_dag_is_paused=True,
            max_active_tis_per_dagrun=4,
        ).expand(conf=compare.output)

        compare_again = ReconcileOperator(task_id="compare_again", **dataset.reconciliation)

        reload_hours >> compare_again
