"""docs/aws.md is followed as it stands by somebody who has person.json, and then by the user it makes."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sandbox import lifecycle
from sandbox.airflow.metadata import prepare_airflow
from sandbox.parts import environment, postgres
from sandbox.parts.settings import BOUNDARY_NAME, ROLE_NAME, Settings
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.role import role_policy
from sparkify.cluster.status import connection_json
from tests.records import event, sale, song, store
from tests.sandbox.aws.client import client
from tests.sandbox.aws.faults import Asked, AwsFaults
from tests.sparkify.cluster.steps import what_is_there
from tests.sparkify.cluster.test_serverless import everything
from tests.system.airflow_service import AirflowService
from tests.system.conftest import ROOT
from tests.system.iam_policies import AIRFLOW, document_of, needless, values_of

PAGE = (ROOT / "docs" / "aws.md").read_text()
ALL_BLOCKS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SERVERLESS = [block for block in ALL_BLOCKS if "serverless" in block]
BLOCKS = [block for block in ALL_BLOCKS if block not in SERVERLESS]
AWS = shutil.which("aws")
# The names that the page uses.
PLAN = ClusterPlan(
    identifier="sparkify",
    source_bucket="my-source",
    work_bucket="my-work",
    region="us-east-1",
    allowed_cidr="172.31.0.0/16",
)
VALUES = values_of(PLAN)
POLICIES = {name: document_of(name, VALUES) for name in (*AIRFLOW, "person", "cluster-boundary")}
DAY = {"window_start": "2018-11-15T00:00:00+00:00", "window_end": "2018-11-16T00:00:00+00:00"}
MONTH = {"window_start": "2018-11-01T00:00:00+00:00", "window_end": "2018-12-01T00:00:00+00:00"}
# What runs need where something is there already: tests/system/test_iam_policies.py makes it so.
DISTURBED = {
    ("MakeSourceBucket", "s3:GetBucketTagging"),
    ("EmptyWorkBucket", "s3:AbortMultipartUpload"),
    ("ChangeOwnClusterRole", "iam:DetachRolePolicy"),
    ("ChangeOwnSecurityGroup", "ec2:RevokeSecurityGroupIngress"),
}

pytestmark = pytest.mark.skipif(AWS is None, reason="no aws command is there (AWS CLI)")


@dataclasses.dataclass
class Account:
    """The sandbox as an AWS account."""

    settings: Settings

    def client(self, service: str) -> Any:
        return client(self.settings, service)

    @property
    def journal(self) -> AwsFaults:
        return AwsFaults(self.settings)

    def asked(self, who: str) -> list[Asked]:
        """What somebody needed; who is a part of his ARN."""
        return [one for one in self.journal.asked() if who in one.principal]


class Shell:
    """A person's shell, in which the page's blocks are executed one after the other.

    Where the page has a place to fill in, `fill` is told what belongs there.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)
        self.fill: dict[str, str] = {}

    def run(self, block: str) -> str:
        """Execute a block and return what it prints; what it exports is there for the next."""
        for place, value in self.fill.items():
            block = block.replace(place, value)
        assert "…" not in block, block
        script = f'set -euo pipefail\n{block}\nenv -0 > "$SHELL_STATE"\n'
        state = Path(self.variables["SHELL_STATE"])
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607
            cwd=ROOT,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        telling = [line for line in done.stdout.splitlines() if re.search("rror|ailed|efused", line)]
        assert done.returncode == 0, "\n".join([block, *telling, done.stdout[-2000:], done.stderr[-3000:]])
        self.variables = dict(line.split("=", 1) for line in state.read_text().split("\0") if "=" in line)
        return done.stdout


def empty(account: Account) -> None:
    """Remove what `up` makes, so that the account is as AWS gives it."""
    iam = account.client("iam")
    for name in iam.list_role_policies(RoleName=ROLE_NAME)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE_NAME, PolicyName=name)
    iam.delete_role(RoleName=ROLE_NAME)
    iam.delete_policy(PolicyArn=f"arn:aws:iam::{VALUES['ACCOUNT']}:policy/{BOUNDARY_NAME}")
    for bucket in account.client("s3").list_buckets()["Buckets"]:
        account.client("s3").delete_bucket(Bucket=bucket["Name"])


@pytest.fixture(scope="module")
def account(new_settings: Callable[[], Settings]) -> Iterator[Account]:
    settings = dataclasses.replace(new_settings(), cluster_seconds=1)
    lifecycle.up(settings)
    found = Account(settings)
    empty(found)
    yield found
    lifecycle.down(settings.home)


