"""Who has signed a request, and which policies are attached to them."""

import json
from dataclasses import dataclass, replace
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import Group, IAMBackend, ManagedPolicy, Role, User, iam_backends
from moto.redshift.models import redshift_backends
from moto.sts.models import AssumedRole, sts_backends

from sandbox.aws.access.conditions import Context
from sandbox.aws.access.policy import Answer, Ask, answer
from sandbox.parts.settings import ROLE_NAME


@dataclass(frozen=True)
class Principal:
    """A caller that policies are about.

    Args:
        arn: As error messages name it.
        identity: The policies of the user and its groups, or of the role.
        boundary: The permissions boundary, if there is one.
        session: The policy given to AssumeRole, if there was one.
        context: What conditions and variables may ask about the caller.
        user: The user's name; empty for a role.
    """

    arn: str
    identity: tuple[str, ...]
    boundary: str | None
    session: str | None
    context: Context
    user: str = ""

    def refuses(self, ask: Ask) -> str:
        """Why a permission is not given, in AWS's words; empty where it is.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        """
        kinds = [("identity-based policy", self.identity)]
        kinds += [("permissions boundary", (self.boundary,))] if self.boundary is not None else []
        kinds += [("session policy", (self.session,))] if self.session is not None else []
        answers = [(kind, answer(documents, ask)) for kind, documents in kinds]
        for kind, found in answers:
            if found is Answer.DENY:
                return f"with an explicit deny in {'an' if kind[0] == 'i' else 'a'} {kind}"
        for kind, found in answers:
            if found is Answer.NOTHING:
                return f"because no {kind} allows the {ask.action} action"
        return ""


def backend() -> IAMBackend:
    """IAM as moto has it."""
    return iam_backends[DEFAULT_ACCOUNT_ID]["aws"]


def of_key(access_key_id: str) -> Principal | None:
    """The owner of an access key, or None where IAM and STS know none."""
    for session in list(sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles):
        if session.access_key_id == access_key_id:
            return _of_session(session)
    key = backend().access_keys.get(access_key_id)
    user = backend().users.get(key.user_name) if key and key.user_name else None
    return _of_user(user) if user else None


def of_redshift(named: str) -> Principal | None:
    """A role as Redshift takes it for COPY; None where there is no such role.

    Args:
        named: ARNs of a chain, of which the last reads S3, or `default`: that of the newest cluster with one.
    """
    role = role_of(_default_role() if named == "default" else named.rpartition(",")[2])
    return (
        _of_role(role, f"arn:aws:sts::{DEFAULT_ACCOUNT_ID}:assumed-role/{role.name}/redshift")
        if role
        else None
    )


def _default_role() -> str:
    """The default role of the sandbox's warehouse, which is behind all clusters."""
    clusters = [
        cluster
        for backend in list(redshift_backends[DEFAULT_ACCOUNT_ID].values())
        for cluster in list(backend.clusters.values())
    ]
    found = [getattr(cluster, "default_iam_role_arn", None) for cluster in clusters]
    return next((str(arn) for arn in reversed(found) if arn), ROLE_NAME)


def role_of(name_or_arn: str) -> Role | None:
    """A role, by its name or ARN."""
    roles = list(backend().roles.values())
    return next((role for role in roles if name_or_arn in (role.name, role.arn)), None)


def managed(arn: str | None) -> ManagedPolicy | None:
    """The managed policy of an ARN."""
    return backend().managed_policies.get(arn) if arn else None


def tags_of(entity: Any) -> dict[str, str]:  # noqa: ANN401 # users have lists, roles and policies dictionaries
    """An entity's tags."""
    found = entity.tags or []
    pairs = found.values() if isinstance(found, dict) else found
    return {tag["Key"]: tag["Value"] for tag in pairs}


def _of_user(user: User) -> Principal:
    groups: list[Any] = list(backend().get_groups_for_user(user.name))
    context = {"aws:username": [user.name], "aws:userid": [user.id], "aws:PrincipalType": ["User"]}
    boundary = _document(managed(getattr(user, "permissions_boundary_arn", None)))
    return Principal(
        user.arn,
        tuple(document for entity in (user, *groups) for document in _documents(entity)),
        boundary,
        None,
        context | _common(user.arn, tags_of(user)),
        user.name,
    )


def _of_session(session: AssumedRole) -> Principal | None:
    role = role_of(session.role_arn)
    if role is None:
        return None
    found = _of_role(role, session.arn, session.policy)
    return replace(found, context={**found.context, "aws:userid": [session.user_id]})


def _of_role(role: Role, session_arn: str, policy: str | None = None) -> Principal:
    boundary = None
    if role.permissions_boundary_arn:
        # A boundary that has gone leaves nothing that is allowed.
        boundary = _document(managed(role.permissions_boundary_arn)) or json.dumps({"Statement": []})
    context = {"aws:PrincipalType": ["AssumedRole"]} | _common(role.arn, tags_of(role))
    return Principal(session_arn, tuple(_documents(role)), boundary, policy or None, context)


def _common(arn: str, tags: dict[str, str]) -> dict[str, list[str]]:
    known = {"aws:PrincipalArn": [arn], "aws:PrincipalAccount": [DEFAULT_ACCOUNT_ID]}
    return known | {f"aws:PrincipalTag/{key}": [value] for key, value in tags.items()}


def _documents(entity: User | Group | Role) -> list[str]:
    """The inline and managed policies of one entity."""
    attached = [_document(policy) for policy in list(entity.managed_policies.values())]
    return [*entity.policies.values(), *(document for document in attached if document is not None)]


def _document(policy: ManagedPolicy | None) -> str | None:
    """A managed policy's default version."""
    if policy is None:
        return None
    return next((str(version.document) for version in policy.versions if version.is_default), None)
