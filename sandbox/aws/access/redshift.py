"""The permissions that requests to Redshift need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshift.html
"""

from moto.redshift.models import redshift_backends

from sandbox.aws.access import iam, principals
from sandbox.aws.access.policy import Ask
from sandbox.aws.access.request import ACCOUNT, Request

SERVICE = "redshift.amazonaws.com"
_OWN_ROLE = "AWSServiceRoleForRedshift"
# What Redshift looks at in the name of whoever makes a subnet group or a cluster in a VPC (Management Guide,
# "Using identity-based policies", permissions for the console and API). UNCONFIRMED for each call.
_NETWORK = (
    *("DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeAccountAttributes"),
    *("DescribeAddresses", "DescribeAvailabilityZones", "DescribeInternetGateways"),
)
# What the managed master password needs of the caller: AWS's own policy for making warehouses has these
# (SageMakerStudioProjectProvisioningRolePolicy); which call asks for which is UNCONFIRMED.
_SECRET = ("CreateSecret", "TagResource", "DescribeSecret", "UpdateSecret", "RotateSecret")
_OF_BOTH = {"CreateClusterSnapshot", "RestoreFromClusterSnapshot"}
# Actions without a resource.
_ANY = {"DescribeClusterSubnetGroups", "DescribeEvents", "DescribeOrderableClusterOptions"}


def asks(request: Request) -> list[Ask]:
    """What a request has to be allowed."""
    if request.action in {"CreateCluster", "RestoreFromClusterSnapshot"}:
        return _creation(request)
    if request.action == "DeleteCluster":
        return _deletion(request)
    if request.action == "GetClusterCredentials":
        return _login(request)
    found = _each(request, _resources(request)) + _passed(request)
    return found + (_looks(request) if request.action == "CreateClusterSubnetGroup" else [])


def _resources(request: Request) -> list[str]:
    """The ARNs that a request is about."""
    action = request.action
    if action in _ANY:
        return ["*"]
    if "SubnetGroup" in action:
        return [request.arn(f"subnetgroup:{request.get('ClusterSubnetGroupName')}")]
    if action in {"CreateTags", "DeleteTags", "DescribeTags"}:
        return [request.get("ResourceName") or "*"]
    if "ClusterSnapshot" not in action:
        return [_cluster(request)]
    snapshot = _snapshot(request, request.get("SnapshotIdentifier"))
    # The Management Guide: both that of the cluster and that of the snapshot.
    return [_cluster(request), snapshot] if action in _OF_BOTH else [snapshot]


def _creation(request: Request) -> list[Ask]:
    arns = _resources(request)
    found = _each(request, arns) + _passed(request) + _looks(request)
    if request.tags:
        # UNCONFIRMED: tags of a new cluster need redshift:CreateTags.
        found.append(request.ask("CreateTags", arns[0]))
    if request.get("ManageMasterPassword").lower() == "true":
        found += [request.ask(f"secretsmanager:{name}", _secret(request)) for name in _SECRET]
        found.append(request.ask("secretsmanager:GetRandomPassword", "*"))
    # Management Guide, "Using service-linked roles": made with the first cluster of an account.
    if principals.role_of(_OWN_ROLE) is None:
        found.append(iam.service_linked_role(request, SERVICE))
    return found


def _deletion(request: Request) -> list[Ask]:
    found = _each(request, [_cluster(request)])
    if name := request.get("FinalClusterSnapshotIdentifier"):
        # UNCONFIRMED: the last snapshot needs redshift:CreateClusterSnapshot.
        found += _each(request, [_cluster(request), _snapshot(request, name)], "CreateClusterSnapshot")
    cluster = redshift_backends[ACCOUNT][request.region].clusters.get(request.get("ClusterIdentifier"))
    if secret := getattr(cluster, "master_password_secret_arn", None):
        found.append(request.ask("secretsmanager:DeleteSecret", secret))
    return found


def _login(request: Request) -> list[Ask]:
    """https://docs.aws.amazon.com/redshift/latest/mgmt/generating-iam-credentials-role-permissions.html ."""
    cluster, user, database = (request.get(name) for name in ("ClusterIdentifier", "DbUser", "DbName"))
    more = {"redshift:DbUser": user, "redshift:DbName": database}
    arn = request.arn(f"dbuser:{cluster}/{user}")
    found = [request.ask(request.action, arn, more=more)]
    if database:
        found.append(request.ask(request.action, request.arn(f"dbname:{cluster}/{database}"), more=more))
    if request.get("AutoCreate").lower() == "true":
        found.append(request.ask("CreateClusterUser", arn, more=more))
    groups = request.given("DbGroups")
    return found + [request.ask("JoinGroup", request.arn(f"dbgroup:{cluster}/{group}")) for group in groups]


def _looks(request: Request) -> list[Ask]:
    return [request.ask(f"ec2:{name}", "*") for name in _NETWORK]


def _passed(request: Request) -> list[Ask]:
    arns = [*request.given("IamRoles"), *request.given("AddIamRoles"), request.get("DefaultIamRoleArn")]
    return iam.passing(request, [arn for arn in arns if arn], SERVICE)


def _each(request: Request, arns: list[str], action: str = "") -> list[Ask]:
    return [request.ask(action or request.action, arn, _tags(request, arn)) for arn in arns]


def _tags(request: Request, arn: str) -> dict[str, str]:
    """The tags of a cluster, snapshot or subnet group."""
    found = redshift_backends[ACCOUNT][request.region]
    for things in (found.clusters, found.snapshots, found.subnet_groups):
        for thing in list(things.values()):
            if thing.arn == arn:
                return {tag["Key"]: tag["Value"] for tag in thing.tags}
    return {}


def _cluster(request: Request) -> str:
    return request.arn(f"cluster:{request.get('ClusterIdentifier') or '*'}")


def _snapshot(request: Request, name: str) -> str:
    """A snapshot's ARN, which begins with the cluster it is of."""
    known = redshift_backends[ACCOUNT][request.region].snapshots.get(name)
    given = request.get("SnapshotClusterIdentifier") or request.get("ClusterIdentifier") or "*"
    return request.arn(f"snapshot:{known.cluster_identifier if known else given}/{name or '*'}")


def _secret(request: Request) -> str:
    """Redshift's secret as it is asked for before it has its six random characters."""
    user = request.get("MasterUsername")
    if not user and (
        known := redshift_backends[ACCOUNT][request.region].snapshots.get(request.get("SnapshotIdentifier"))
    ):
        user = known.master_username
    name = f"redshift!{request.get('ClusterIdentifier')}-{user}"
    return f"arn:aws:secretsmanager:{request.region}:{ACCOUNT}:secret:{name}"
