"""The permissions that requests to Redshift Serverless need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftserverless.html
"""

from collections.abc import Iterator

from sandbox.aws.access import iam, principals
from sandbox.aws.access.policy import Ask
from sandbox.aws.access.request import ACCOUNT, Request
from sandbox.aws.serverless.account import REGIONS
from sandbox.aws.serverless.resources import Resource

SERVICE = "redshift-serverless.amazonaws.com"
_OWN_ROLE = "AWSServiceRoleForRedshift"
# What making a namespace with a managed password, and deleting it, need of the caller: the permissions of the
# handlers of AWS's CloudFormation resource AWS::RedshiftServerless::Namespace. Which call needs which is
# UNCONFIRMED.
_SECRET = ("CreateSecret", "TagResource", "RotateSecret", "DescribeSecret")
_BY_PARAMETER = {"namespaceName": "namespace", "workgroupName": "workgroup", "snapshotName": "snapshot"}
# The parameter whose resource an action is about, where it has several.
_ABOUT = {
    **dict.fromkeys(("CreateWorkgroup", "UpdateWorkgroup", "GetCredentials"), "workgroupName"),
    **dict.fromkeys(("RestoreFromSnapshot", "ListSnapshots"), "snapshotName"),
}
_WITHOUT = ("UsageLimit", "ListNamespaces", "ListWorkgroups")


def asks(request: Request) -> list[Ask]:
    """What a request has to be allowed."""
    action, (arn, tags) = request.action, _about(request)
    found = [request.ask(action, arn, tags)]
    if action.startswith("Create") and request.tags:
        found.append(request.ask("TagResource", arn, tags))
    if action in {"CreateNamespace", "UpdateNamespace"}:
        roles = {*request.given("iamRoles"), request.get("defaultIamRoleArn")} - {""}
        found += iam.passing(request, sorted(roles), SERVICE)
        if request.get("manageAdminPassword").lower() == "true":
            found += [request.ask(f"secretsmanager:{name}", _secret(request)) for name in _SECRET]
    if action == "CreateNamespace" and principals.role_of(_OWN_ROLE) is None:
        found.append(iam.service_linked_role(request, "redshift.amazonaws.com"))
    if action == "DeleteNamespace" and (secret := _kept_secret(request)):
        found.append(request.ask("secretsmanager:DeleteSecret", secret))
    return found


def _about(request: Request) -> tuple[str, dict[str, str]]:
    """The ARN that a request is about and the tags of what is there: ARNs hold ids, which new things lack."""
    if any(word in request.action for word in _WITHOUT):
        return "*", {}
    if arn := request.get("resourceArn"):
        return arn, next((one.tags for one in _all(request) if one.arn == arn), {})
    names = [_ABOUT[request.action]] if request.action in _ABOUT else list(_BY_PARAMETER)
    parameter = next((name for name in names if request.get(name)), names[0])
    kind, name = _BY_PARAMETER[parameter], request.get(parameter)
    known = [one for one in _all(request) if one.name == name and f":{kind}/" in one.arn]
    return (known[0].arn, known[0].tags) if known else (request.arn(f"{kind}/*"), {})


def _all(request: Request) -> Iterator[Resource]:
    if account := REGIONS.get(request.region):
        yield from [*account.namespaces.values(), *account.workgroups.values(), *account.snapshots.values()]


def _secret(request: Request) -> str:
    """The secret as it is asked for before it has its six random characters."""
    name = f"redshift!{request.get('namespaceName')}-{request.get('adminUsername')}"
    return f"arn:aws:secretsmanager:{request.region}:{ACCOUNT}:secret:{name}"


def _kept_secret(request: Request) -> str:
    account = REGIONS.get(request.region)
    namespace = account.namespaces.get(request.get("namespaceName")) if account else None
    return str(namespace.settings.get("adminPasswordSecretArn") or "") if namespace else ""
