"""The master user's way into the cluster, for the one task that makes the loader."""

from typing import Any

import redshift_connector

from sparkify.aws import Aws
from sparkify.cluster.kinds import look_of
from sparkify.cluster.plan import ClusterPlan
from sparkify.failures import FatalError


def connect_as_master(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - the driver's connection
    """Return a DB-API connection of the master user.

    Raises:
        FatalError: the cluster is not there.
    """
    cluster = look_of(plan).find_cluster(aws, plan.identifier)
    if cluster is None or cluster.host is None:
        raise FatalError(f"The cluster {plan.identifier} has no endpoint.", "Provision it first.")
    user, password = look_of(plan).get_master_login(aws, plan)
    return redshift_connector.connect(
        host=cluster.host,
        port=cluster.port,
        database=plan.database,
        user=user,
        password=password,
        application_name="sparkify master user",
    )
