"""What every client gets: its environment variables, a few days of sample data in S3 and in the warehouse."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.demo.sample import generate
from sandbox.parts.environment import variables
from sandbox.parts.settings import ROLE_NAME, Settings
from tests.clients.environments import FOLDER
from tests.sandbox.aws.client import client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "clients"
# Of the variables that a sandbox's environment has, what a client of AWS reads.
_AWS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class Sample:
    """Two days of events and some songs, as files in a bucket and as documents."""

    folder: Path
    events: list[dict[str, Any]]
    songs: list[dict[str, Any]]

    @property
    def plays(self) -> list[dict[str, Any]]:
        """The events in which somebody listens to a song."""
        return [event for event in self.events if event["page"] == "NextSong"]


@pytest.fixture(scope="session")
def client_environment(
    sandbox: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, str]]:
    """The variables of a client's process: how it reaches the sandbox, and nothing of this one's Airflow."""
    home = tmp_path_factory.mktemp("client")
    found = variables(sandbox)

    def make(**more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            **{name: found[name] for name in _AWS},
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PGHOST": sandbox.redshift_host,
            "PGPORT": str(sandbox.redshift_port),
            "PGUSER": sandbox.user,
            "PGPASSWORD": sandbox.password,
            "PGDATABASE": sandbox.database,
            "BUCKET": BUCKET,
            **more,
        }

    return make


@pytest.fixture(scope="module", autouse=True)
def writing_role(sandbox: Settings) -> Iterator[None]:
    """The cluster's role may write, for UNLOAD, which it may not by itself."""
    iam = client(sandbox, "iam")
    actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="unload", PolicyDocument=policy)
    yield
    iam.delete_role_policy(RoleName=ROLE_NAME, PolicyName="unload")


@pytest.fixture(scope="session")
def bucket(sandbox: Settings) -> "S3Client":
    """A client of the S3 with the bucket that clients read and write."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=sandbox.aws_endpoint_url,
        aws_access_key_id=sandbox.aws_access_key_id,
        aws_secret_access_key=sandbox.aws_secret_access_key,
        region_name=sandbox.region,
    )
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="session")
def sample(bucket: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample, uploaded with the jsonpaths file of the courses."""
    folder = tmp_path_factory.mktemp("sample")
    generate(folder, start=date(2018, 11, 28), days=2, events=1500, songs=60)
    files = sorted(folder.glob("*_data/**/*.json"))
    for path in (*files, FOLDER / "courses" / "log_json_path.json"):
        key = path.relative_to(folder).as_posix() if path in files else path.name
        bucket.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    read = {name: "".join(path.read_text() for path in files if name in path.parts) for name in _KINDS}
    return Sample(folder, *(list(_documents(read[name])) for name in _KINDS))


_KINDS = ("log_data", "song_data")


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder, position = json.JSONDecoder(), 0
    while text[position:].strip():
        found, end = decoder.raw_decode(text[position:].lstrip())
        position += len(text[position:]) - len(text[position:].lstrip()) + end
        yield found


@pytest.fixture(scope="session")
def warehouse(sandbox: Settings) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Run a statement as the master user, by itself; returns its rows."""
    import redshift_connector

    with redshift_connector.connect(
        host="127.0.0.1",
        port=sandbox.redshift_port,
        user=sandbox.user,
        password=sandbox.password,
        database=sandbox.database,
        ssl=False,
    ) as connection:
        connection.autocommit = True

        def run(sql: str) -> list[tuple[Any, ...]]:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

        yield run


@pytest.fixture(scope="module")
def raw(sample: Sample, warehouse: Callable[[str], list[tuple[Any, ...]]]) -> Iterator[str]:
    """The schema of the staging tables with the sample, as the courses make them."""
    warehouse("CREATE SCHEMA raw")
    for statement in (FOLDER / "courses" / "staging.sql").read_text().format(bucket=BUCKET).split(";"):
        if statement.strip():
            warehouse(statement)
    yield "raw"
    warehouse("DROP SCHEMA raw CASCADE")
