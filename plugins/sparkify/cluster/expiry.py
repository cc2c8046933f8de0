"""The reaper: which clusters of ours are past their time."""

from datetime import datetime

from sparkify.aws import Aws
from sparkify.cluster.cluster import GOING, Cluster, find_our_clusters


def find_expired_clusters(aws: Aws, now: datetime) -> list[Cluster]:
    """Return the clusters of ours whose `expires_at` is past and that are not being removed already.

    Args:
        aws: the clients.
        now: an aware time.
    """
    return [
        cluster
        for cluster in find_our_clusters(aws)
        if cluster.expires_at and cluster.expires_at <= now and cluster.status not in GOING
    ]
