"""Clusters that the reaper will soon stop."""

from datetime import datetime, timedelta

from sparkify.aws import Aws
from sparkify.cluster.expiry import find_expired_clusters

NOTICE = timedelta(hours=2)
"""How long before: the reaper looks every hour, so that people have one at least."""


def find_expiring(aws: Aws, now: datetime) -> dict[str, str]:
    """Return what is to be said of each cluster of ours whose time is over soon, by kind and name.

    Args:
        aws: the clients.
        now: an aware time.
    """
    return {
        f"{kind}_{cluster.identifier}": f"The {kind} cluster {cluster.identifier} ({cluster.status}) expires"
        f" at {cluster.expires_at}."
        for kind, cluster in find_expired_clusters(aws, now + NOTICE)
    }
