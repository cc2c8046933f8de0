"""Taking the COPY's role, which its trust policy may leave to some database users."""

import json

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.credentials import Authorization
from sandbox.redshift.copy.errors import CopyError, s3_error

_TIMEOUT = urllib3.Timeout(connect=5, read=60)


def take_role(settings: Settings, authorization: Authorization, user: str) -> None:
    """Make sure that a database user may take the COPY's role; of several the first, which takes the others.

    Args:
        settings: Where the AWS API server is, which knows the roles.
        authorization: What the COPY says.
        user: The session's user.

    Raises:
        CopyError: The role's trust policy does not admit the user, or the server does not answer.
    """
    if authorization.iam_role is None:
        return
    role = authorization.iam_role.split(",", 1)[0]
    refused = _ask(settings, {"role": role, "user": user})
    if refused:
        # As recorded in public reports, e.g. github.com/fullstorydev/hauser/issues/10.
        raise s3_error(
            f"User {refused['user']} is not authorized to assume IAM Role {refused['role']}",
            context=f"IAM Role={refused['role']}",
        )


def _ask(settings: Settings, question: dict[str, str]) -> dict[str, str]:
    url = f"{settings.aws_endpoint_url}/_sandbox/role"
    request = AWSRequest("POST", url, data=json.dumps(question))
    key = Credentials(settings.aws_access_key_id, settings.aws_secret_access_key)
    SigV4Auth(key, "sandbox", settings.region).add_auth(request)
    try:
        answer = urllib3.request(
            "POST", url, body=request.body, headers=dict(request.headers.items()), timeout=_TIMEOUT, retries=3
        )
    except urllib3.exceptions.HTTPError as error:
        raise _unreachable(settings, str(error)) from error
    if answer.status != 200:
        raise _unreachable(settings, f"status {answer.status}")
    found: dict[str, str] = json.loads(answer.data)
    return found


def _unreachable(settings: Settings, reason: str) -> CopyError:
    return s3_error(
        f"S3 does not answer at {settings.aws_endpoint_url}: {reason}",
        hint="Is the sandbox's AWS API server up? See `python -m sandbox status`.",
    )
