"""One region's namespaces, workgroups, usage limits and snapshots, found by name or ARN."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any, TypeVar

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from sandbox.aws.clusters import admission, master_secrets
from sandbox.aws.clusters.users import Users
from sandbox.aws.serverless.messages import Values, invalid, refuse
from sandbox.aws.serverless.resources import Namespace, Place, Resource, Snapshot, UsageLimit, Workgroup

Found = TypeVar("Found", bound=Resource)

REGIONS: dict[str, "Account"] = {}
"""Every region's resources, in this process."""

_PAGE = 100  # the most that the reference allows maxResults to be


class Account:
    """One region's resources.

    Args:
        place: Where it is.
        users: The warehouse's users.
    """

    def __init__(self, place: Place, users: Users) -> None:
        self.place = place
        self.users = users
        self.namespaces: dict[str, Namespace] = {}
        self.workgroups: dict[str, Workgroup] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.usage_limits: dict[str, UsageLimit] = {}

    def guard(self) -> None:
        """Let callers reach the workgroups whose security groups admit them, and no others."""
        for group in self.workgroups.values():
            settings = group.describe()
            groups = [self.network.get_security_group_from_id(one) for one in settings["securityGroupIds"]]
            if not groups:  # UNCONFIRMED: the default group of the default VPC
                vpc = self.network.get_default_vpc()
                groups = [self.network.get_security_group_from_name("default", vpc.id)] if vpc else []
            known = [one for one in groups if one]
            admitted = admission.admits(known, settings["port"], self.place.surroundings.caller)
            group.gate.admit(everybody=admitted)

    def settle(self) -> None:
        """Remove what has been deleted; a managed password goes with its namespace (Management Guide)."""
        for name in [name for name, group in self.workgroups.items() if group.is_gone]:
            self.workgroups.pop(name).gate.remove()
        for namespace in [one for one in self.namespaces.values() if one.is_gone]:
            master_secrets.drop(self.secrets, namespace.settings.get("adminPasswordSecretArn"))
            del self.namespaces[namespace.name]

    @property
    def secrets(self) -> Any:  # noqa: ANN401 - moto's backend
        """Secrets Manager of this region."""
        return secretsmanager_backends[self.place.account][self.place.region]

    @property
    def network(self) -> Any:  # noqa: ANN401 - moto's backend
        """EC2 of this region."""
        return ec2_backends[self.place.account][self.place.region]

    def namespace(self, name: str) -> Namespace:
        """The namespace of this name, or the refusal that there is none."""
        return _find(self.namespaces, name, "namespace")

    def workgroup(self, name: str) -> Workgroup:
        """The workgroup of this name, or the refusal that there is none."""
        return _find(self.workgroups, name, "workgroup")

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot of this name, or the refusal that there is none."""
        return _find(self.snapshots, name, "snapshot")

    def workgroup_of(self, namespace: Namespace) -> Workgroup | None:
        """The workgroup of a namespace, which has at most one."""
        groups = (one for one in self.workgroups.values() if one.settings["namespaceName"] == namespace.name)
        return next(groups, None)

    def by_arn(self, arn: str) -> Resource:
        """The resource of this ARN, or the refusal that there is none."""
        found = [one for one in self._all() if one.arn == arn]
        if not found:
            raise refuse("ResourceNotFoundException", f"The resource {arn[:200]} was not found.")
        return found[0]

    def check_roles(self, roles: Iterable[str]) -> None:
        """Refuse a role that nobody made, and one that IAM has not spread yet.

        UNCONFIRMED: that namespaces do as clusters do (`clusters/arguments.py`), and in which words.
        """
        there = {role.arn: role for role in iam_backends[self.place.account]["aws"].roles.values()}
        now = self.place.surroundings.clock.moment
        for arn in roles:
            if arn not in there:
                raise invalid(f"The IAM role {arn} does not exist.")
            age = (now - there[arn].create_date.replace(tzinfo=UTC)).total_seconds()
            if age < self.place.surroundings.role_seconds:
                raise invalid(f"The IAM role {arn} is not valid.")

    def _all(self) -> Iterator[Resource]:
        yield from self.namespaces.values()
        yield from self.workgroups.values()
        yield from self.snapshots.values()


def require_quiet(*resources: Resource) -> None:
    """Refuse a change of what is on its way, in the words that AWS's CloudFormation handlers look for."""
    for one in resources:
        if one.status != "AVAILABLE":
            raise refuse(
                "ConflictException", f"There is an operation in progress on {one.name}: it is {one.status}."
            )


def require_new(name: str, others: Iterable[str], kind: str) -> None:
    """Refuse a name that is taken, in the words that AWS's CloudFormation handlers look for."""
    if name in others:
        raise refuse("ConflictException", f"The {kind} {name} already exists.")


def page(name: str, found: Sequence[Any], values: Values) -> Values:
    """A page of a list: descriptions, and the token of the next page if there is one."""
    token = values.get("nextToken", "position-0")
    if not re.fullmatch("position-[0-9]{1,9}", token):
        raise invalid("nextToken is none of this API's.")
    start = int(token.removeprefix("position-"))
    end = start + values.get("maxResults", _PAGE)
    following = f"position-{end}" if end < len(found) else None
    return {name: [one.describe() for one in found[start:end]], "nextToken": following}


def _find(found: dict[str, Found], name: str, kind: str) -> Found:
    if name not in found:
        raise refuse("ResourceNotFoundException", f"The {kind} {name[:200]} was not found.")
    return found[name]
