"""A folder of source files, the DAG that uploads it, and what is in a bucket afterwards."""

import itertools
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.faults import aws_faults
from tests.system.conftest import ROOT

EVENTS = "log_data/2018/11/2018-11-01-events.json"
SONGS = [f"song_data/A/A/{letter}/TRAA{letter}128F424C983.json" for letter in "ABC"]
FILES = {EVENTS: b'{"page":"Home"}\n', **{key: f'{{"song_id":"{key}"}}'.encode() for key in SONGS}}
_numbers = itertools.count()


@pytest.fixture
def dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(ROOT / "dags" / "upload_source.py")).dags["upload_source"]


@pytest.fixture
def run(dag, sandbox):
    """The DAG's task by itself; keywords are params."""
    from airflow.sdk.execution_time.context import VariableAccessor

    def run(folder, **params):
        operator = dag.get_task("upload").prepare_for_execution()
        variables = VariableAccessor(deserialize_json=False)
        context = {"params": {"folder": str(folder), "bucket": "", **params}, "var": {"value": variables}}
        operator.render_template_fields(context)
        return operator.execute(context)

    return run


@pytest.fixture
def faults(sandbox):
    with aws_faults(sandbox) as found:
        yield found


@pytest.fixture
def bucket(source):
    """The bucket that the Variable names, in use by somebody who set it up otherwise."""
    source.put("elsewhere/kept.json", "{}")
    return source.bucket


@pytest.fixture
def missing_bucket(monkeypatch):
    """The Variable names a bucket that does not exist."""
    name = f"missing-{next(_numbers)}"
    monkeypatch.setenv("AIRFLOW_VAR_SPARKIFY_SOURCE_BUCKET", name)
    return name


@pytest.fixture
def folder(tmp_path):
    return fill(tmp_path / "source")


def fill(folder: Path, files=FILES) -> Path:
    for key, content in files.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def objects(s3, bucket):
    return {entry["Key"]: entry for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def contents(s3, bucket):
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in objects(s3, bucket)}


def puts(faults):
    return sorted(call.resources["Key"] for call in faults.calls("s3") if call.action == "PutObject")


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]
