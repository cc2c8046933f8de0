"""What exists of a plan, since when, at what cost, and how to connect to it."""

import json
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from sparkify.aws import Aws
from sparkify.cluster.kinds import look_of
from sparkify.cluster.network import find_security_group, find_subnet_group
from sparkify.cluster.plan import ClusterPlan, is_ours
from sparkify.cluster.role import find_role
from sparkify.failures import FatalError

CONN_ID = "redshift_default"


def show_status(aws: Aws, plan: ClusterPlan) -> str:
    """Return what exists of the plan, a line each."""
    cluster = look_of(plan).find_cluster(aws, plan.identifier)
    lines = [f"Cluster {plan.identifier} in {plan.region}: {cluster.status if cluster else 'none'}"]
    if cluster:
        expires = f"expires at {cluster.expires_at.isoformat()}" if cluster.expires_at else "never expires"
        lines.append(f"  made {cluster.created or 'just now'}; {expires}")
        lines.append(f"  {look_of(plan).describe_costs(aws, cluster, datetime.now(UTC))}")
    lines += [
        f"{name}: {'there' if value else 'none'}" for name, value in _find_surroundings(aws, plan).items()
    ]
    snapshot = look_of(plan).find_newest_snapshot(aws, plan)
    lines.append(f"Newest final snapshot, billed until deleted: {snapshot or 'none'}")
    return "\n".join(lines)


def show_leftovers(aws: Aws, plan: ClusterPlan) -> str:
    """Return what is left after a teardown.

    Raises:
        FatalError: a cluster, role or group of ours is still there.
    """
    cluster = look_of(plan).find_cluster(aws, plan.identifier)
    left = [f"Cluster {plan.identifier} ({cluster.status})"] if cluster and cluster.is_ours else []
    left += [
        name
        for name, there in _find_surroundings(aws, plan).items()
        if there and is_ours(there.get("Tags", []))
    ]
    if left:
        raise FatalError(
            f"Still there: {'; '.join(left)}. The logs of the tasks before this one say why. Mend that and "
            "run teardown again; a cluster is billed until it is gone."
        )
    if cluster:
        return (
            f"Nothing of ours is left; the cluster {plan.identifier} ({cluster.status}) is somebody else's."
        )
    snapshot = look_of(plan).find_newest_snapshot(aws, plan)
    kept = f" but the snapshot {snapshot}, billed until it is deleted" if snapshot else ""
    return f"Nothing of cluster {plan.identifier} is left{kept}."


def check_connection(_aws: Aws, plan: ClusterPlan) -> str:
    """Return whether the Airflow connection of the loads can be of this cluster, before anything is made.

    Raises:
        FatalError: there is none, or it is that of another cluster.
    """
    try:
        connection = Connection.get(CONN_ID)
    except AirflowNotFoundException:
        raise FatalError(
            f"There is no connection {CONN_ID}, over which tables are made. Define it as\n"
            f"{connection_json(plan)}"
        ) from None
    extra = connection.extra_dejson
    names = {key: extra[key] for key in ("cluster_identifier", "serverless_work_group") if key in extra}
    named = next(iter(names.values()), None)
    if names not in ({}, look_of(plan).name_connection(plan)):
        raise FatalError(
            f"Connection {CONN_ID} is that of cluster {named}, and tables would be made there. Define it as\n"
            f"{connection_json(plan)}"
        )
    logins = {connection.login, connection.extra_dejson.get("db_user", connection.login)}
    # On Serverless AWS says who one is, whatever the connection says.
    if named and plan.kind == "provisioned" and logins != {plan.loader}:
        raise FatalError(
            f"Connection {CONN_ID} logs in as {' and '.join(map(str, logins))}; loads are {plan.loader}'s. "
            f"Define it as\n{connection_json(plan)}"
        )
    if named is None:
        where = f"{connection.host}:{connection.port}"
        return (
            f"Connection {CONN_ID} has its address, {where}; it is not known whether that is the cluster's."
        )
    return f"Connection {CONN_ID} is that of cluster {named}."


def show_connection(aws: Aws, plan: ClusterPlan) -> str:
    """Return endpoint, price and the Airflow connection that reaches the cluster without a password."""
    cluster = look_of(plan).find_cluster(aws, plan.identifier)
    where = f"{cluster.host}:{cluster.port}" if cluster and cluster.host else "no endpoint yet"
    costs = look_of(plan).describe_costs(aws, cluster, datetime.now(UTC)) if cluster else ""
    return (
        f"Cluster {plan.identifier} answers at {where}. {costs}\n"
        "Airflow finds it by its identifier and logs in with IAM; no password is kept. The connection:\n"
        f"AIRFLOW_CONN_{CONN_ID.upper()}='{connection_json(plan)}'"
    )


def connection_json(plan: ClusterPlan) -> str:
    """Return the Airflow connection to the plan's cluster: IAM, found by its identifier, no password.

    On Serverless AWS says which user that is.
    """
    login: dict[str, Any] = {"login": plan.loader}
    who: dict[str, Any] = {"db_user": plan.loader}
    if plan.kind == "serverless":
        login, who = {}, {"is_serverless": True}
    extra = {
        "iam": True,
        **look_of(plan).name_connection(plan),
        **who,
        "region": plan.region,
        # A firewall forgets a session that says nothing while a statement runs (Management Guide, "Firewall
        # timeout issue", whose numbers these are); Linux would speak up after two hours.
        "tcp_keepalive": True,
        "tcp_keepalive_idle": 200,
        "tcp_keepalive_interval": 200,
        "tcp_keepalive_count": 5,
    }
    return json.dumps({"conn_type": "redshift", **login, "schema": plan.database, "extra": extra})


def _find_surroundings(aws: Aws, plan: ClusterPlan) -> dict[str, Any]:
    return {
        f"IAM role {plan.role_name}": find_role(aws, plan),
        f"Security group {plan.security_group_name}": find_security_group(aws, plan),
        f"Subnet group {plan.subnet_group_name}": find_subnet_group(aws, plan),
    }
