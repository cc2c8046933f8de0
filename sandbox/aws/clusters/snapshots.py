"""moto's snapshots of clusters, which take their time."""

from typing import ClassVar

from moto.redshift.exceptions import (
    ClusterNotFoundError,
    ClusterSnapshotAlreadyExistsError,
    ClusterSnapshotNotFoundError,
    RedshiftClientError,
)
from moto.redshift.models import RedshiftBackend, Snapshot

from sandbox.aws.clusters import states
from sandbox.aws.clusters.cluster import LivingCluster, LivingSnapshot, Surroundings


class SnapshotBackend(RedshiftBackend):
    """One region's snapshots.

    Attributes:
        surroundings: Clock, durations and endpoint, set once when the process starts.
    """

    surroundings: ClassVar[Surroundings]

    def cluster(self, name: str) -> LivingCluster:
        """The cluster of this identifier.

        Raises:
            ClusterNotFoundError: There is none.
        """
        found = self.clusters.get(name)
        if not isinstance(found, LivingCluster):
            raise ClusterNotFoundError(name)
        return found

    def create_cluster_snapshot(
        self,
        cluster_identifier: str,
        snapshot_identifier: str,
        region_name: str,  # noqa: ARG002 - moto's signature
        tags: list[dict[str, str]] | None,
        snapshot_type: str = "manual",
    ) -> Snapshot:
        """Begin to make a snapshot of a cluster."""
        cluster = self.cluster(cluster_identifier)
        states.require(cluster, "copied to a snapshot")
        return self.make_snapshot(cluster, snapshot_identifier, tags, snapshot_type)

    def describe_cluster_snapshots(
        self,
        cluster_identifier: str | None = None,
        snapshot_identifier: str | None = None,
        snapshot_type: str | None = None,
    ) -> list[Snapshot]:
        """The snapshots that fit all that is given; moto gives every snapshot for a cluster without any."""
        found = [
            snapshot
            for snapshot in self.snapshots.values()
            if cluster_identifier in (None, snapshot.cluster_identifier)
            and snapshot_identifier in (None, snapshot.snapshot_identifier)
            and snapshot_type in (None, snapshot.snapshot_type)
        ]
        if snapshot_identifier and not found:
            raise ClusterSnapshotNotFoundError(snapshot_identifier)
        return found

    def delete_cluster_snapshot(self, snapshot_identifier: str) -> Snapshot:
        """Delete a manual snapshot that is complete."""
        snapshot = self.describe_cluster_snapshots(snapshot_identifier=snapshot_identifier)[0]
        if snapshot.status != "available":
            raise RedshiftClientError(
                "InvalidClusterSnapshotState",
                f"Snapshot {snapshot_identifier} is in status {snapshot.status} and cannot be deleted.",
            )
        return super().delete_cluster_snapshot(snapshot_identifier)

    def make_snapshot(
        self, cluster: LivingCluster, name: str, tags: list[dict[str, str]] | None, kind: str
    ) -> Snapshot:
        """Begin to make a snapshot, whatever the cluster's status is."""
        if name in self.snapshots:
            raise ClusterSnapshotAlreadyExistsError(name)
        snapshot = LivingSnapshot(
            self.surroundings,
            cluster=cluster,
            snapshot_identifier=name,
            account_id=self.account_id,
            region_name=self.region_name,
            tags=tags,
            iam_roles_arn=list(cluster.iam_roles_arn),
            snapshot_type=kind,
        )
        self.snapshots[name] = snapshot
        return snapshot
