"""Which database user may take which role of its cluster: the role's trust policy says.

Redshift takes a role with `sts:ExternalId` set to the ARN of the database user who runs the COPY (Management
Guide, "Restricting access to IAM roles"). The endpoint asks here before a COPY reads anything.
"""

import fnmatch
import json
from collections.abc import Iterable
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.redshift.models import redshift_backends

from sandbox.aws.clusters.cluster import LivingCluster

_SERVICE = "redshift.amazonaws.com"
_DEFAULT = "default"


def refusal(role: str, user: str) -> dict[str, str]:
    """Name user and role, by their ARNs, where a database user may not take a role; empty where it may.

    All clusters are the one warehouse: the user is one of each cluster that has the role, and may take it if
    the role admits one of these. A role that no cluster has is the sandbox's own affair.

    Args:
        role: An ARN, or `default`.
        user: The database user.
    """
    refused: dict[str, str] = {}
    for cluster, arn in _holders(role):
        where = f"arn:aws:redshift:{cluster.region}:{DEFAULT_ACCOUNT_ID}"
        person = f"{where}:dbuser:{cluster.cluster_identifier}/{user}"
        if _trusts(arn, person):
            return {}
        refused = refused or {"user": person, "role": arn}
    return refused


def _holders(role: str) -> Iterable[tuple[LivingCluster, str]]:
    for backend in list(redshift_backends[DEFAULT_ACCOUNT_ID].values()):
        for cluster in list(backend.clusters.values()):
            if not isinstance(cluster, LivingCluster):
                continue
            arn = cluster.default_iam_role_arn if role == _DEFAULT else role
            if arn and arn in cluster.iam_roles_arn:
                yield cluster, arn


def _trusts(arn: str, external_id: str) -> bool:
    roles = iam_backends[DEFAULT_ACCOUNT_ID]["aws"].roles.values()
    found = next((role for role in roles if role.arn == arn), None)
    if found is None:  # deleted since
        return False
    statements = _list(json.loads(found.assume_role_policy_document).get("Statement", []))
    effects = {one.get("Effect") for one in statements if _is_about(one, external_id)}
    return effects == {"Allow"}


def _is_about(statement: dict[str, Any], external_id: str) -> bool:
    """Whether a statement is about Redshift's taking the role for this user; an unknown condition fails."""
    principal = statement.get("Principal", {})
    services = _list(principal.get("Service", [])) if isinstance(principal, dict) else [_SERVICE]
    return (
        _SERVICE in services
        and bool({"sts:AssumeRole", "sts:*", "*"} & set(_list(statement.get("Action", []))))
        and all(
            key.lower() == "sts:externalid" and _compare(operator, _list(values), external_id)
            for operator, wanted in statement.get("Condition", {}).items()
            for key, values in wanted.items()
        )
    )


def _compare(operator: str, values: list[str], external_id: str) -> bool:
    if operator == "StringEquals":
        return external_id in values
    return operator == "StringLike" and any(fnmatch.fnmatchcase(external_id, value) for value in values)


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - policies have one or a list
    return value if isinstance(value, list) else [value]
