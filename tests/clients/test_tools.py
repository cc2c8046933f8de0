"""Libraries and tools that load and read the warehouse, each unchanged from its lock."""

import json
import os
import shutil
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.clients.environments import FOLDER, attempt, command, run
from tests.sandbox.aws.client import client


@pytest.mark.parametrize("driver", ["psycopg2", "redshift_connector"])
def test_sqlalchemy_reflects_tables_and_pandas_writes_and_reads_them(client_environment, sample, driver):
    found = run("sqlalchemy", "reflection.py", client_environment(), driver)
    options = {name.removeprefix("redshift_"): value for name, value in found.pop("options").items()}
    assert options == {"diststyle": "key", "distkey": "artist_id"}
    schema = found["reflected"][0].partition(".")[0]
    assert found == {
        "tables": ["artists", "songs"],
        "has": [True, False],
        "columns": [
            ["id", "INTEGER", False],
            ["artist_id", "INTEGER", True],
            ["length", "NUMERIC(10, 2)", True],
            ["seen", "TIMESTAMP", True],
        ],
        "primary key": ["id"],
        "foreign keys": [[["artist_id"], "artists", ["id"]]],
        "unique": [["artist_id", "length"]],
        "reflected": [f"{schema}.artists", f"{schema}.songs"],
        "appended": 6,
        "replaced": [6],
        "copied": len(sample.songs) if driver == "psycopg2" else 0,
    }


def test_awswrangler_copies_frames_and_files_unloads_and_asks_the_data_api(
    client_environment, bucket, cluster
):
    rows = [["1", "one"], ["2", None], ["3", "drei €"]]
    times = ["2018-11-28 10:00:00", "2018-11-29 11:30:00", None]
    found = run("awswrangler", "frames.py", client_environment(), cluster)
    assert found == {
        "inserted": [["1", "new"], *rows[1:]],
        "copied": [[*row, at] for row, at in zip(rows, times, strict=True) for _ in range(2)],
        "unloaded": 6,
        "data api": rows,
    }


@pytest.fixture(scope="module")
def cluster(client_environment, sandbox):
    """A cluster of the sandbox, for clients that ask for one."""
    aws = ["aws", "redshift"]
    named = ["--cluster-identifier", "clients"]
    command("awscli", [*aws, "create-cluster", *named, *_KIND, *_MASTER], client_environment())
    # `aws redshift wait` looks once a minute.
    client(sandbox, "redshift").get_waiter("cluster_available").wait(
        ClusterIdentifier="clients", WaiterConfig={"Delay": 1}
    )
    yield "clients"
    command("awscli", [*aws, "delete-cluster", *named, "--skip-final-cluster-snapshot"], client_environment())


_MASTER = ("--master-username", "sparkify", "--master-user-password", "Secret123")
_KIND = ("--node-type", "ra3.large", "--cluster-type", "single-node", "--db-name", "sparkify")


def test_locopy_loads_a_local_file_and_unloads_a_query(client_environment, bucket):
    assert run("locopy", "load.py", client_environment()) == {
        "counted": [3, "2018-11-29"],
        "unloaded": ["id,word", "1,one", "2,", "3,three"],
        "frame": [[1, "one"], [2, ""], [3, "three"]],  # a CSV file tells no NULL
    }


@pytest.mark.parametrize("way", ["insert_values", "jsonl", "parquet"])
def test_dlt_merges_and_appends_in_two_runs(client_environment, bucket, way):
    found = run("dlt", "pipeline.py", client_environment(), way)
    assert way in found.pop("formats")
    assert found == {
        "songs": [[1, "Day 2"], [2, "Other"], [3, "Other"]],
        "artists": [["O'Neil"], ["Zoë"]],
        "plays": [[1, 3, 0], [2, 3, 3]],
    }


@pytest.fixture
def mesh(client_environment, raw, tmp_path):
    """Run a command of SQLMesh on a copy of its project: it keeps a cache there."""
    project = tmp_path / "project"
    shutil.copytree(FOLDER / "sqlmesh" / "project", project)
    environment = client_environment(STATE=str(tmp_path / "state.db"))

    def run(*words):
        return command(
            "sqlmesh",
            ["sqlmesh", "--paths", str(project), "--log-file-dir", str(project / "logs"), *words],
            environment,
        )

    run.project = project
    return run


def test_sqlmesh_plans_a_project_and_a_changed_model(mesh, sample, warehouse):
    plan = ["plan", "--auto-apply", "--no-prompts", "--skip-tests"]
    mesh(*plan)
    users = len({event["userId"] for event in sample.plays})
    assert warehouse("SELECT COUNT(*) FROM mesh.plays") == [(len(sample.plays),)]
    assert warehouse("SELECT COUNT(*), SUM(plays) FROM mesh.daily")[0][1] == len(sample.plays)
    assert warehouse("SELECT COUNT(*) FROM mesh.users") == [(users,)]

    changed = mesh.project / "models" / "users.sql"
    changed.write_text(changed.read_text().replace("AS level FROM", "AS level, COUNT(*)::INT AS plays FROM"))
    mesh(*plan)
    assert warehouse("SELECT SUM(plays) FROM mesh.users") == [(len(sample.plays),)]
    mesh(*plan, "--restate-model", "mesh.users")
    assert warehouse("SELECT COUNT(*) FROM mesh.users") == [(users,)]
    assert warehouse("SELECT MIN(name), MAX(name) FROM mesh.first_day") == [("Frei", "Zahlend")]


