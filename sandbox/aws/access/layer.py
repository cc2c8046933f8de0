"""The WSGI layer that lets a request pass if policies allow all that it needs."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sandbox.aws import wsgi
from sandbox.aws.access import (
    aws_policies,
    data_api,
    deleting,
    iam,
    others,
    principals,
    quotas,
    redshift,
    s3,
    serverless,
)
from sandbox.aws.access import request as requests
from sandbox.aws.access.policy import Ask
from sandbox.aws.access.principals import Principal
from sandbox.aws.access.request import Request
from sandbox.aws.journal import Journal
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Application, Environ, StartResponse
from sandbox.parts.settings import ROLE_HEADER

# What a service's requests need; one that is not here needs its action on any resource.
ASKS: dict[str, Callable[[Request], list[Ask]]] = {
    "s3": s3.asks,
    "iam": iam.asks,
    "sts": iam.sts_asks,
    "redshift": redshift.asks,
    "redshift-serverless": serverless.asks,
    "redshift-data": data_api.asks,
    "ec2": others.ec2_asks,
    "secretsmanager": others.secret_asks,
    "sns": others.topic_asks,
}


class Access:
    """A WSGI layer below that of signatures.

    The sandbox's own key may do everything, others what policies say.

    Args:
        application: The layer below.
        owner: The sandbox's own access key id.
    """

    def __init__(self, application: Application, owner: str) -> None:
        self._application = application
        self._owner = owner
        self._journal = Journal()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Carry a request out if it is allowed and IAM has room for what it brings."""
        service, caller = environ[wsgi.SERVICE], self._caller(environ)
        if caller is None and service != "iam":
            return self._application(environ, start_response)
        try:
            request = requests.read(environ, caller.user if caller else "")
            if service == "iam":
                for name in ("PolicyArn", "PermissionsBoundary"):
                    aws_policies.know(principals.backend(), request.get(name))
            if caller is not None:
                self._check(request, caller)
            if service == "iam":
                quotas.check(request)
        except RefusalError as error:
            return respond(error, environ, start_response)
        if caller is not None and request.action == "DeleteObjects":
            return deleting.carry_out(
                request, self._reason(request, caller), self._application, start_response
            )
        return self._application(environ, start_response)

    def _caller(self, environ: Environ) -> Principal | None:
        """Whose policies count; None where everything is allowed."""
        key = str(environ[wsgi.ACCESS_KEY_ID])
        if key != self._owner:
            return principals.of_key(key) or Principal(
                f"arn:aws:iam::{requests.ACCOUNT}:user/", (), None, None, {}
            )
        role = wsgi.header(environ, ROLE_HEADER.lower())
        return principals.of_redshift(role) if role else None

    def asked(self) -> list[dict[str, Any]]:
        """The permissions asked for so far, oldest first, each with who asked and whether it was given."""
        return self._journal.read()

    def forget(self) -> None:
        """Begin the journal anew."""
        self._journal.forget()

    def _check(self, request: Request, caller: Principal) -> None:
        """Refuse a request that lacks a permission.

        Raises:
            RefusalError: It does.
        """
        refuses = self._reason(request, caller)
        asks = ASKS.get(request.service, others.plain_asks)(request)
        if request.service == "s3" and s3.finds_nothing(request):
            asks.append(request.ask("ListBucket", f"arn:aws:s3:::{request.get('Bucket')}"))
        for ask in asks:
            if message := refuses(ask):
                raise _denied(request, message)

    def _reason(self, request: Request, caller: Principal) -> Callable[[Ask], str]:
        """What tells why a permission is not given, as errors say it, and notes that it was asked for."""

        def refuse(ask: Ask) -> str:
            full = _complete(ask, request, caller)
            reason = _refusal(request, caller, full)
            self._journal.note({"principal": caller.arn, **vars(full), "allowed": not reason})
            resource = f'"{ask.resource}"' if request.service == "s3" else ask.resource
            words = f"is not authorized to perform: {ask.action} on resource: {resource}"
            return reason and f"User: {caller.arn} {words} {reason}"

        return refuse


def _refusal(request: Request, caller: Principal, ask: Ask) -> str:
    """Why a permission is not given; empty where it is."""
    reason = caller.refuses(ask)
    if request.action != "AssumeRole" or "explicit deny" in reason:
        return reason
    trusted, enough = iam.trusts(request.get("RoleArn"), ask, caller)
    if not trusted:
        return reason or "because no resource-based policy allows the sts:AssumeRole action"
    return "" if enough else reason


def _complete(ask: Ask, request: Request, caller: Principal) -> Ask:
    """The permission with what every request tells of itself and its caller.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    The sandbox's HTTP never leaves this machine and passes for TLS.
    """
    known = {
        "aws:SecureTransport": ["true"],
        "aws:RequestedRegion": [request.region],
        "aws:ResourceAccount": [requests.ACCOUNT],
        "aws:SourceIp": [str(request.headers.get("REMOTE_ADDR", "127.0.0.1"))],
        "aws:CurrentTime": [datetime.now(UTC).isoformat(timespec="seconds")],
    }
    if "aws:userid" in caller.context:  # only own statements are found, whoever asks
        known["redshift-data:statement-owner-iam-userid"] = list(caller.context["aws:userid"])
    return Ask(ask.action, ask.resource, {**known, **caller.context, **ask.context})


def _denied(request: Request, text: str) -> RefusalError:
    """The error of the request's service.

    EC2 begins with a sentence of its own and has a code of its own; services that speak JSON end theirs in
    Exception and answer 400.
    """
    if request.service == "ec2":
        text = f"You are not authorized to perform this operation. {text}"
        return RefusalError("403 Forbidden", "UnauthorizedOperation", text)
    if "HTTP_X_AMZ_TARGET" in request.headers:
        return RefusalError("400 Bad Request", "AccessDeniedException", text)
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
    code = "AuthorizationError" if request.service == "sns" else "AccessDenied"
    return RefusalError("403 Forbidden", code, text)
