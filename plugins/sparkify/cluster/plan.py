"""What the cluster DAGs make: one plan, from which every name, tag and price follows."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sparkify.failures import FatalError
from sparkify.s3.bucket_names import check_buckets

# Tags by which our resources are known, and the time after which the reaper may act.
OWNER_TAG, OWNER = "managed-by", "sparkify-warehouse"
EXPIRES_TAG = "expires_at"
# Only a bucket with this tag, whose value is the cluster's identifier, is set up or removed as work bucket.
# The other tag does not tell: `upload_source` gives it to source buckets.
WORK_BUCKET_TAG = "sparkify:work-bucket"

# USD an hour and node, on demand, us-east-1. Third-party tables; AWS's price list decides. UNCONFIRMED
RPU_PRICE = 0.375  # USD an RPU-hour, likewise
HOURLY_PRICES = {"ra3.large": 0.543, "ra3.xlplus": 1.086, "rg.large": 0.3801, "rg.xlarge": 0.7602}

# RFC 1918, and RFC 6598: VPCs may have both.
_PRIVATE = [
    ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
]


KINDS = ("provisioned", "serverless")


class PlanError(FatalError):
    """The plan cannot be carried out as it is; the message says what to enter."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """One cluster and what belongs to it.

    Args:
        identifier: the cluster's name: 1 to 50 lower-case letters, digits and single hyphens, a letter first.
        node_type: for example ra3.large.
        nodes: number of nodes; 1 makes a single-node cluster.
        allowed_cidr: the addresses that may connect to port 5439, for example 10.1.0.0/16; empty for those of
            the VPC that the cluster is in.
        allow_public_cidr: these may be addresses of the internet, too, though never everybody's.
        source_bucket: the bucket that COPY reads.
        work_bucket: another bucket, for manifests, which COPY reads and Airflow writes.
        database: its name.
        user: the master user, who makes the loader and does nothing else; its password is kept by AWS and
            nobody needs it.
        loader: the user who loads and owns the tables.
        hours_to_live: hours after which the reaper may pause or remove the cluster; 0 for never.
        from_snapshot: start from the newest final snapshot of this cluster, if there is one.
        final_snapshot: keep a snapshot when the cluster is removed.
        remove_work_bucket: remove the work bucket, too, when the cluster is removed.
        region: where everything is.
        kind: `provisioned`, or `serverless` for a namespace and a workgroup of the identifier's name.
        base_capacity: of Serverless, RPUs: 4, or 8 to 512 in steps of 8.
        daily_rpu_hours: of Serverless, what queries may use a day before they are turned off.

    Raises:
        PlanError: a value that AWS would refuse, one bucket as source and work bucket, or a network of the
            internet.
    """

    identifier: str
    source_bucket: str
    work_bucket: str
    region: str
    allowed_cidr: str = ""
    allow_public_cidr: bool = False
    node_type: str = "ra3.large"
    nodes: int = 1
    database: str = "sparkify"
    user: str = "sparkify"
    loader: str = "loader"
    hours_to_live: float = 8
    from_snapshot: bool = False
    final_snapshot: bool = True
    remove_work_bucket: bool = False
    kind: str = "provisioned"
    base_capacity: int = 8
    daily_rpu_hours: int = 16

    def __post_init__(self) -> None:
        try:
            check_buckets(self.source_bucket, self.work_bucket)
        except FatalError as error:
            raise PlanError(str(error)) from None
        if not re.fullmatch(r"(?=.{1,50}$)[a-z][a-z0-9]*(-[a-z0-9]+)*", self.identifier):
            raise PlanError(
                f"The cluster identifier {self.identifier!r} is none: 1 to 50 lower-case letters, digits and "
                "single hyphens, a letter first."
            )
        if self.nodes < 1:
            raise PlanError(f"A cluster has at least one node: nodes is {self.nodes}.")
        if self.hours_to_live < 0:
            raise PlanError(f"hours_to_live is 0 (for ever) or more: {self.hours_to_live}.")
        if self.kind not in KINDS:
            raise PlanError(f"kind is {' or '.join(KINDS)}, not {self.kind!r}.")
        if self.kind == "serverless":
            _check_serverless(self)
        if self.allowed_cidr:
            self.check_network(self.allowed_cidr)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "ClusterPlan":
        """Return the plan of values that may have become text in a template."""
        return cls(
            **{
                field.name: _typed(field.type, values[field.name])
                for field in fields(cls)
                if field.name in values
            }
        )

    def check_network(self, cidr: str) -> None:
        """Refuse addresses that may not connect.

        Raises:
            PlanError: they are no IPv4 network, or not private and nobody has said that they may be public.
        """
        try:
            network = ipaddress.IPv4Network(cidr, strict=False)
        except ValueError:
            raise PlanError(
                f"allowed_cidr {cidr!r} is no IPv4 network such as 10.1.0.0/16. It is one, or empty for the "
                "VPC's own; the cluster has no IPv6 address."
            ) from None
        if str(network) != cidr:
            raise PlanError(f"allowed_cidr {cidr!r} is no network as AWS writes it. Did you mean {network}?")
        if network.prefixlen < 8:
            raise PlanError(
                f"allowed_cidr {cidr} opens the warehouse to the world.",
                "Name the network that Airflow and the analysts are in, an IPv4 one of /8 or smaller.",
            )
        if not self.allow_public_cidr and not any(network.subnet_of(private) for private in _PRIVATE):
            raise PlanError(
                f"allowed_cidr {cidr} is on the internet.",
                f"Name a network within {', '.join(map(str, _PRIVATE))}, or set allow_public_cidr.",
            )

    @property
    def role_name(self) -> str:
        """The IAM role that the cluster takes to read S3."""
        return role_name(self.identifier)

    @property
    def boundary_name(self) -> str:
        """The managed policy beyond which the role can do nothing; people make it (docs/aws.md)."""
        return f"{self.identifier}-boundary"

    @property
    def security_group_name(self) -> str:
        """The security group that opens port 5439."""
        return f"{self.identifier}-redshift"

    @property
    def subnet_group_name(self) -> str:
        """The cluster subnet group."""
        return f"{self.identifier}-subnets"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of everything that is made."""
        return {OWNER_TAG: OWNER, "cluster": self.identifier}

    @property
    def work_bucket_tags(self) -> dict[str, str]:
        """The tags of the work bucket."""
        return self.tags | {WORK_BUCKET_TAG: self.identifier}

    @property
    def cluster_tags(self) -> dict[str, str]:
        """The tags of the cluster, whose time to live begins now."""
        if not self.hours_to_live:
            return self.tags
        expires = datetime.now(UTC) + timedelta(hours=self.hours_to_live)
        return self.tags | {EXPIRES_TAG: expires.isoformat(timespec="seconds")}