@pytest.mark.parametrize(("contract", "code"), [("events.yml", 0), ("wrong_events.yml", 1)])
def test_soda_verifies_a_contract(client_environment, raw, contract, code):
    source, contract = FOLDER / "soda" / "data_source.yml", FOLDER / "soda" / contract
    words = ["soda", "contract", "verify", "-ds", str(source), "-c", str(contract)]
    done = attempt("soda", words, client_environment())
    assert done.returncode == code, done.stdout + done.stderr
    assert f"Found {code} data type mismatches" in done.stdout


def test_s3fs_writes_lists_and_reads_files(client_environment, sample):
    assert run("s3fs", "files.py", client_environment()) == {
        "middle": "456",
        "end": "cc",
        "names": ["a.txt", "c.txt", "large.bin"],
        "glob": 2,
        "size": 15 * 2**20,
        "left": False,
    }


def test_pyarrow_writes_partitioned_parquet_and_reads_a_part_of_it(client_environment, bucket):
    assert run("pyarrow", "files.py", client_environment()) == {
        "part": [3],
        "whole": 3,
        "names": ["day=28", "day=29"],
    }


class TestAws:
    @pytest.fixture
    def aws(self, client_environment):
        return lambda *words: command("awscli", ["aws", *words], client_environment())

    def test_files_are_synchronised_listed_and_read_by_a_presigned_url(self, aws, sample, bucket, tmp_path):
        (tmp_path / "one.txt").write_text("one")
        # An object's time is told in whole seconds, and a file of the same second would be newer.
        os.utime(tmp_path / "one.txt", (0, 0))
        aws("s3", "sync", str(tmp_path), "s3://clients/cli/")
        assert aws("s3", "sync", str(tmp_path), "s3://clients/cli/") == ""
        assert aws("s3", "ls", "s3://clients/cli/").split()[2:] == ["3", "one.txt"]
        assert aws("s3", "cp", "s3://clients/cli/one.txt", "-") == "one"
        address = urlsplit(aws("s3", "presign", "s3://clients/cli/one.txt").strip())
        connection = HTTPConnection(address.netloc)  # no library that would sign anything itself
        connection.request("GET", f"{address.path}?{address.query}")
        assert connection.getresponse().read() == b"one"
        assert "Total Objects: 2" in aws("s3", "ls", "--summarize", "--recursive", "s3://clients/log_data/")

    def test_a_role_that_reads_s3_gets_the_managed_policy_of_the_tutorials(self, aws):
        trust = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "redshift.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                },
            }
        )
        role = ["--role-name", "clients-reader"]
        aws("iam", "create-role", *role, "--assume-role-policy-document", trust)
        policy = ["--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
        aws("iam", "attach-role-policy", *role, *policy)
        assert "AmazonS3ReadOnlyAccess" in aws("iam", "list-attached-role-policies", *role)
        aws("iam", "detach-role-policy", *role, *policy)
        aws("iam", "delete-role", *role)

    def test_a_cluster_is_described_as_text(self, aws, cluster):
        shown = aws("redshift", "describe-clusters", "--cluster-identifier", cluster, "--output", "text")
        assert "available" in shown

    def test_the_data_api_runs_statements_and_lists_tables(self, aws, cluster, raw, sample):
        where = ["--cluster-identifier", cluster, "--database", "sparkify", "--db-user", "sparkify"]

        def data(*words):
            return json.loads(aws("redshift-data", *words, "--output", "json") or "{}")

        def ended(id_):
            for _ in range(100):
                if (found := data("describe-statement", "--id", id_))["Status"] not in _UNDER_WAY:
                    return found
            raise AssertionError(found)

        started = data("execute-statement", *where, "--sql", "SELECT COUNT(*) AS n FROM raw.staging_events")
        assert (ended(started["Id"])["Status"], ended(started["Id"])["ResultRows"]) == ("FINISHED", 1)
        result = data("get-statement-result", "--id", started["Id"])
        assert result["Records"] == [[{"longValue": len(sample.events)}]]
        assert result["ColumnMetadata"][0]["name"] == "n"
        wrong = data("execute-statement", *where, "--sql", "SELECT missing FROM raw.staging_events")
        assert (ended(wrong["Id"])["Status"], "missing" in ended(wrong["Id"])["Error"]) == ("FAILED", True)
        tables = data("list-tables", *where, "--schema-pattern", "raw")["Tables"]
        assert {"staging_events", "staging_songs"} <= {table["name"] for table in tables}
        batch = data("batch-execute-statement", *where, "--sqls", "SELECT 1", "SELECT 2")
        assert [one["Status"] for one in ended(batch["Id"])["SubStatements"]] == ["FINISHED"] * 2


_UNDER_WAY = ("SUBMITTED", "PICKED", "STARTED")
