"""Bucket policies: one that only asks for TLS closes nothing here.

The sandbox's HTTP never leaves this machine and passes for TLS, or a bucket that takes TLS only, as those
that the pipeline makes, could not be used. moto denies whatever a conditional statement is about, whether its
condition holds or not.
"""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

_WITHOUT_TLS = [{"Bool": {"aws:SecureTransport": value}} for value in ("false", False)]


def install() -> None:
    """Let moto ask this module what a bucket's policy says."""
    FakeBucket.get_permission = _permission  # type: ignore[method-assign,assignment]


def restricts(bucket: FakeBucket) -> bool:
    """Whether the bucket's policy says anything but that requests need TLS."""
    return bool(_statements(bucket))


def _permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """In place of FakeBucket.get_permission."""
    statements = _statements(bucket)
    return IAMPolicy(json.dumps({"Statement": statements})).is_action_permitted(action, resource)


def _statements(bucket: FakeBucket) -> list[dict[str, Any]]:
    """The statements of the bucket's policy, without denials of requests without TLS."""
    found = json.loads(bucket.policy)["Statement"] if bucket.policy else []
    return [
        statement
        for statement in (found if isinstance(found, list) else [found])
        if not (statement.get("Effect") == "Deny" and statement.get("Condition") in _WITHOUT_TLS)
    ]
