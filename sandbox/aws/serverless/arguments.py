"""The rules for arguments that botocore's model of the service does not hold.

Sources: the Redshift Serverless API reference (R), the Redshift Management Guide (G), the errors that are
quoted in public threads on the Terraform provider (T). Which code a refusal has is said nowhere; that of an
invalid value is ValidationException, that of a state ConflictException: UNCONFIRMED where no thread shows it.
"""

import re
from typing import Any

from sandbox.aws.serverless.messages import Values, invalid

# R: 5431-5455 and 8191-8215.
_PORTS = (*range(5431, 5456), *range(8191, 8216))
# G, "Compute capacity": 4, or 8 to 512 in units of 8. Regions with 1,024 are left out.
_CAPACITIES = (4, *range(8, 513, 8))
_DATABASE = re.compile(r"[a-zA-Z][a-zA-Z0-9_+.@-]{0,63}")
_PASSWORD = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])[!#-&(-.0-?A-\[\]-~]{8,64}")


def check_namespace(values: Values) -> None:
    """Refuse settings of a namespace that contradict each other."""
    managed, password = values.get("manageAdminPassword", False), values.get("adminUserPassword")
    if managed and password:  # R
        raise invalid("You can't use adminUserPassword if manageAdminPassword is true.")
    if "adminPasswordSecretKmsKeyId" in values and not managed:  # R
        raise invalid("adminPasswordSecretKmsKeyId needs manageAdminPassword to be true.")
    if ("adminUsername" in values) != (bool(password) or managed):  # R, UpdateNamespace
        raise invalid("adminUsername and adminUserPassword, or manageAdminPassword, go together.")
    if password and not _PASSWORD.fullmatch(password):
        raise invalid("adminUserPassword needs 8 to 64 characters: upper case, lower case and digits.")
    default, roles = values.get("defaultIamRoleArn"), values.get("iamRoles", [])
    if default and default not in roles:  # T 39268
        raise invalid("To change the default IAM role, you must specify the entire list of IAM roles.")
    check_database(values.get("dbName", "dev"))


def check_workgroup(values: Values) -> None:
    """Refuse settings that a workgroup cannot have."""
    capacity, port = values.get("baseCapacity", 128), values.get("port", 5439)
    if capacity not in _CAPACITIES:
        raise invalid(f"baseCapacity {capacity} is not valid: 4, or 8 to 512 in units of 8.")
    if values.get("maxCapacity", capacity) < capacity:
        raise invalid("maxCapacity must not be less than baseCapacity.")
    if port not in _PORTS:
        raise invalid(f"port {port} is not valid: it must be in 5431-5455 or 8191-8215.")
    # G, "Behavior changes in Amazon Redshift"
    if {"parameterKey": "require_ssl", "parameterValue": "false"} in values.get("configParameters", []):
        raise invalid("require_ssl must not be false.")


def check_subnets(zones: list[Any]) -> None:
    """Refuse fewer than three subnets, or zones (G, "Considerations when using … Serverless")."""
    if len(zones) < 3 or len(set(zones)) < 3:
        raise invalid("A workgroup needs at least three subnets, in three Availability Zones.")


def check_one_change(values: Values) -> None:
    """Refuse an update of two settings at a time (R, UpdateWorkgroup; the words are those of T 26624)."""
    name = values["workgroupName"]
    if len(values) != 2:
        raise invalid(f"Can't update multiple configurations at the same time for workgroup {name}.")


def check_amount(values: Values) -> None:
    """Refuse a usage limit that limits nothing (R)."""
    if values.get("amount", 1) < 1:
        raise invalid("The amount must be a positive number.")


def check_database(name: str) -> None:
    """Refuse what is no name of a database (R, GetCredentials)."""
    if not _DATABASE.fullmatch(name):
        raise invalid(f"{name[:100]!r} is no name of a database.")
