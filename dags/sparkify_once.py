"""By hand: a cluster made, one window loaded and checked, the cluster removed, whatever happens between."""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from definitions.forms import COMMON, DEFAULT_ARGS, LOADS, cluster_params, window_params
from definitions.sparkify import SPARKIFY

with DAG(
    dag_id="sparkify_once",
    dag_display_name="sparkify_once: load once, remove cluster",
    description="Make a cluster, load and check one window, remove the cluster, also when the load fails.",
    doc_md="""
### What it does
Runs `redshift_cluster` with the action `provision`, `sparkify_etl` over one window, with its quality check,
and `redshift_cluster` with the action `teardown`: a whole warehouse for an hour's money. With the final
snapshot, which it keeps unless told otherwise, the next run begins where this one ended (`from_snapshot`).

### The cluster is removed whatever happens
`remove_cluster` is a teardown task: it runs after a failed load and a failed provisioning, and also when
somebody marks the run as failed. The run is still shown as failed then. Should Airflow itself be gone, the
cluster carries `expires_at`, and the DAG `redshift_reaper` removes it.

### When a task fails
The run that the task has triggered has the cause; its link is in the task's extra links.
""",
    schedule=None,
    max_active_runs=1,
    # The tasks of the runs that these wait for have retries of their own.
    **COMMON | {"default_args": DEFAULT_ARGS | {"retries": 1, "execution_timeout": timedelta(hours=6)}},
    params={
        **window_params("load", "UTC.", ("2018-11-01T00:00:00+00:00", "2018-11-02T00:00:00+00:00")),
        **cluster_params(),
    },
    # Params keep their types: a flag goes on as a flag.
    render_template_as_native_obj=True,
    tags=["sparkify", "redshift", "cluster", LOADS],
) as dag:

    def trigger(task_id: str, dag_id: str, **conf: Any) -> TriggerDagRunOperator:
        """Return a task that waits for a run of another DAG, without a worker, and fails with it."""
        return TriggerDagRunOperator(
            task_id=task_id,
            trigger_dag_id=dag_id,
            conf=conf,
            wait_for_completion=True,
            deferrable=True,
            poke_interval=10,
            fail_when_dag_is_paused=True,
            # A second try runs the run of the first again, rather than another one beside it.
            trigger_run_id="{{ run_id }}_" + task_id,
            reset_dag_run=True,
        )

    make_cluster = trigger(
        "make_cluster",
        "redshift_cluster",
        action="provision",
        kind="{{ params.kind }}",
        base_capacity="{{ params.base_capacity }}",
        daily_rpu_hours="{{ params.daily_rpu_hours }}",
        identifier="{{ params.identifier }}",
        allowed_cidr="{{ params.allowed_cidr }}",
        allow_public_cidr="{{ params.allow_public_cidr }}",
        from_snapshot="{{ params.from_snapshot }}",
    )
    load_window = trigger(
        "load_window",
        SPARKIFY.loaded_by,
        window_start="{{ params.window_start }}",
        window_end="{{ params.window_end }}",
    )
    remove_cluster = trigger(
        "remove_cluster",
        "redshift_cluster",
        action="teardown",
        kind="{{ params.kind }}",
        identifier="{{ params.identifier }}",
        final_snapshot="{{ params.final_snapshot }}",
    )
    make_cluster >> load_window >> remove_cluster.as_teardown()
