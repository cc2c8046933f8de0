"""AWS's own managed policies, as moto has kept them, known once somebody names them.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
moto can have all of them from the beginning: over 1,400 policies, 5 MB of JSON to read at each start.
"""

import json
import threading
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

PREFIX = "arn:aws:iam::aws:policy/"
# Those that ListPolicies shows before anybody has named one: what guides for Redshift and S3 attach.
_USUAL = (
    *("AdministratorAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess"),
    *("AmazonRedshiftAllCommandsFullAccess", "AmazonRedshiftDataFullAccess", "AmazonRedshiftFullAccess"),
    *("AmazonRedshiftReadOnlyAccess", "SecretsManagerReadWrite"),
)
_lock = threading.Lock()


def know_usual(backend: IAMBackend) -> None:
    """Let IAM know the policies that guides attach."""
    for name in _USUAL:
        know(backend, PREFIX + name)


def know(backend: IAMBackend, arn: str) -> None:
    """Let IAM know the policy of an ARN, if it is one of AWS's."""
    if not arn.startswith(PREFIX):
        return
    with _lock:
        if arn in backend.managed_policies:
            return
        name = arn.rpartition("/")[2]
        found = _find(name)
        if found is None or arn != PREFIX + found["Path"].lstrip("/") + name:
            return
        policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, found)
        backend.managed_policies[arn] = policy
        backend.aws_managed_policies.append(policy)


def _find(name: str) -> dict[str, Any] | None:
    """The record of a policy in moto's text, of which nothing else is read."""
    mark = f"\n {json.dumps(name)}:"
    at = aws_managed_policies_data.find(mark)
    if at < 0:
        return None
    record: dict[str, Any] = json.JSONDecoder().raw_decode(aws_managed_policies_data, at + len(mark))[0]
    return record
