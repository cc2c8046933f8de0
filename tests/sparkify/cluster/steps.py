"""Steps over AWS as the tests run them: in a world whose clusters change when the test lets time pass."""

from collections.abc import Callable, Iterator

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import sparkify.aws
from sandbox.parts import environment
from sparkify.aws import Aws, NotYet
from sparkify.cluster.bucket import make_work_bucket, remove_work_bucket
from sparkify.cluster.life import make_cluster, remove_cluster
from sparkify.cluster.network import make_network, remove_network
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.role import make_role, remove_role
from sparkify.failures import FatalError
from tests.sandbox.aws.clusters import World
from tests.system.iam_policies import document_of, values_of

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

PLAN = ClusterPlan(
    identifier="steps",
    source_bucket="steps-source",
    work_bucket="steps-work",
    region="us-east-1",
    allowed_cidr="10.0.0.0/16",
    remove_work_bucket=True,
    final_snapshot=False,
)
MAKE = (make_work_bucket, make_role, make_network, make_cluster)
REMOVE = (remove_cluster, remove_network, remove_role, remove_work_bucket)
Step = Callable[[Aws, ClusterPlan], str]


@pytest.fixture
def aws(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The clients that the steps use; whatever a test leaves is removed."""
    variables = environment.variables(world.settings)
    for name in ("AIRFLOW_CONN_AWS_DEFAULT", *environment.aws_variables(world.settings)):
        monkeypatch.setenv(name, variables[name])
    make_boundary(world, PLAN)
    # boto's own retries would hide a fault, and pause before they do.
    monkeypatch.setattr(sparkify.aws, "_CONFIG", Config(retries={"total_max_attempts": 1}))
    yield Aws("aws_default", PLAN.region)
    tear_down(world, Aws("aws_default", PLAN.region))
    for snapshot in world.client("redshift").describe_cluster_snapshots(SnapshotType="manual")["Snapshots"]:
        world.client("redshift").delete_cluster_snapshot(SnapshotIdentifier=snapshot["SnapshotIdentifier"])


def make_boundary(world: World, plan: ClusterPlan) -> None:
    """Make the policy that people make before Airflow may make the role; nothing where it is there."""
    iam = world.client("iam")
    if plan.boundary_name not in what_is_there(world)["policies"]:
        document = document_of("cluster-boundary", values_of(plan))
        iam.create_policy(PolicyName=plan.boundary_name, PolicyDocument=document)


def do(world: World, aws: Aws, *steps: Step, plan: ClusterPlan = PLAN, tries: int = 6) -> list[str]:
    """Do steps one after the other; what has to wait is tried again in the next phase of the cluster."""
    return [_do(world, aws, step, plan, tries) for step in steps]


def _do(world: World, aws: Aws, step: Step, plan: ClusterPlan, tries: int) -> str:
    for _ in range(tries):
        try:
            return step(aws, plan)
        except NotYet:
            world.time.pass_phase()
    raise AssertionError(f"{step.__name__} waits for ever")


def provision(world: World, aws: Aws, plan: ClusterPlan = PLAN) -> list[str]:
    done = do(world, aws, *MAKE, plan=plan)
    world.time.pass_phase()
    return done


def tear_down(world: World, aws: Aws, plan: ClusterPlan = PLAN) -> list[str]:
    first = do(world, aws, remove_cluster, plan=plan)
    for _ in range(3):
        world.time.pass_phase()
    return first + do(world, aws, *REMOVE[1:], plan=plan)


def what_is_there(world: World) -> dict[str, list[str]]:
    """Everything in the account that could be ours."""
    redshift, ec2, iam = (world.client(name) for name in ("redshift", "ec2", "iam"))
    return {
        "clusters": [c["ClusterIdentifier"] for c in redshift.describe_clusters()["Clusters"]],
        "snapshots": [
            s["SnapshotIdentifier"]
            for s in redshift.describe_cluster_snapshots(SnapshotType="manual")["Snapshots"]
        ],
        "subnet groups": [
            g["ClusterSubnetGroupName"]
            for g in redshift.describe_cluster_subnet_groups()["ClusterSubnetGroups"]
        ],
        "security groups": [
            g["GroupName"]
            for g in ec2.describe_security_groups()["SecurityGroups"]
            if g["GroupName"] != "default"
        ],
        "roles": [r["RoleName"] for r in iam.list_roles()["Roles"]],
        "policies": [p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]],
        "secrets": [s["Name"] for s in world.client("secretsmanager").list_secrets()["SecretList"]],
        "buckets": [b["Name"] for b in world.client("s3").list_buckets()["Buckets"]],
    }


@pytest.fixture
def before(world: World, aws: Aws) -> dict[str, list[str]]:
    return what_is_there(world)


def do_once(world: World, aws: Aws, *steps: Step) -> bool:
    """Do the steps as a task with retries does: after an error the same step once more."""
    for step in steps:
        for _ in range(4):
            try:
                do(world, aws, step)
                break
            except (BotoCoreError, ClientError, FatalError):
                world.time.pass_phase()
        else:
            return False
        world.time.pass_phase()
        world.time.pass_phase()
    return True
