"""The cluster's network: a subnet group of the default VPC, a security group with one open port."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sparkify.aws import Aws, NotYet, code_of
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
    vpc = _default_vpc(aws)
    group = find_security_group(aws, plan) or _make_security_group(aws, plan, vpc)
    _allow_only(aws, group, plan.allowed_cidr)
    _make_subnet_group(aws, plan, vpc)
    return (
        f"Security group {plan.security_group_name} opens port {PORT} to {plan.allowed_cidr}; "
        f"subnet group {plan.subnet_group_name} is in the default VPC {vpc}."
    )


def remove_network(aws: Aws, plan: ClusterPlan) -> str:
    """Remove subnet group and security group, unless they are not ours.

    Raises:
        NotYet: something uses one of them; just after its cluster has gone, that passes.
    """
    removed: list[str] = []
    used: list[str] = []
    theirs: list[str] = []
    if (subnets := find_subnet_group(aws, plan)) is not None:
        name = f"subnet group {plan.subnet_group_name}"
        if not is_ours(subnets.get("Tags", [])):
            theirs.append(name)
        elif _is_removed(
            aws.redshift.delete_cluster_subnet_group, ClusterSubnetGroupName=plan.subnet_group_name
        ):
            removed.append(name)
        else:
            used.append(name)
    if (group := find_security_group(aws, plan)) is not None:
        name = f"security group {plan.security_group_name} ({group['GroupId']})"
        if not is_ours(group.get("Tags", [])):
            theirs.append(name)
        elif _is_removed(aws.ec2.delete_security_group, GroupId=group["GroupId"]):
            removed.append(name)
        else:
            used.append(name)
    if used:
        raise NotYet(f"{' and '.join(used)} cannot be removed while something uses them.")
    said = f"Removed: {', '.join(removed)}." if removed else "Network: nothing of ours to remove."
    return f"{said} Not ours and left as it is: {', '.join(theirs)}." if theirs else said


def find_security_group(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - boto's group or None
    """Return the security group as EC2 describes it, ours if there are several of the name, or None."""
    filters: Any = [{"Name": "group-name", "Values": [plan.security_group_name]}]
    groups = aws.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    # The same name may be in another VPC, too.
    return next((one for one in groups if is_ours(one.get("Tags", []))), groups[0] if groups else None)


def find_subnet_group(aws: Aws, plan: ClusterPlan) -> Any:  # noqa: ANN401 - boto's group or None
    """Return the cluster subnet group as Redshift describes it, or None."""
    try:
        groups = aws.redshift.describe_cluster_subnet_groups(ClusterSubnetGroupName=plan.subnet_group_name)
    except ClientError as error:
        if code_of(error) in {"ClusterSubnetGroupNotFound", "ClusterSubnetGroupNotFoundFault"}:
            return None
        raise
    return groups["ClusterSubnetGroups"][0]


def _is_removed(delete: Callable[..., object], **what: str) -> bool:
    try:
        delete(**what)
    except ClientError as error:
        if code_of(error) in _IN_USE:
            return False
        # A try before this one may have removed it without hearing of it.
        if code_of(error) not in _MISSING:
            raise
    return True


def _default_vpc(aws: Aws) -> str:
    vpcs = aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not vpcs:
        raise FatalError(f"The region {aws.region} has no default VPC. Make one: aws ec2 create-default-vpc")
    return vpcs[0]["VpcId"]


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


def _allow_only(aws: Aws, group: Any, cidr: str) -> None:  # noqa: ANN401 - boto's group
    """Open the port to `cidr` and close whatever else is open."""
    if not is_ours(group.get("Tags", [])):
        raise FatalError(
            f"The security group {group['GroupName']} is there and not ours. Remove it, or choose another "
            "cluster identifier."
        )
    wanted: Any = {"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "IpRanges": [{"CidrIp": cidr}]}
    others = [rule for rule in group["IpPermissions"] if not _is_same(rule, wanted)]
    if others:
        aws.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=others)
    if len(others) == len(group["IpPermissions"]):
        try:
            aws.ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[wanted])
        except ClientError as error:
            if code_of(error) != "InvalidPermission.Duplicate":
                raise


def _is_same(rule: Any, wanted: Any) -> bool:  # noqa: ANN401 - boto's rules
    names = ("IpProtocol", "FromPort", "ToPort")
    ranges = [entry["CidrIp"] for entry in rule.get("IpRanges", [])]
    others = rule.get("Ipv6Ranges") or rule.get("PrefixListIds") or rule.get("UserIdGroupPairs")
    return (
        all(rule.get(name) == wanted[name] for name in names)
        and ranges == [wanted["IpRanges"][0]["CidrIp"]]
        and not others
    )


def _make_subnet_group(aws: Aws, plan: ClusterPlan, vpc: str) -> None:
    if (found := find_subnet_group(aws, plan)) is not None:
        if not is_ours(found.get("Tags", [])):
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
