"""Where a call's SQL runs, and whose login it is.

API reference, ExecuteStatement: a secret, or temporary credentials for a workgroup (the user is that of the
IAM identity), a cluster (the same), or a cluster and a database user.
"""

import json
from typing import Any

import psycopg
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.redshift.models import redshift_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.clusters.cluster import LivingCluster
from sandbox.aws.clusters.models import ClusterBackend
from sandbox.aws.clusters.users import TakenError
from sandbox.aws.data_api.messages import Values, invalid, refuse
from sandbox.aws.data_api.sessions import Login
from sandbox.aws.serverless.account import REGIONS
from sandbox.aws.serverless.workgroups import database_user

# As long as a statement may have to wait for its turn.
_SECONDS = 3600


def find(values: Values, region: str) -> Values:
    """The cluster or workgroup of a call, as answers name it.

    Raises:
        RefusalError: Not one of them is named, or it is not there, or does not run.
    """
    cluster, workgroup = values.get("ClusterIdentifier"), values.get("WorkgroupName")
    if bool(cluster) == bool(workgroup):
        raise invalid("Exactly one of ClusterIdentifier and WorkgroupName must be given.")
    if workgroup:
        _check_workgroup(workgroup, region)
        return {"WorkgroupName": workgroup}
    found = redshift_backends[DEFAULT_ACCOUNT_ID][region].clusters.get(str(cluster))
    if not isinstance(found, LivingCluster) or found.is_gone:
        raise invalid("Redshift endpoint doesn't exist in this region.")  # as public reports have it
    if not found.takes_connections:  # the words are UNCONFIRMED
        raise invalid(f"The cluster {cluster} is not available: it is {found.status}.")
    return {"ClusterIdentifier": cluster}


def log_in(values: Values, database: str, region: str, caller: str) -> tuple[Values, Login]:
    """How answers name a call's login, and the login.

    Args:
        values: The call's parameters.
        database: Which database to connect to.
        region: Where.
        caller: The caller's ARN.

    Raises:
        RefusalError: There is no such secret, or the parameters contradict each other.
    """
    named = values.get("DbUser")
    if secret := values.get("SecretArn"):
        if named:
            raise invalid("DbUser and SecretArn cannot be given together.")
        return {"SecretArn": secret}, _of_secret(values, database, region)
    if named and values.get("WorkgroupName"):  # API reference: DbUser is for clusters
        raise invalid("DbUser cannot be given with WorkgroupName: its user is the IAM identity's.")
    try:
        if named:
            user, password, _ = ClusterBackend.users.issue(named, _SECONDS, creates=False)
            return {"DbUser": named}, Login(user, password, database)
        user = database_user(caller)
        password, _ = ClusterBackend.users.issue_own(user, _SECONDS)
        return {"DbUser": user}, Login(user, password, database)
    except TakenError as error:
        raise invalid(str(error)) from error
    except psycopg.OperationalError as error:
        raise refuse("DatabaseConnectionException", "PostgreSQL is down.") from error


def _check_workgroup(name: str, region: str) -> None:
    account = REGIONS.get(region)
    groups: list[Any] = list(account.workgroups.values()) if account else []
    found = next((one for one in groups if name in (one.name, one.arn)), None)
    if found is None or found.is_gone:
        raise invalid("Redshift endpoint doesn't exist in this region.")
    if found.status not in {"AVAILABLE", "MODIFYING"}:
        raise invalid(f"The workgroup {name} is not available: it is {found.status}.")


def _of_secret(values: Values, database: str, region: str) -> Login:
    """The user and password that a secret holds (Management Guide, "Storing database credentials")."""
    wanted = values["SecretArn"]
    secrets = list(secretsmanager_backends[DEFAULT_ACCOUNT_ID][region].secrets.values())
    found = next((one for one in secrets if wanted in (one.arn, one.name)), None)
    if found is None or found.is_deleted():
        raise invalid("Secrets Manager can't find the specified secret.")
    text = found.versions[str(found.default_version_id)].get("secret_string") or "{}"
    try:
        held: Any = json.loads(text)
        user, password = held["username"], held["password"]
    except (KeyError, TypeError, ValueError) as error:
        message = "The secret is no JSON object with username and password."
        raise invalid(message) from error
    # API reference: a cluster identifier "must match the cluster identifier stored in the secret".
    cluster = values.get("ClusterIdentifier")
    if cluster and held.get("dbClusterIdentifier", cluster) != cluster:
        raise invalid("ClusterIdentifier is not the dbClusterIdentifier of the secret.")
    return Login(str(user), str(password), database)
