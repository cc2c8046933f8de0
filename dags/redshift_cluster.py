"""By hand: make, pause, resume, remove or describe the Redshift cluster and all that belongs to it."""

from typing import Any

from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import DAG, Param, TaskGroup, chain

from definitions import DATASETS
from definitions.forms import COMMON, NEW_CLUSTER, READERS, REMOVAL, cluster_params
from sparkify.cluster.bucket import make_work_bucket, remove_work_bucket
from sparkify.cluster.network import make_network, remove_network
from sparkify.cluster.role import make_role, remove_role
from sparkify.cluster.status import check_connection, show_connection, show_leftovers, show_status
from sparkify.cluster.steps import make_cluster, pause_cluster, remove_cluster, resume_cluster
from sparkify.operators import (
    ClusterStepOperator,
    CreateTablesOperator,
    GrantReadOperator,
    MakeLoaderOperator,
)
from sparkify.operators.cluster_step import Step

PLAN: dict[str, Any] = {
    "identifier": "{{ params.identifier }}",
    "source_bucket": "{{ var.value.sparkify_source_bucket }}",
    "work_bucket": "{{ var.value.sparkify_work_bucket }}",
    "region": "{{ var.value.get('sparkify_region', 'us-east-1') }}",
    "kind": "{{ params.kind }}",
    "base_capacity": "{{ params.base_capacity }}",
    "daily_rpu_hours": "{{ params.daily_rpu_hours }}",
    "allowed_cidr": "{{ params.allowed_cidr or '' }}",
    "allow_public_cidr": "{{ params.allow_public_cidr }}",
    "node_type": "{{ params.node_type }}",
    "nodes": "{{ params.nodes }}",
    "hours_to_live": "{{ params.hours_to_live }}",
    "from_snapshot": "{{ params.from_snapshot }}",
    "final_snapshot": "{{ params.final_snapshot }}",
    "remove_work_bucket": "{{ params.remove_work_bucket }}",
}

SCHEMA = [file for dataset in DATASETS for file in dataset.schema]
PUBLISHED = [table for dataset in DATASETS for table in dataset.published]

FIRST_TASKS = {"provision": "provision.check_connection", "teardown": "teardown.remove_cluster"}


def step(task_id: str, function: Step, **arguments: Any) -> ClusterStepOperator:
    """Return the task of one step."""
    poll_seconds = "{{ var.value.get('sparkify_poll_seconds', 15) }}"
    return ClusterStepOperator(
        task_id=task_id, step=function, plan=PLAN, poll_seconds=poll_seconds, **arguments
    )


def first_task(action: str) -> str:
    """Return the task with which an action begins."""
    return FIRST_TASKS.get(action, action)


with DAG(
    dag_id="redshift_cluster",
    dag_display_name="redshift_cluster: make, pause, remove",
    description="Make, pause, resume, remove or describe the Redshift cluster and all that belongs to it.",
    doc_md="""
### What it does
One of five actions on one cluster, provisioned or Serverless (param `kind`), and what belongs to it:

* **provision**: work bucket, IAM role, security group, subnet group, cluster (private, encrypted, its
  password kept by AWS), the user `loader` who loads and owns the tables, the tables, a group of readers. It
  ends by showing endpoint, connection and price. Of Serverless: a namespace and a workgroup with a daily
  limit of RPU-hours, after which queries are off; who loads is the user of Airflow's identity.
* **pause**, **resume**: as AWS does; a paused cluster costs its storage. Serverless has neither.
* **teardown**: the cluster, with a final snapshot unless told otherwise, then the rest; what the pipeline
  wrote to the work bucket, and the bucket if nothing else is in it, only if asked.
* **status**: what exists, since when, and what it has cost at most.

Every step looks first what is there: any action may be run twice, and after one that failed half-way.
What does not carry our tag is left as it is. A cluster of which no final snapshot can be made, as in a state
`incompatible-…`, is removed only with `final_snapshot` false.

### A cluster cannot be forgotten
It carries the tag `expires_at` (param `hours_to_live`, 8 hours by default, 0 for never). The DAG
`redshift_reaper` pauses or removes what has expired. Provisioning again gives it another stretch of time.

### When a task fails
Its message says what AWS refused and what to do. Clear it once that is mended, or run teardown: it removes
what is there, whatever a failed provisioning has left.
""",
    schedule=None,
    **COMMON,
    max_active_runs=1,
    # The reaper triggers it: a DAG that nobody has switched on could not remove a forgotten cluster.
    is_paused_upon_creation=False,
    params={
        "action": Param(
            "status",
            type="string",
            enum=["provision", "pause", "resume", "teardown", "status"],
            title="Action",
            description="What to do with the cluster.",
        ),
        **cluster_params(),
        "node_type": Param(
            "ra3.large",
            type="string",
            enum=["ra3.large", "ra3.xlplus", "ra3.4xlarge", "rg.large", "rg.xlarge"],
            section=NEW_CLUSTER,
            title="Node type",
            description="provision: the kind of node.",
        ),
        "nodes": Param(
            1,
            type="integer",
            minimum=1,
            maximum=16,
            section=NEW_CLUSTER,
            title="Nodes",
            description="provision: how many nodes.",
        ),
        "hours_to_live": Param(
            8,
            type="number",
            minimum=0,
            maximum=8760,
            section=NEW_CLUSTER,
            title="Hours to live",
            description="provision, resume: hours after which the reaper may act; 0 for never.",
        ),
        "remove_work_bucket": Param(
            False,
            type="boolean",
            section=REMOVAL,
            title="Remove the work bucket",
            description="teardown: remove manifests and work bucket, too, unless somebody's files are in it.",
        ),
    },
    tags=["sparkify", "redshift", "cluster"],
) as dag:
    choose = BranchPythonOperator(
        task_id="choose", python_callable=first_task, op_kwargs={"action": "{{ params.action }}"}
    )

    with TaskGroup("provision") as provision:
        chain(
            step("check_connection", check_connection),
            step("make_work_bucket", make_work_bucket),
            step("make_role", make_role),
            step("make_network", make_network),
            step("make_cluster", make_cluster, until="available"),
            MakeLoaderOperator(
                task_id="make_loader", plan=PLAN, sql=SCHEMA, group=READERS, published=PUBLISHED
            ),
            CreateTablesOperator(task_id="create_tables", sql=SCHEMA),
            GrantReadOperator(task_id="grant_read", group=READERS, tables=PUBLISHED),
            step("show_connection", show_connection),
        )

    pause = step("pause", pause_cluster, until="paused")
    resume = step("resume", resume_cluster, until="available")

    with TaskGroup("teardown") as teardown:
        chain(
            step("remove_cluster", remove_cluster, until="gone"),
            [
                step("remove_network", remove_network, wait_minutes=10),
                step("remove_role", remove_role),
                step("remove_work_bucket", remove_work_bucket),
            ],
            step("show_leftovers", show_leftovers, trigger_rule="all_done_min_one_success"),
        )

    status = step("status", show_status)

    choose >> [provision, pause, resume, teardown, status]
