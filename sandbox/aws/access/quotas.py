"""What IAM refuses to keep, whoever asks: policies that are too long, boundaries that are not there.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from typing import Any

from sandbox.aws.access import principals
from sandbox.aws.access.request import Request
from sandbox.aws.refusals import RefusalError

# Characters of all inline policies together; white space is not counted.
_INLINE = {
    "PutUserPolicy": ("user", 2048),
    "PutGroupPolicy": ("group", 5120),
    "PutRolePolicy": ("role", 10240),
}
_MANAGED, _TRUST, _ATTACHED = 6144, 2048, 10
_DOCUMENTS = {"CreatePolicy": _MANAGED, "CreatePolicyVersion": _MANAGED}


def check(request: Request) -> None:
    """Refuse what exceeds a quota, or what IAM would leave dangling.

    The words are those of errors that AWS gave to others (public issues); their code is documented.

    Raises:
        RefusalError: LimitExceeded, NoSuchEntity or DeleteConflict.
    """
    if request.action == "CreateUser" and request.get("PermissionsBoundary"):
        # moto would forget it, and the user could do what AWS forbids.
        message = "The sandbox has no permissions boundaries of users, of roles only."
        raise RefusalError("400 Bad Request", "NotImplemented", message)
    document = request.get("PolicyDocument")
    if request.action in _INLINE:
        _check_inline(request, document)
    elif request.action in _DOCUMENTS and _size(document) > _MANAGED:
        raise _exceeded(f"Cannot exceed quota for PolicySize: {_MANAGED}")
    elif request.action in {"CreateRole", "UpdateAssumeRolePolicy"}:
        if _size(request.get("AssumeRolePolicyDocument") or document) > _TRUST:
            raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {_TRUST}")
    elif request.action.startswith("Attach"):
        _check_attached(request)
    elif request.action == "DeletePolicy":
        _check_deletion(request.get("PolicyArn"))
    elif request.action == "DeleteUser":
        _check_user(request.get("UserName"))
    _check_boundary(request.get("PermissionsBoundary"))


def _check_inline(request: Request, document: str) -> None:
    kind, limit = _INLINE[request.action]
    name = request.get(f"{kind.title()}Name")
    entity = _entity(kind, name)
    kept: dict[str, str] = dict(entity.policies) if entity is not None else {}
    kept[request.get("PolicyName")] = document
    if sum(map(_size, kept.values())) > limit:
        raise _exceeded(f"Maximum policy size of {limit} bytes exceeded for {kind} {name}")


def _check_attached(request: Request) -> None:
    kind = request.action.removeprefix("Attach").removesuffix("Policy").lower()
    entity = _entity(kind, request.get(f"{kind.title()}Name"))
    attached = set(entity.managed_policies) if entity is not None else set()
    if len(attached | {request.get("PolicyArn")}) > _ATTACHED:
        raise _exceeded(f"Cannot exceed quota for PoliciesPer{kind.title()}: {_ATTACHED}")


def _check_boundary(arn: str) -> None:
    if arn and principals.managed(arn) is None:
        message = f"Scope ARN: {arn} does not exist or is not attachable."
        raise RefusalError("404 Not Found", "NoSuchEntity", message)


def _check_deletion(arn: str) -> None:
    """API reference, DeletePolicy: detach it from everything first."""
    found = principals.backend()
    entities: list[Any] = [*found.users.values(), *found.groups.values(), *found.roles.values()]
    bounded = any(getattr(entity, "permissions_boundary_arn", None) == arn for entity in entities)
    if bounded or any(arn in entity.managed_policies for entity in entities):
        raise _conflict("Cannot delete a policy attached to entities.")


def _check_user(name: str) -> None:
    """API reference, DeleteUser: its access keys have to go first (moto looks at its policies)."""
    user = principals.backend().users.get(name)
    if user is not None and user.access_keys:
        raise _conflict("Cannot delete entity, must delete access keys first.")


def _entity(kind: str, name: str) -> Any:  # noqa: ANN401 # moto's user, group or role
    found = principals.backend()
    return principals.role_of(name) if kind == "role" else getattr(found, f"{kind}s").get(name)


def _size(document: str) -> int:
    return len("".join(document.split()))


def _exceeded(message: str) -> RefusalError:
    return RefusalError("409 Conflict", "LimitExceeded", message)


def _conflict(message: str) -> RefusalError:
    return RefusalError("409 Conflict", "DeleteConflict", message)
