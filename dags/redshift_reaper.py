"""Hourly: clusters that nobody has removed in time are paused or removed."""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronDataIntervalTimetable, Param

from definitions.forms import COMMON, LOADS
from sparkify.operators import FindExpiredOperator
from sparkify_watch.alerts import ExpiryNotifier

with DAG(
    dag_id="redshift_reaper",
    dag_display_name="redshift_reaper: stop what has expired",
    description="Clusters whose time to live has passed are paused or removed, unless a load runs.",
    doc_md="""
### What it does
Looks every hour for clusters that `redshift_cluster` made and whose tag `expires_at` has passed, and triggers
`redshift_cluster` with the action `teardown` (or `pause`, by the param) for each. A teardown keeps a final
snapshot, so no data is lost. Clusters made by anybody else are never looked at.

### When it waits
While a run of a DAG with the tag `loads` is under way, such as `sparkify_etl`, nothing is stopped; the next
hour looks again. More time is what `redshift_cluster` gives with `provision` or `resume` and another
`hours_to_live`; 0 is for ever.

### When a task fails
`find_expired` says what AWS refused. `stop` fails when `redshift_cluster` is paused in Airflow or its run
failed: that run's log has the cause. A cluster of which no final snapshot can be made is not removed, so that
its data is not lost: mend it, or tear it down with `final_snapshot` false. Such a cluster goes on being
billed, so do not leave it there.
""",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    **COMMON,
    max_active_runs=1,
    # Nobody who has forgotten a cluster would have switched it on.
    is_paused_upon_creation=False,
    params={
        "action": Param(
            "teardown",
            type="string",
            enum=["pause", "teardown"],
            title="Action",
            description="What happens to an expired cluster. A paused one goes on to cost its storage.",
        ),
    },
    tags=["sparkify", "redshift", "cluster"],
) as dag:
    find_expired = FindExpiredOperator(
        task_id="find_expired",
        action="{{ params.action }}",
        region="{{ var.value.get('sparkify_region', 'us-east-1') }}",
        loading_tag=LOADS,
        on_success_callback=ExpiryNotifier(),
        on_skipped_callback=ExpiryNotifier(),
    )

    stop = TriggerDagRunOperator.partial(
        task_id="stop",
        trigger_dag_id="redshift_cluster",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=15,
        fail_when_dag_is_paused=True,
    ).expand(conf=find_expired.output)