def _check_serverless(plan: ClusterPlan) -> None:
    if plan.base_capacity != 4 and plan.base_capacity not in range(8, 513, 8):
        raise PlanError(f"base_capacity is 4, or 8 to 512 in steps of 8: {plan.base_capacity}.")
    if plan.daily_rpu_hours < 1:
        raise PlanError(f"daily_rpu_hours is 1 or more: {plan.daily_rpu_hours}.")
    if len(plan.identifier) < 3:
        raise PlanError(f"A workgroup's name has 3 characters or more: {plan.identifier}.")


def role_name(identifier: str) -> str:
    """Return the name of the IAM role of a cluster."""
    return f"{identifier}-cluster"


def price_of(node_type: str, nodes: int) -> float | None:
    """Return USD an hour for so many nodes, or None where the price is not known."""
    price = HOURLY_PRICES.get(node_type)
    return None if price is None else price * nodes


def tag_list(tags: Mapping[str, str]) -> list[Any]:
    """Return tags in the form of most AWS calls."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def is_ours(tags: list[Any]) -> bool:
    """Tell whether tags, in the form of most AWS answers, say that we made the resource."""
    return any(tag["Key"] == OWNER_TAG and tag["Value"] == OWNER for tag in tags)


def _typed(kind: Any, value: Any) -> Any:  # noqa: ANN401 - values of any field
    if kind is bool:
        return str(value).lower() == "true"
    return kind(value)
