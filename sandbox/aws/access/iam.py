"""The permissions that requests to IAM and STS need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

import re
from typing import Any

from sandbox.aws.access import principals
from sandbox.aws.access.conditions import holds
from sandbox.aws.access.policy import Ask, statements, texts
from sandbox.aws.access.request import ACCOUNT, Request

# "No permissions are required to perform this operation", API reference.
_FREE = {"GetCallerIdentity", "GetSessionToken"}
# Making one of these with tags needs the second action, too (IAM guide, "Tags for IAM resources").
_TAGGED = {"CreateRole": "TagRole", "CreateUser": "TagUser", "CreatePolicy": "TagPolicy"}
_KINDS = re.compile("(Role|User|Group|Polic)")


def asks(request: Request) -> list[Ask]:
    """What a request to IAM has to be allowed."""
    if request.action == "CreateServiceLinkedRole":
        return [service_linked_role(request, request.get("AWSServiceName"))]
    resource, entity = _resource(request)
    tags = principals.tags_of(entity) if entity is not None else {}
    boundary = request.get("PermissionsBoundary") or getattr(entity, "permissions_boundary_arn", None) or ""
    attached = request.get("PolicyArn") if request.action.startswith(("Attach", "Detach")) else ""
    more = {"iam:PermissionsBoundary": boundary, "iam:PolicyARN": attached}
    found = [request.ask(request.action, resource, tags, more)]
    if request.tags and request.action in _TAGGED:
        found.append(request.ask(_TAGGED[request.action], resource, tags))
    return found


def service_linked_role(request: Request, service: str) -> Ask:
    """The permission to make a service's own role."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRoleForRedshift"
    return request.ask("iam:CreateServiceLinkedRole", arn, more={"iam:AWSServiceName": service})


def passing(request: Request, arns: list[str], service: str) -> list[Ask]:
    """The permissions to hand roles to a service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    return [
        request.ask("iam:PassRole", arn, _role_tags(arn), {"iam:PassedToService": service})
        for arn in dict.fromkeys(arns)
    ]


def sts_asks(request: Request) -> list[Ask]:
    """What a request to STS has to be allowed."""
    if request.action in _FREE:
        return []
    arn = request.get("RoleArn")
    more = {"sts:ExternalId": request.get("ExternalId")}
    return [request.ask(request.action, arn or "*", _role_tags(arn), more)]


def trusts(role_arn: str, ask: Ask, caller: principals.Principal) -> tuple[bool, bool]:
    """Whether a role's trust policy lets a caller take it, and whether that alone is enough.

    It is enough where the policy names the caller rather than the account
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
    """
    role = principals.role_of(role_arn)
    if role is None:
        return False, False
    trusted = enough = False
    owner = caller.context["aws:PrincipalArn"][0]
    for statement in statements(role.assume_role_policy_document):
        names = _principals(statement)
        by_name, by_account = owner in names, bool({ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "*"} & names)
        about = "sts:AssumeRole" in texts(statement.get("Action")) and (by_name or by_account)
        if not about or not holds(statement.get("Condition", {}), ask.context):
            continue
        if statement["Effect"] == "Deny":
            return False, False
        trusted, enough = True, enough or by_name
    return trusted, enough


def _principals(statement: Any) -> set[str]:  # noqa: ANN401 # a statement of JSON
    found = statement.get("Principal", {})
    return {"*"} if found == "*" else set(texts(found.get("AWS", [])))


def _resource(request: Request) -> tuple[str, Any]:
    """A call's ARN, and moto's entity if it is there."""
    found = principals.backend()
    start = f"arn:aws:iam::{ACCOUNT}"
    path = request.get("Path") or "/"
    if name := request.get("RoleName"):
        role = principals.role_of(name)
        return (role.arn if role else f"{start}:role{path}{name}"), role
    if name := request.get("GroupName"):
        return f"{start}:group{path}{name}", None
    if (name := request.get("UserName")) or _is_about_oneself(request):
        user = found.users.get(name or request.user)
        return (user.arn if user else f"{start}:user{path}{name or request.user}"), user
    if request.action == "CreatePolicy":
        return f"{start}:policy{path}{request.get('PolicyName')}", None
    if arn := request.get("PolicyArn"):
        return arn, principals.managed(arn)
    kind = _KINDS.search(request.action)
    return (f"{start}:{kind[1].lower().replace('polic', 'policy')}/" if kind else "*"), None


def _is_about_oneself(request: Request) -> bool:
    """Whether a call without a name is about the caller (API reference)."""
    return request.action == "GetUser" or "AccessKey" in request.action or request.action == "ChangePassword"


def _role_tags(arn: str) -> dict[str, str]:
    role = principals.role_of(arn) if arn else None
    return principals.tags_of(role) if role else {}
