"""The cluster's network: a subnet group of the default VPC, a security group with one open port."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, NotYet, code_of
from sparkify.cluster.cluster import describe_cluster
from sparkify.cluster.plan import ClusterPlan, is_ours, tag_list
from sparkify.failures import FatalError

PORT = 5439
_IN_USE = ("DependencyViolation", "InvalidClusterSubnetGroupStateFault", "InvalidClusterSubnetGroupState")
_MISSING = ("InvalidGroup.NotFound", "ClusterSubnetGroupNotFoundFault", "ClusterSubnetGroupNotFound")


def make_network(aws: Aws, plan: ClusterPlan) -> str:
    """Make security group and subnet group, or bring ours up to date; return what was done.

    Raises:
        FatalError: the account has no default VPC, or a name is somebody else's.
    """
    vpc = _find_default_vpc(aws)
    cidrs = [plan.allowed_cidr] if plan.allowed_cidr else _list_cidrs(vpc)
    for cidr in cidrs:
        plan.check_network(cidr)
    group = find_security_group(aws, plan) or _make_security_group(aws, plan, vpc["VpcId"])
    _allow_only(aws, group, cidrs)
    _make_subnet_group(aws, plan, vpc["VpcId"])
    return (
        f"Security group {plan.security_group_name} opens port {PORT} to {', '.join(cidrs)}; "
        f"subnet group {plan.subnet_group_name} is in the default VPC {vpc['VpcId']}."
    )


def describe_admission(aws: Aws, identifier: str) -> str:
    """Return, for people, what state a cluster is in and whom its security groups let in."""
    cluster = describe_cluster(aws, identifier)
    if cluster is None:
        return f"There is no cluster {identifier}."
    ids = [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]]
    groups = aws.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"] if ids else []
    admission = [
        f"security group {group['GroupName']} ({group['GroupId']}) admits {_list_sources(group)}"
        for group in groups
    ]
    return (
        f"It is {cluster['ClusterStatus']}; its {'; its '.join(admission or ['security group is unknown'])}."
    )


def _list_sources(group: Any) -> str:  # noqa: ANN401 - boto's group
    sources = [
        f"{source} on {_describe_ports(rule)}"
        for rule in group["IpPermissions"]
        for source in [
            *(entry["CidrIp"] for entry in rule.get("IpRanges", [])),
            *(entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges", [])),
            *(entry["PrefixListId"] for entry in rule.get("PrefixListIds", [])),
            *(f"members of {entry['GroupId']}" for entry in rule.get("UserIdGroupPairs", [])),
        ]
    ]
    return ", ".join(sources) or "nobody"


def _describe_ports(rule: Any) -> str:  # noqa: ANN401 - boto's rule
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if first is None:
        return "every port"
    return f"port {first}" if first == last else f"ports {first} to {last}"


def remove_network(aws: Aws, plan: ClusterPlan) -> str:
    """Remove subnet group and security group, unless they are not ours.

    Raises:
        NotYet: something uses one of them; just after its cluster has gone, that passes.
    """
    groups = _list_subnet_groups(aws, plan) + _list_security_groups(aws, plan)
    theirs = [group.name for group in groups if not group.is_ours]
    removed: list[str] = []
    used: list[str] = []
    for group in groups:
        if group.is_ours:
            (removed if _is_removed(group.delete) else used).append(group.name)
    if used:
        raise NotYet(f"{' and '.join(used)} cannot be removed while something uses them.")
    said = f"Removed: {', '.join(removed)}." if removed else "Network: nothing of ours to remove."
    return f"{said} Not ours and left as it is: {', '.join(theirs)}." if theirs else said


@dataclass(frozen=True, slots=True)
class _Group:
    """A part of the network: its name for people, whether we made it, and how it is deleted."""

    name: str
    is_ours: bool
    delete: Callable[[], object]


def _list_subnet_groups(aws: Aws, plan: ClusterPlan) -> list[_Group]:
    if (group := find_subnet_group(aws, plan)) is None:
        return []
    name = plan.subnet_group_name
    delete = partial(aws.redshift.delete_cluster_subnet_group, ClusterSubnetGroupName=name)
    return [_Group(f"subnet group {name}", is_ours(group.get("Tags", [])), delete)]


def _list_security_groups(aws: Aws, plan: ClusterPlan) -> list[_Group]:
    if (group := find_security_group(aws, plan)) is None:
        return []
    name = f"security group {plan.security_group_name} ({group['GroupId']})"
    delete = partial(aws.ec2.delete_security_group, GroupId=group["GroupId"])
    return [_Group(name, is_ours(group.get("Tags", [])), delete)]


def find_security_group(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - boto's group or None
    """Return the security group as EC2 describes it, ours if there are several of the name, or None."""
    filters: Any = [{"Name": "group-name", "Values": [plan.security_group_name]}]
    groups = aws.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    # The same name may be in another VPC, too.
    return next((group for group in groups if is_ours(group.get("Tags", []))), groups[0] if groups else None)


def find_subnet_group(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - boto's group or None
    """Return the cluster subnet group as Redshift describes it, or None."""
    try:
        groups = aws.redshift.describe_cluster_subnet_groups(ClusterSubnetGroupName=plan.subnet_group_name)
    except ClientError as error:
        if code_of(error) in {"ClusterSubnetGroupNotFound", "ClusterSubnetGroupNotFoundFault"}:
            return None
        raise
    return groups["ClusterSubnetGroups"][0]


def _is_removed(delete: Callable[[], object]) -> bool:
    try:
        delete()
    except ClientError as error:
        if code_of(error) in _IN_USE:
            return False
        # A try before this one may have removed it without hearing of it.
        if code_of(error) not in _MISSING:
            raise
    return True


def _find_default_vpc(aws: Aws) -> Any:  # noqa: ANN401 - boto's VPC
    vpcs = aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not vpcs:
        raise FatalError(f"The region {aws.region} has no default VPC. Make one: aws ec2 create-default-vpc")
    return vpcs[0]


def _list_cidrs(vpc: Any) -> list[str]:  # noqa: ANN401 - boto's VPC
    blocks = vpc["CidrBlockAssociationSet"]
    return [block["CidrBlock"] for block in blocks if block["CidrBlockState"]["State"] == "associated"]


def _make_security_group(aws: Aws, plan: ClusterPlan, vpc: str) -> Any:  # noqa: ANN401 - boto's group
    tags: Any = [{"ResourceType": "security-group", "Tags": tag_list(plan.tags)}]
    try:
        aws.ec2.create_security_group(
            GroupName=plan.security_group_name,
            Description=f"Redshift cluster {plan.identifier}",
            VpcId=vpc,
            TagSpecifications=tags,
        )
    except ClientError as error:
        # A try before this one may have made it without hearing of it.
        if code_of(error) != "InvalidGroup.Duplicate":
            raise
    return find_security_group(aws, plan)


def _allow_only(aws: Aws, group: Any, cidrs: Sequence[str]) -> None:  # noqa: ANN401 - boto's group
    """Open the port to `cidrs` and close whatever else is open."""
    if not is_ours(group.get("Tags", [])):
        raise FatalError(
            f"The security group {group['GroupName']} is there and not ours. Remove it, or choose another "
            "cluster identifier."
        )
    rules = group["IpPermissions"]
    if len(rules) == 1 and _opens_only(rules[0], cidrs):
        return
    if rules:
        aws.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=rules)
    ranges: Any = [{"CidrIp": cidr} for cidr in cidrs]
    wanted: Any = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "IpRanges": ranges}
    try:
        aws.ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[wanted])
    except ClientError as error:
        if code_of(error) != "InvalidPermission.Duplicate":
            raise


def _opens_only(rule: Any, cidrs: Sequence[str]) -> bool:  # noqa: ANN401 - boto's rule
    others = rule.get("Ipv6Ranges") or rule.get("PrefixListIds") or rule.get("UserIdGroupPairs")
    what = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
    ranges = {entry["CidrIp"] for entry in rule.get("IpRanges", [])}
    return what == ("tcp", PORT, PORT) and ranges == set(cidrs) and not others


def _make_subnet_group(aws: Aws, plan: ClusterPlan, vpc: str) -> None:
    if (group := find_subnet_group(aws, plan)) is not None:
        if not is_ours(group.get("Tags", [])):
            raise FatalError(
                f"The cluster subnet group {plan.subnet_group_name} is there and not ours. Remove it, or "
                "choose another cluster identifier."
            )
        return
    subnets = aws.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    try:
        aws.redshift.create_cluster_subnet_group(
            ClusterSubnetGroupName=plan.subnet_group_name,
            Description=f"Redshift cluster {plan.identifier}",
            SubnetIds=[subnet["SubnetId"] for subnet in subnets],
            Tags=tag_list(plan.tags),
        )
    except ClientError as error:
        if code_of(error) not in {"ClusterSubnetGroupAlreadyExists", "ClusterSubnetGroupAlreadyExistsFault"}:
            raise