@pytest.fixture(scope="module")
def shell(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The shell of a person who has person.json, in front of this repository."""
    iam = account.client("iam")
    iam.create_user(UserName="you")
    iam.put_user_policy(UserName="you", PolicyName="person", PolicyDocument=POLICIES["person"])
    key = iam.create_access_key(UserName="you")["AccessKey"]
    folder = tmp_path_factory.mktemp("page")
    # Where the account is, and nothing that the page sets itself.
    sandbox = environment.variables(account.settings)
    variables = {
        name: value
        for name, value in {**os.environ, **sandbox}.items()
        if not name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AWS_ACCESS", "AWS_SECRET"))
    }
    variables |= {"AIRFLOW_VAR_SPARKIFY_POLL_SECONDS": "1", "SHELL_STATE": str(folder / "state")}
    variables |= {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    found = Shell(variables)
    found.fill["/data/sparkify"] = str(_data(folder / "data"))
    return found


def _data(folder: Path) -> Path:
    """Two datasets, small."""
    events = "".join(json.dumps(event(f"2018-11-15T{hour:02}:30:00")) + "\n" for hour in range(24))
    files = {
        "log_data/2018/11/2018-11-15-events.json": events,
        "song_data/A/A/A/TRAAA1.json": json.dumps(song(title="Unknown")),
        "store_data/1.json": json.dumps(store(1)),
        "sales_data/2018/2018-11-sales.json": json.dumps(sale(1, "2018-11")),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def key_of(output: str) -> tuple[str, str]:
    """The key that create-access-key has printed."""
    key_id = re.search(r'"AccessKeyId": "(\w+)"', output)
    secret = re.search(r'"SecretAccessKey": "([^"]+)"', output)
    assert key_id is not None
    assert secret is not None
    return key_id[1], secret[1]


def make_user(shell: Shell) -> None:
    """The page's first two blocks."""
    key_id, secret = key_of(shell.run(BLOCKS[0]))
    places = {"AKIA…": key_id, '"password": "…"': f'"password": "{secret}"'}
    places["AWS_SECRET_ACCESS_KEY=…"] = f"AWS_SECRET_ACCESS_KEY={secret}"
    shell.fill |= places
    you = {name: shell.variables[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    shell.run(BLOCKS[1])
    exported = {name for name in shell.variables if name.startswith("AIRFLOW_")}
    assert {"AIRFLOW_CONN_AWS_DEFAULT", "AIRFLOW_CONN_REDSHIFT_DEFAULT"} <= exported
    assert shell.variables["AWS_ACCESS_KEY_ID"] != you["AWS_ACCESS_KEY_ID"]


def unmake_user(shell: Shell, person: Mapping[str, str]) -> None:
    """The page's last block, by the person again."""
    shell.variables |= person
    shell.run(BLOCKS[5])


def person_of(shell: Shell) -> dict[str, str]:
    return {name: shell.variables[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}


def test_the_page_has_the_blocks_that_are_executed_here():
    starts = ["policies=$(mktemp -d)", "export ", "airflow dags test redshift_cluster"]
    starts += ["airflow dags test upload_source", "aws redshift describe-cluster-snapshots", "for policy in"]
    assert [block.startswith(start) for block, start in zip(BLOCKS, starts, strict=True)] == [True] * 6
    starts = ["aws iam create-policy", "export ", "airflow dags test redshift_cluster", "aws iam detach-user"]
    assert [block.startswith(start) for block, start in zip(SERVERLESS, starts, strict=True)] == [True] * 4


def test_the_connection_of_the_page_is_the_one_that_the_dag_shows():
    found = re.search(r"AIRFLOW_CONN_REDSHIFT_DEFAULT='(.*?)'", PAGE, re.DOTALL)
    assert found is not None
    assert json.loads(found[1]) == json.loads(connection_json(PLAN))


def test_a_person_makes_the_user_and_removes_everything_again(account, shell):
    before = what_is_there(account)
    person = person_of(shell)
    make_user(shell)
    made = what_is_there(account)["policies"]
    assert sorted(made) == [
        "sparkify-airflow-cluster",
        "sparkify-airflow-load",
        "sparkify-airflow-upload",
        BOUNDARY_NAME,
    ]
    unmake_user(shell, person)
    # As it was, but for the person.
    assert what_is_there(account) == before
    assert [one for one in account.asked("user/you") if not one.allowed] == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_whole_page_from_an_empty_account_to_an_empty_account(account, shell):
    prepare_airflow(account.settings)
    before = what_is_there(account)
    person = person_of(shell)
    account.journal.forget_asked()
    make_user(shell)
    shell.run(BLOCKS[2])
    shell.run(BLOCKS[3])
    airflow = AirflowService(account.settings, **_exported(shell))
    try:
        airflow.start()
        _every_dag_and_action(airflow)
    finally:
        airflow.stop()
    _by_hand(account, shell, person)
    left = what_is_there(account)
    assert left.pop("buckets") == ["my-source"]
    assert left == {name: found for name, found in before.items() if name != "buckets"}
    _compare(account)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_serverless_on_the_page_from_an_empty_account_to_an_empty_account(account, shell):
    prepare_airflow(account.settings)
    _empty_warehouse(account.settings)
    before = everything(account)
    person = person_of(shell)
    account.journal.forget_asked()
    make_user(shell)
    airflow = person_of(shell)
    shell.variables |= person
    shell.run(SERVERLESS[0])
    shell.variables |= airflow
    shell.run(SERVERLESS[1])
    shell.run(BLOCKS[3])
    with psycopg.connect(postgres.admin_dsn(account.settings)) as connection:
        # Of the hour from 9 to 10, by a user whom AWS has named.
        assert connection.execute("SELECT COUNT(*) FROM songplays").fetchall() == [(1,)]
        [(owner,)] = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'songplays'")
    assert owner == "IAM:sparkify-airflow"
    shell.run(SERVERLESS[2])
    shell.variables |= person
    shell.run(SERVERLESS[3])
    unmake_user(shell, person)
    left = everything(account)
    [snapshot] = left.pop("serverless snapshots")
    assert snapshot.startswith("sparkify-final-")
    # The buckets stay, as the page says.
    assert sorted(left.pop("buckets")) == ["my-source", "my-work"]
    assert left == {name: before[name] for name in left}
    people = ("user/sparkify-airflow", "user/you", "assumed-role/sparkify-cluster/")
    refused = [one for who in people for one in account.asked(who) if not one.allowed]
    assert {(one.action, one.resource) for one in refused} == set()
    account.client("redshift-serverless").delete_snapshot(snapshotName=snapshot)
    _delete_bucket(account, "my-work")


def _delete_bucket(account: Account, name: str) -> None:
    s3 = account.client("s3")
    for item in s3.list_objects_v2(Bucket=name)["Contents"]:
        s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


def _exported(shell: Shell) -> dict[str, str]:
    """What the page has set."""
    return {
        name: value
        for name, value in shell.variables.items()
        if name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AWS_ACCESS", "AWS_SECRET"))
    }


def _every_dag_and_action(airflow: AirflowService) -> None:
    def cluster(action: str, **conf: Any) -> Any:
        return airflow.run("redshift_cluster", action=action, **conf).succeeded()

    cluster("provision", hours_to_live=0)
    airflow.run("sparkify_etl", **DAY).succeeded()
    airflow.run("stores_etl", **MONTH).succeeded()
    airflow.run("sparkify_reconcile", **DAY).succeeded()
    airflow.run("stores_reconcile", **MONTH).succeeded()
    airflow.run("warehouse_reset", tables=["time"], confirmation="time").succeeded()
    for action in ("status", "pause", "resume"):
        cluster(action)
    airflow.run("redshift_reaper").succeeded()
    cluster("teardown")
    cluster("provision", from_snapshot=True)
    cluster("teardown", final_snapshot=False, remove_work_bucket=True)
    airflow.run("sparkify_once", **DAY, final_snapshot=False).succeeded()
    cluster("teardown", final_snapshot=False, remove_work_bucket=True)


def _by_hand(account: Account, shell: Shell, person: Mapping[str, str]) -> None:
    """What the page leaves to the person."""
    shell.variables |= person
    (snapshot,) = what_is_there(account)["snapshots"]
    shell.fill["sparkify-final-…"] = snapshot
    shell.run(BLOCKS[4])
    # There is one in the sandbox's account, so AWS refuses it for another reason than permissions.
    shell.run("aws ec2 create-default-vpc || true")
    unmake_user(shell, person)


def _is_refused(one: Asked) -> bool:
    """Whether something was; the reaper looks at Serverless, too, for which Airflow has no policy here."""
    return not one.allowed and not one.action.startswith("redshift-serverless:List")


def _compare(account: Account) -> None:
    """Each policy is enough, and each of its actions is needed."""
    airflow, you = account.asked("user/sparkify-airflow"), account.asked("user/you")
    copies = account.asked("assumed-role/sparkify-cluster/")
    load = POLICIES["airflow-load"]
    role = [{**one, "Sid": str(n)} for n, one in enumerate(role_policy(PLAN)["Statement"])]
    found = {
        "refused": {(one.action, one.resource) for one in (*airflow, *you, *copies) if _is_refused(one)},
        "load": needless(load, [], airflow),
        "upload": needless(POLICIES["airflow-upload"], [], airflow) - DISTURBED,
        "cluster": needless(POLICIES["airflow-cluster"], [load], airflow) - DISTURBED,
        "person": needless(POLICIES["person"], [], you),
        "role": needless(json.dumps({"Statement": role}), [], copies),
        "boundary": needless(POLICIES["cluster-boundary"], [], copies),
    }
    nobody = "arn:aws:redshift:us-east-1:123456789012:dbuser:/loader"
    assert found == {
        # The driver takes 127.0.0.1 for a domain of one's own first, and then asks by the cluster's name.
        "refused": {("redshift:GetClusterCredentials", nobody)},
        "load": set(),
        "upload": set(),
        "cluster": set(),
        "person": set(),
        # As in tests/system/test_iam_loads.py: the guide asks for it.
        "role": {("0", "s3:ListBucket")},
        "boundary": {("ReadNothingButTheBuckets", "s3:ListBucket")},
    }


def _empty_warehouse(settings: Settings) -> None:
    """A new namespace has no tables; every cluster of a sandbox has the same."""
    with psycopg.connect(postgres.admin_dsn(settings), autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS ops CASCADE")
        tables = "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
        for (name,) in connection.execute(tables).fetchall():
            connection.execute(f"DROP TABLE public.{name} CASCADE".encode())
