"""The stack from nothing, a month through it, and its containers killed."""

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
import urllib3

from tests.compose.stack import DAG, Stack, Tables

SERVICES = (
    "postgres",
    "redshift",
    "aws",
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
)


def differing(found: Tables, expected: Tables) -> dict[str, str]:
    """The tables whose rows are not the expected ones, with some that are missing or too many.

    Rows are compared as Python compares them: a latitude of 40 in a file is 40.0 in the warehouse.
    """
    wrong = {}
    for table, rows in expected.items():
        missing, surplus = Counter(rows) - Counter(found[table]), Counter(found[table]) - Counter(rows)
        if missing or surplus:
            wrong[table] = f"missing {list(missing)[:3]}, too many {list(surplus)[:3]}"
    return wrong


@pytest.fixture(scope="module")
def loaded(stack: Stack) -> Stack:
    """The stack after the first load of the month."""
    stack.load_month("first")
    return stack


def test_from_nothing_all_services_become_healthy(stack: Stack):
    states = {name.rpartition("_")[0]: one["State"] for name, one in stack.containers().items()}
    assert {name for name, state in states.items() if state["Status"] == "running"} == set(SERVICES)
    assert {name for name, state in states.items() if state["Status"] == "exited"} == {
        "airflow-init",
        "sample-data",
    }
    health = stack.request("GET", "/api/v2/monitor/health")
    assert {part["status"] for part in health.values()} == {"healthy"}


def test_a_run_over_the_month_gives_what_plain_python_works_out(loaded: Stack, expected: Tables):
    assert len(expected["staging_events"]) == 100_000
    assert differing(loaded.tables(), expected) == {}
    assert {task["try_number"] for task in loaded.tasks("first")} == {1}


def test_nobody_gets_in_without_a_password(stack: Stack):
    http = urllib3.PoolManager()
    assert http.request("GET", f"{stack.url}/api/v2/dags").status == 401
    bad = {"username": stack.settings["AIRFLOW_USER"], "password": "airflow"}
    assert http.request("POST", f"{stack.url}/auth/token", json=bad).status == 401
    assert http.request("GET", f"http://127.0.0.1:{stack.settings['AWS_PORT']}/sparkify-raw").status == 403


def test_ports_are_published_on_loopback_only(stack: Stack):
    published = [
        binding["HostIp"]
        for container in stack.containers().values()
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    ]
    assert len(published) == 3
    assert set(published) == {"127.0.0.1"}


def test_a_login_by_iam_finds_the_endpoint_by_its_name_and_trusts_its_certificate(stack: Stack):
    code = """
import boto3, redshift_connector
redshift = boto3.client("redshift")
ec2 = boto3.client("ec2")
group = ec2.create_security_group(GroupName="one", Description="one")["GroupId"]
ec2.authorize_security_group_ingress(GroupId=group, CidrIp="172.31.0.0/16", IpProtocol="tcp",
                                     FromPort=5439, ToPort=5439)
redshift.create_cluster(ClusterIdentifier="one", ClusterType="single-node", NodeType="ra3.large",
                        MasterUsername="sparkify", MasterUserPassword="Aa345678", VpcSecurityGroupIds=[group])
redshift.get_waiter("cluster_available").wait(ClusterIdentifier="one", WaiterConfig={"Delay": 1})
connection = redshift_connector.connect(iam=True, cluster_identifier="one", db_user="sparkify",
                                        user="sparkify", database="sparkify", region="us-east-1")
print(connection.run("SELECT current_user"), redshift.describe_clusters()["Clusters"][0]["Endpoint"])
redshift.delete_cluster(ClusterIdentifier="one", SkipFinalClusterSnapshot=True)
"""
    said = stack.compose("exec", "-T", "airflow-scheduler", "python", "-c", code)
    assert "sparkify" in said.splitlines()[-1]
    assert "{'Address': 'aws', 'Port': " in said


def test_the_log_of_a_task_can_be_read_in_the_web_server(loaded: Stack):
    log = loaded.request("GET", f"/api/v2/dags/{DAG}/dagRuns/first/taskInstances/stage_events/logs/1")
    assert "2018-11-01" in str(log["content"])


def test_a_crash_of_the_endpoint_alone_ends_the_container_and_is_healed(loaded: Stack, expected: Tables):
    container = loaded.containers()["redshift_1"]["State"]
    for child in psutil.Process(container["Pid"]).children(recursive=True):
        if "sandbox.redshift" in child.cmdline():
            child.kill()
    loaded.wait_until_restarted("redshift_1", container["StartedAt"])
    loaded.wait_until_healthy()
    assert differing(loaded.tables(), expected) == {}


@pytest.mark.long
@pytest.mark.parametrize("service", SERVICES)
def test_a_container_that_is_killed_comes_back_and_a_run_gives_the_same_tables(
    loaded: Stack, expected: Tables, service: str
):
    loaded.crash(f"{service}_1")
    loaded.load_month(f"after-{service}")
    assert differing(loaded.tables(), expected) == {}
    loaded.wait_until_healthy()


@contextlib.contextmanager
def running(stack: Stack, run_id: str) -> Iterator[None]:
    """A run that is under way while the block is carried out, and has ended well after it."""
    stack.log_in()
    body = {
        "logical_date": None,
        "dag_run_id": run_id,
        "conf": {"window_start": "2018-11-01T00:00:00Z", "window_end": "2018-12-01T00:00:00Z"},
    }
    stack.request("POST", f"/api/v2/dags/{DAG}/dagRuns", body)
    stack.wait_until(
        lambda: any(
            task["state"] == "running" and task["task_id"].startswith("stage") for task in stack.tasks(run_id)
        ),
        lambda: f"{run_id} stages",
    )
    yield
    stack.wait_until(lambda: stack.state(run_id) in ("success", "failed"), lambda: f"{run_id} has ended")
    assert stack.state(run_id) == "success", stack.tasks(run_id)


@pytest.mark.long
@pytest.mark.parametrize("service", ["redshift", "aws", "airflow-apiserver"])
def test_a_run_survives_a_container_that_is_killed_under_it(loaded: Stack, expected: Tables, service: str):
    with running(loaded, f"under-{service}"):
        loaded.crash(f"{service}_1")
    assert differing(loaded.tables(), expected) == {}


@pytest.mark.long
def test_down_and_up_keep_metadata_and_warehouse(loaded: Stack, expected: Tables):
    loaded.compose("down")
    assert loaded.containers() == {}
    loaded.up()
    loaded.log_in()
    assert loaded.state("first") == "success"
    assert differing(loaded.tables(), expected) == {}
    assert "already" in loaded.logs("sample-data")


def test_told_to_stop_every_service_ends_in_time(loaded: Stack):
    """No container has to be killed: SIGTERM reaches all of them. The last test, for it leaves nothing up."""
    loaded.compose("stop", "--timeout", "60")
    codes = {name: one["State"]["ExitCode"] for name, one in loaded.containers().items()}
    killed = [name for name, code in codes.items() if code == 128 + signal.SIGKILL]
    assert killed == [], loaded.logs(*(name.removesuffix("_1") for name in killed))[-3000:]
    assert codes["redshift_1"] == codes["aws_1"] == 0
