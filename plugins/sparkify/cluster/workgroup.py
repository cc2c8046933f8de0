"""Redshift Serverless as AWS describes it: a namespace and a workgroup of one name are one cluster."""

import json
import math
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster.cluster import Cluster
from sparkify.cluster.plan import RPU_PRICE, ClusterPlan
from sparkify.failures import FatalError

MISSING = "ResourceNotFoundException"
# A namespace without a workgroup: half made, or half removed.
INCOMPLETE = "incomplete"


def find_cluster(aws: Aws, identifier: str) -> Cluster | None:
    """Return namespace and workgroup of that name as one cluster, or None where there is neither."""
    namespace, workgroup = find_namespace(aws, identifier), find_workgroup(aws, identifier)
    if namespace is None and workgroup is None:
        return None
    arn = namespace["namespaceArn"] if namespace else workgroup["workgroupArn"]
    return _join(identifier, namespace, workgroup, read_tags(aws, arn))


def find_our_clusters(aws: Aws) -> list[Cluster]:
    """Return every namespace that our DAG made in the region, with its workgroup."""
    groups = {one["workgroupName"]: one for one in _list(aws, "workgroups")}
    found = [
        _join(name, one, groups.get(name), read_tags(aws, one["namespaceArn"]))
        for one in _list(aws, "namespaces")
        for name in [one["namespaceName"]]
    ]
    return [cluster for cluster in found if cluster.is_ours]


def find_namespace(aws: Aws, name: str) -> Any:  # noqa: ANN401 - boto's namespace or None
    """Return the namespace as AWS describes it, or None."""
    try:
        return aws.serverless.get_namespace(namespaceName=name)["namespace"]
    except ClientError as error:
        if code_of(error) == MISSING:
            return None
        raise


def find_workgroup(aws: Aws, name: str) -> Any:  # noqa: ANN401 - boto's workgroup or None
    """Return the workgroup as AWS describes it, or None."""
    try:
        return aws.serverless.get_workgroup(workgroupName=name)["workgroup"]
    except ClientError as error:
        if code_of(error) == MISSING:
            return None
        raise


def read_tags(aws: Aws, arn: str) -> dict[str, str]:
    """Return the tags of a namespace or workgroup, none if it has just gone."""
    try:
        tags = aws.serverless.list_tags_for_resource(resourceArn=arn)["tags"]
    except ClientError as error:
        if code_of(error) == MISSING:
            return {}
        raise
    return {tag["key"]: tag["value"] for tag in tags}


def list_usage_limits(aws: Aws, arn: str) -> list[Any]:
    """Return the limits of what a workgroup computes."""
    given = {"resourceArn": arn, "usageType": "serverless-compute"}
    limits: list[Any] = aws.serverless.list_usage_limits(**given)["usageLimits"]
    return limits


def find_users_of_role(aws: Aws, arn: str) -> list[str]:
    """Return the names of the namespaces that have the role; AWS shows its ARN within other words."""
    return [
        one["namespaceName"]
        for one in _list(aws, "namespaces")
        if any(arn in role.replace(")", ",").replace("=", ",").split(",") for role in one.get("iamRoles", []))
    ]


def find_newest_snapshot(aws: Aws, plan: ClusterPlan) -> str | None:
    """Return the newest available snapshot of the plan's namespace, or None."""
    snapshots = _list(aws, "snapshots", namespaceName=plan.identifier)
    there = [one for one in snapshots if one["status"] == "AVAILABLE"]
    newest = max(there, key=lambda one: one["snapshotCreateTime"], default=None)
    return newest["snapshotName"] if newest else None


def describe_costs(aws: Aws, cluster: Cluster, now: datetime) -> str:
    """Return what its usage limit lets the workgroup cost at most."""
    start = f"{cluster.nodes} RPUs, or more as queries need, at about USD {RPU_PRICE} an RPU-hour (us-east-1)"
    workgroup = find_workgroup(aws, cluster.identifier)
    limits = list_usage_limits(aws, workgroup["workgroupArn"]) if workgroup else []
    daily = [
        one["amount"] for one in limits if (one["period"], one["breachAction"]) == ("daily", "deactivate")
    ]
    if not daily or cluster.created is None:
        return f"{start} while queries run; no daily limit turns queries off."
    # So many of the limit's days has it touched at most, whenever they begin.
    days = math.ceil((now - cluster.created) / timedelta(days=1)) + 1
    most = min(daily) * RPU_PRICE
    return (
        f"{start} while queries run: at most {min(daily)} RPU-hours or USD {most:.2f} a day, then queries "
        f"are turned off; at most USD {most * days:.2f} since it was made. Idle it costs its storage."
    )


def find_loader(aws: Aws, plan: ClusterPlan) -> str:
    """Return the database user of Airflow's identity: on Serverless one logs in as no other."""
    login = aws.serverless.get_credentials(workgroupName=plan.identifier, dbName=plan.database)
    return str(login["dbUser"])


def get_master_login(aws: Aws, plan: ClusterPlan) -> tuple[str, str]:
    """Return the administrator and the password that AWS keeps: GetCredentials gives nobody else's.

    Raises:
        FatalError: there is no namespace.
    """
    namespace = find_namespace(aws, plan.identifier)
    if namespace is None:
        raise FatalError(f"There is no namespace {plan.identifier}.", "Provision it first.")
    secret = aws.secrets.get_secret_value(SecretId=namespace["adminPasswordSecretArn"])
    login = json.loads(secret["SecretString"])
    return login["username"], login["password"]


def name_connection(plan: ClusterPlan) -> dict[str, str]:
    """Return what in an Airflow connection's extra names the workgroup."""
    return {"serverless_work_group": plan.identifier}


def _join(identifier: str, namespace: Any, workgroup: Any, tags: dict[str, str]) -> Cluster:  # noqa: ANN401
    """Return both as one cluster, which is only as far as the one that is behind."""
    statuses = [one["status"].lower() for one in (workgroup, namespace) if one]
    behind = sorted((one for one in statuses if one != "available"), key=lambda one: one != "deleting")
    complete = workgroup is not None and namespace is not None
    endpoint = (workgroup or {}).get("endpoint") or {}
    return Cluster(
        identifier=identifier,
        status=behind[0] if behind else "available" if complete else INCOMPLETE,
        node_type="RPU",
        nodes=(workgroup or {}).get("baseCapacity", 0),
        host=endpoint.get("address"),
        port=endpoint.get("port"),
        created=(namespace or workgroup).get("creationDate"),
        tags=tags,
    )


def _list(aws: Aws, what: str, **given: str) -> list[Any]:
    pages = aws.serverless.get_paginator(f"list_{what}").paginate(**given)
    return [one for page in pages for one in page[what]]
