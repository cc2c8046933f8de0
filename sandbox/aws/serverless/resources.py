"""A namespace, a workgroup, a usage limit and a snapshot, with statuses that change by the clock."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.clusters.cluster import Surroundings
from sandbox.aws.clusters.course import Course
from sandbox.aws.clusters.gate import Gate


@dataclass(frozen=True)
class Place:
    """Where resources are, and what they share."""

    region: str
    account: str
    surroundings: Surroundings

    def arn(self, kind: str, identifier: str) -> str:
        """The ARN of a resource, by its id and not its name (Service Authorization Reference)."""
        return f"arn:aws:redshift-serverless:{self.region}:{self.account}:{kind}/{identifier}"


class Resource:
    """What has a name, tags and statuses.

    Args:
        place: Where it is.
        kind: As ARNs have it, such as `workgroup`.
        name: Its name.
        tags: By key.
    """

    def __init__(self, place: Place, kind: str, name: str, tags: Sequence[dict[str, str]]) -> None:
        self.name = name
        self.id = str(uuid.uuid4())
        self.arn = place.arn(kind, self.id)
        self.created = datetime.now(UTC)
        self.tags = {tag["key"]: tag["value"] for tag in tags}
        self.settings: dict[str, Any] = {}
        self._place = place
        self._course = Course(place.surroundings.clock, 0, [], "AVAILABLE")

    @property
    def status(self) -> str:
        """Its status at this moment."""
        return self._course.status

    @property
    def is_gone(self) -> bool:
        """Whether its deletion is over."""
        return self._course.is_gone

    def begin(self, passing: Sequence[str], final: str | None = "AVAILABLE") -> None:
        """Enter the first of these statuses; the others follow by the clock, then `final`, or nothing."""
        surroundings = self._place.surroundings
        self._course = Course(surroundings.clock, surroundings.seconds, passing, final)


class Namespace(Resource):
    """Database objects and users; everything of the sandbox's one warehouse."""

    def describe(self) -> dict[str, Any]:
        """The API's Namespace."""
        # AWS shows roles so: pull request 507 of its guidance for clickstream analytics on AWS.
        roles = [
            f"IamRole(applyStatus=in-sync, iamRoleArn={arn})" for arn in self.settings.get("iamRoles", [])
        ]
        return {
            "dbName": "dev",
            "kmsKeyId": "AWS_OWNED_KMS_KEY",
            "logExports": [],
            **self.settings,
            "iamRoles": roles,
            "namespaceName": self.name,
            "namespaceId": self.id,
            "namespaceArn": self.arn,
            "creationDate": self.created,
            "status": self.status,
        }


class Workgroup(Resource):
    """What computes: capacity, network and endpoint.

    Attributes:
        gate: The port by which clients reach it.
    """

    def __init__(self, place: Place, kind: str, name: str, tags: Sequence[dict[str, str]]) -> None:
        super().__init__(place, kind, name, tags)
        self.gate = Gate(place.surroundings.host, place.surroundings.endpoint)

    def describe(self) -> dict[str, Any]:
        """The API's Workgroup; without an endpoint until it has been made."""
        surroundings = self._place.surroundings
        endpoint = {"address": surroundings.address, "port": self.gate.port, "vpcEndpoints": []}
        return {
            # Management Guide, "Compute capacity for Amazon Redshift Serverless".
            "baseCapacity": 128,
            "enhancedVpcRouting": False,
            "publiclyAccessible": False,
            "securityGroupIds": [],
            "subnetIds": [],
            "port": 5439,
            "configParameters": [{"parameterKey": "require_ssl", "parameterValue": "true"}],
            **self.settings,
            "workgroupName": self.name,
            "workgroupId": self.id,
            "workgroupArn": self.arn,
            "creationDate": self.created,
            "status": self.status,
            "endpoint": None if self.status == "CREATING" else endpoint,
        }


class Snapshot(Resource):
    """A copy of a namespace; here it holds no data."""

    def describe(self) -> dict[str, Any]:
        """The API's Snapshot."""
        return {
            "snapshotRetentionPeriod": -1,
            **self.settings,
            "snapshotName": self.name,
            "snapshotArn": self.arn,
            "snapshotCreateTime": self.created,
            "status": self.status,
        }


@dataclass
class UsageLimit:
    """The most that a workgroup may use in a period."""

    place: Place
    settings: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def describe(self) -> dict[str, Any]:
        """The API's UsageLimit; its defaults are the reference's."""
        arn = self.place.arn("usagelimit", self.id)
        defaults = {"period": "monthly", "breachAction": "log"}
        return {**defaults, **self.settings, "usageLimitId": self.id, "usageLimitArn": arn}
