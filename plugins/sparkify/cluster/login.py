"""The master user's way into the cluster: a password for minutes, so that nobody reads the one AWS keeps."""

from typing import Any

import redshift_connector

from sparkify.aws import Aws
from sparkify.cluster.cluster import find_cluster
from sparkify.cluster.plan import ClusterPlan
from sparkify.failures import FatalError


def connect_as_master(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - the driver's connection
    """Return a DB-API connection of the master user.

    Raises:
        FatalError: the cluster is not there.
    """
    cluster = find_cluster(aws, plan.identifier)
    if cluster is None or cluster.host is None:
        raise FatalError(f"The cluster {plan.identifier} has no endpoint.", "Provision it first.")
    login = aws.redshift.get_cluster_credentials(
        ClusterIdentifier=plan.identifier, DbName=plan.database, DbUser=plan.user, AutoCreate=False
    )
    return redshift_connector.connect(
        host=cluster.host,
        port=cluster.port,
        database=plan.database,
        user=login["DbUser"],
        password=login["DbPassword"],
        application_name="sparkify master user",
    )
