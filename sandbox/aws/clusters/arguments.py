"""The checks of arguments that moto leaves out.

Rules are the API reference's (botocore's documentation of CreateCluster). It says what is invalid and rarely
with which code: where it names none, InvalidParameterValue and InvalidParameterCombination are UNCONFIRMED.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from moto.redshift.exceptions import (
    InvalidParameterCombinationError,
    InvalidParameterValueError,
)

Parameters = Mapping[str, Any]

_IDENTIFIER = re.compile(r"[a-z](?!.*--)[a-z0-9-]{0,62}(?<!-)")
_SNAPSHOT_IDENTIFIER = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,254}(?<!-)")
_DATABASE = re.compile(r"[a-z][a-z0-9_$]{0,63}")
_USER = re.compile(r"[a-z][a-z0-9_+.@-]{0,127}")
_RESERVED_USERS = frozenset(("public", "rdsdb", "airflow", "redshift_catalog", "redshift_log"))
_PASSWORD = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[!#-&(-.0-?A-\[\]-~]{8,64}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_RA3_PORTS = (range(5431, 5456), range(8191, 8216))
_DC2_PORTS = (range(1150, 65536),)

# Node types with the fewest and the most nodes of a cluster (Redshift Management Guide; RG is UNCONFIRMED).
_NODES = {
    "dc2.large": (1, 32),
    "dc2.8xlarge": (2, 128),
    "ra3.large": (1, 16),
    "ra3.xlplus": (1, 32),
    "ra3.4xlarge": (2, 64),
    "ra3.16xlarge": (2, 128),
    "rg.large": (1, 16),
    "rg.xlarge": (1, 32),
    "rg.4xlarge": (2, 64),
    "rg.12xlarge": (2, 128),
}


def check_creation(parameters: Parameters) -> None:
    """Refuse what CreateCluster refuses before it looks at anything that exists.

    Raises:
        RedshiftClientError: InvalidParameterValue or InvalidParameterCombination.
    """
    check_identifier(parameters["ClusterIdentifier"])
    check_user(parameters["MasterUsername"], "MasterUsername")
    _match(_DATABASE, parameters.get("DBName", "dev"), "DBName", "up to 64 of a-z, 0-9, _ and $")
    check_passwords(parameters, required=True)
    check_nodes(parameters)
    check_common(parameters)


def check_restore(parameters: Parameters) -> None:
    """Refuse what RestoreFromClusterSnapshot refuses before it looks at anything that exists."""
    check_identifier(parameters["ClusterIdentifier"])
    if {"NodeType", "NumberOfNodes"} <= parameters.keys():
        kind = "single-node" if parameters["NumberOfNodes"] == 1 else "multi-node"
        check_nodes({**parameters, "ClusterType": kind})
    check_common(parameters)


def check_modification(parameters: Parameters) -> None:
    """Refuse what ModifyCluster refuses before it looks at anything that exists."""
    if "NewClusterIdentifier" in parameters:
        check_identifier(parameters["NewClusterIdentifier"])
    check_passwords(parameters, required=False)
    if "ClusterType" in parameters and "NodeType" in parameters:
        check_nodes(parameters)
    check_common(parameters)


def check_deletion(parameters: Parameters) -> None:
    """Refuse a deletion that does not say what becomes of the data."""
    name = parameters.get("FinalClusterSnapshotIdentifier")
    skips = parameters.get("SkipFinalClusterSnapshot", False)
    if not skips and not name:
        raise InvalidParameterCombinationError(
            "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified."
        )
    if skips and name:
        raise InvalidParameterCombinationError(
            "FinalClusterSnapshotIdentifier can not be specified when SkipFinalClusterSnapshot is true."
        )
    if name:
        check_snapshot_identifier(name)


def check_identifier(name: str) -> None:
    """Refuse what is no cluster identifier."""
    rule = "1 to 63 of a-z, 0-9 and hyphens, begin with a letter and have no hyphen at the end or doubled"
    _match(_IDENTIFIER, name, "ClusterIdentifier", rule)


def check_snapshot_identifier(name: str) -> None:
    """Refuse what is no identifier of a manual snapshot."""
    rule = (
        "1 to 255 letters, digits and hyphens, begin with a letter and have no hyphen at the end or doubled"
    )
    _match(_SNAPSHOT_IDENTIFIER, name, "SnapshotIdentifier", rule)


def check_user(name: str, parameter: str) -> None:
    """Refuse what is no name of a database user, and those that belong to the warehouse itself."""
    _match(_USER, name, parameter, "up to 128 of a-z, 0-9, _, +, ., @ and -, and begin with a letter")
    if name in _RESERVED_USERS or name.startswith("pg_"):
        raise InvalidParameterValueError(f"{parameter} must not be the reserved name {name}.")


def check_passwords(parameters: Parameters, *, required: bool) -> None:
    """Exactly one of a password and ManageMasterPassword; the message never holds the password."""
    password, managed = parameters.get("MasterUserPassword"), parameters.get("ManageMasterPassword", False)
    if password and managed:
        raise InvalidParameterCombinationError(
            "MasterUserPassword cannot be used when ManageMasterPassword is true."
        )
    if required and not password and not managed:
        raise InvalidParameterCombinationError(
            "MasterUserPassword must be provided unless ManageMasterPassword is true."
        )
    if "MasterPasswordSecretKmsKeyId" in parameters and not managed:
        raise InvalidParameterCombinationError(
            "MasterPasswordSecretKmsKeyId needs ManageMasterPassword to be true."
        )
    if password and not _PASSWORD.fullmatch(password):
        raise InvalidParameterValueError(
            "MasterUserPassword must have 8 to 64 printable ASCII characters, among them an upper case "
            "letter, a lower case letter and a digit, and none of ' \" \\ / @ and space."
        )


def check_nodes(parameters: Parameters) -> None:
    """Refuse an unknown node type, and numbers of nodes it cannot have."""
    node_type = parameters["NodeType"]
    if node_type not in _NODES:
        raise InvalidParameterValueError(f"Invalid node type: {node_type}.")
    kind, count = parameters.get("ClusterType", "multi-node"), parameters.get("NumberOfNodes")
    if kind not in ("multi-node", "single-node"):
        raise InvalidParameterValueError(
            "Invalid cluster type. Cluster type can be one of multi-node or single-node"
        )
    if kind == "multi-node" and (count is None or count < 2):
        raise InvalidParameterCombinationError(
            "Number of nodes for cluster type multi-node must be greater than or equal to 2"
        )
    if kind == "single-node" and count not in (None, 1):
        raise InvalidParameterCombinationError("Number of nodes for cluster type single-node must be 1")
    fewest, most = _NODES[node_type]
    if not fewest <= (count or 1) <= most:
        raise InvalidParameterValueError(
            f"A cluster of {node_type} has {fewest} to {most} nodes, not {count or 1}."
        )


def check_common(parameters: Parameters) -> None:
    """Refuse values that creating, restoring and modifying have in common."""
    if parameters.get("Encrypted") is False:
        raise InvalidParameterValueError("Encrypted must be true: clusters without encryption are not made.")
    node_type = str(parameters.get("NodeType", "ra3"))
    _check_port(parameters, node_type)
    days = parameters.get("AutomatedSnapshotRetentionPeriod")
    fewest = 0 if node_type.startswith("dc2") else 1
    if days is not None and not fewest <= days <= 35:
        raise InvalidParameterValueError(
            f"AutomatedSnapshotRetentionPeriod must be from {fewest} to 35 days for {node_type}."
        )
    roles = parameters.get("IamRoles", [])
    for role in roles:
        _match(_ROLE_ARN, role, "IamRoles", "the ARN of a role")
    default = parameters.get("DefaultIamRoleArn")
    if default and default not in roles:
        raise InvalidParameterValueError(f"DefaultIamRoleArn {default} is not one of the cluster's IamRoles.")


def check_roles(roles: list[str], age_of: Callable[[str], float | None], seconds: float) -> None:
    """Refuse an IAM role nobody made, and one that IAM has not spread yet.

    The words are those of AWS's Knowledge Center ("The IAM role must delegate access to an Amazon Redshift
    account") and of terraform-provider-aws #19113, where ModifyClusterIamRoles refuses a role just made.
    UNCONFIRMED: that CreateCluster and RestoreFromClusterSnapshot do the same, how young is too young (IAM
    User Guide, "Changes that I make are not always immediately visible", names no time), and that AWS refuses
    a role nobody made rather than fail the COPY that uses it.

    Args:
        roles: ARNs.
        age_of: Seconds since a role was made, or None.
        seconds: How old a role has to be.
    """
    for role in roles:
        age = age_of(role)
        if age is None:
            raise InvalidParameterValueError(f"The IAM role {role} does not exist.")
        if age < seconds:
            raise InvalidParameterValueError(
                f"The IAM role {role} is not valid. The IAM role must delegate access to an Amazon Redshift "
                "account."
            )


def _check_port(parameters: Parameters, node_type: str) -> None:
    port = parameters.get("Port")
    ranges = _DC2_PORTS if node_type.startswith("dc2") else _RA3_PORTS
    if port is not None and not any(port in allowed for allowed in ranges):
        words = " or ".join(f"{allowed.start}-{allowed.stop - 1}" for allowed in ranges)
        raise InvalidParameterValueError(f"Port {port} is not valid for {node_type}: it must be in {words}.")


def _match(pattern: re.Pattern[str], value: str, parameter: str, rule: str) -> None:
    if not pattern.fullmatch(value):
        raise InvalidParameterValueError(f"{parameter} {value!r} is not valid: it must be {rule}.")
