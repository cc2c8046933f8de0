"""The reaper: which clusters of ours are past their time."""

from datetime import datetime

from botocore.exceptions import ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster.cluster import GOING, Cluster
from sparkify.cluster.kinds import LOOKS

_DENIED = ("AccessDenied", "AccessDeniedException")


def find_expired_clusters(aws: Aws, now: datetime) -> list[tuple[str, Cluster]]:
    """Return kind and cluster of ours whose `expires_at` is past and that are not being removed already.

    Who may not list clusters of a kind has made none; who may list none of any kind is told so.

    Args:
        aws: the clients.
        now: an aware time.
    """
    found: list[tuple[str, Cluster]] = []
    denials: list[ClientError] = []
    for kind, look in LOOKS.items():
        try:
            found += [(kind, cluster) for cluster in look.find_our_clusters(aws)]
        except ClientError as error:
            if code_of(error) not in _DENIED:
                raise
            denials.append(error)
    if len(denials) == len(LOOKS):
        raise denials[0]
    return [
        (kind, cluster)
        for kind, cluster in found
        if cluster.expires_at and cluster.expires_at <= now and cluster.status not in GOING
    ]
