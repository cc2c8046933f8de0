"""A cluster for the tests of the Data API, and a client that waits for statements to end."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER

ENDED = {"FINISHED", "FAILED", "ABORTED"}


@dataclass
class DataApi:
    """One caller's Data API.

    Args:
        api: boto3's client.
        login: The parameters that say where statements run and as whom.
    """

    api: Any
    login: dict[str, str]

    def execute(self, sql: str, **more: Any) -> str:
        return self.api.execute_statement(Sql=sql, **{**self.login, **more})["Id"]

    def batch(self, *sqls: str, **more: Any) -> dict[str, Any]:
        return self.ended(self.api.batch_execute_statement(Sqls=list(sqls), **{**self.login, **more})["Id"])

    def ended(self, identifier: str) -> dict[str, Any]:
        """What is told of a statement once it has ended."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            told = self.api.describe_statement(Id=identifier, WaitTimeSeconds=10)
            if told["Status"] in ENDED:
                return told
        raise AssertionError(f"did not end: {told}")

    def run(self, sql: str, **more: Any) -> dict[str, Any]:
        return self.ended(self.execute(sql, **more))

    def rows(self, sql: str, **more: Any) -> list[list[Any]]:
        """The values of a query's rows, by the types that the API gives them."""
        told = self.run(sql, **more)
        assert told["Status"] == "FINISHED", told
        pages = self.api.get_paginator("get_statement_result").paginate(Id=told["Id"])
        return [
            [None if field.get("isNull") else next(iter(field.values())) for field in record]
            for page in pages
            for record in page["Records"]
        ]


@pytest.fixture(scope="module")
def data_cluster(sandbox: Settings) -> str:
    """An available cluster that no security group admits anybody to: the Data API needs no way in."""
    name = f"c-{uuid.uuid4().hex[:8]}"
    redshift = client(sandbox, "redshift")
    redshift.create_cluster(ClusterIdentifier=name, **CLUSTER)
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    return name


@pytest.fixture(scope="module")
def data(sandbox: Settings, data_cluster: str) -> DataApi:
    """The Data API as the sandbox's own key and database user."""
    login = {"ClusterIdentifier": data_cluster, "Database": sandbox.database, "DbUser": sandbox.user}
    return DataApi(client(sandbox, "redshift-data"), login)


@pytest.fixture
def table(data: DataApi) -> Any:
    """The name of a table of the test's own, removed again."""
    name = f"t_{uuid.uuid4().hex[:8]}"
    yield name
    data.run(f"DROP TABLE IF EXISTS {name}")


def code_and_words(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Code and message of a refusal."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert 400 <= caught.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
