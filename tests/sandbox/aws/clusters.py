"""What the tests of clusters do with them."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client

CLUSTER = {
    "NodeType": "ra3.large",
    "ClusterType": "single-node",
    "MasterUsername": "sparkify",
    "MasterUserPassword": "Sparkify1",
}
SECONDS = 60.0


class Time:
    """The clock of an AWS API server in this process."""

    def __init__(self) -> None:
        self.now = 0.0
        self._start = datetime.now(UTC)

    def monotonic(self) -> float:
        """What the server takes for time.monotonic(); no two moments are the same."""
        self.now += 0.001
        return self.now

    def utcnow(self) -> datetime:
        """What the server takes for the time of day, as moto keeps it."""
        return (self._start + timedelta(seconds=self.monotonic())).replace(tzinfo=None)

    def pass_phase(self) -> None:
        """Let one passing status end."""
        self.now += SECONDS


@dataclasses.dataclass
class World:
    """An AWS API server whose clusters change when `time` is told to pass."""

    settings: Settings
    time: Time

    def client(self, service: str, **changes: str) -> Any:
        return client(self.settings, service, **changes)

    def status(self, name: str) -> str:
        clusters = self.client("redshift").describe_clusters(ClusterIdentifier=name)["Clusters"]
        return clusters[0]["ClusterStatus"]

    def create(self, status: str = "available", **changes: Any) -> str:
        """A new cluster that has reached this status."""
        name = f"c-{uuid.uuid4().hex[:12]}"
        redshift = self.client("redshift")
        redshift.create_cluster(ClusterIdentifier=name, **{**CLUSTER, **changes})
        if status != "creating":
            self.time.pass_phase()
        self._lead(redshift, name, status)
        assert self.status(name) == status
        return name

    def _lead(self, redshift: Any, name: str, status: str) -> None:
        match status:
            case "pausing":
                redshift.pause_cluster(ClusterIdentifier=name)
            case "paused" | "resuming":
                redshift.pause_cluster(ClusterIdentifier=name)
                self.time.pass_phase()
                if status == "resuming":
                    redshift.resume_cluster(ClusterIdentifier=name)
            case "modifying":
                redshift.modify_cluster(ClusterIdentifier=name, PubliclyAccessible=False)
            case "deleting":
                redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
            case "final-snapshot":
                redshift.delete_cluster(ClusterIdentifier=name, FinalClusterSnapshotIdentifier=f"{name}-end")


def code_of(call, **arguments) -> str:
    """The AWS error code of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] in (400, 404)
    return error["Error"]["Code"]
