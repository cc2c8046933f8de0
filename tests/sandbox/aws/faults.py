"""Breaking AWS calls, and reading which were made: for tests of whatever calls the sandbox's AWS API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.parts.settings import Settings


@dataclass(frozen=True)
class MadeCall:
    """One call: parameters by name only; of `resources` the values, lists where there may be several."""

    service: str
    action: str
    parameters: tuple[str, ...]
    resources: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One permission that somebody needed for a call."""

    principal: str
    action: str
    resource: str
    context: dict[str, list[str]]
    allowed: bool


class AwsFaults:
    """The faults and the journal of one AWS API server.

    `service` is the signing name (redshift, iam, ec2, s3, secretsmanager, sts), `action` the API's name of
    the operation (CreateCluster, PutObject), `resources` what it must be about (ClusterIdentifier="c"). A
    fault happens `times` times and is gone; boto3 repeats a call after most of them, so a client that is to
    see one needs as many, or a Config(retries={"total_max_attempts": 1}).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = urllib3.PoolManager()

    def error(self, service, action, code, *, message="a test's fault", status=400, times=1, **resources):
        """The next calls fail with an AWS error, and are not carried out."""
        self._add("error", service, action, times, resources, code=code, message=message, status=status)

    def drop(self, service, action, *, times=1, **resources):
        """The next calls find their connection closed, and are not carried out."""
        self._add("drop", service, action, times, resources)

    def drop_after(self, service, action, *, times=1, **resources):
        """The next calls are carried out, and their connection is closed without an answer."""
        self._add("drop_after", service, action, times, resources)

    def end_in(self, status, *, action="CreateCluster", times=1, **resources):
        """The next clusters end in a failed status, such as incompatible-network, instead of available."""
        self._add("state", "redshift", action, times, resources, code=status)

    def published(self) -> list[dict[str, Any]]:
        """What was published to topics of SNS."""
        return self._request("GET", "published")

    def pending(self) -> list[dict[str, Any]]:
        """The faults that have not happened yet."""
        return self._request("GET", "faults")

    def clear(self) -> None:
        """Forget the faults that have not happened yet."""
        self._request("DELETE", "faults")

    def calls(self, *services: str) -> list[MadeCall]:
        """The calls made so far, oldest first, those that a fault has broken included."""
        made = self._request("GET", "calls")
        return [
            MadeCall(**{**call, "parameters": tuple(call["parameters"])})
            for call in made
            if not services or call["service"] in services
        ]

    def actions(self, *services: str) -> list[str]:
        """The calls made so far as ``service:action``."""
        return [f"{call.service}:{call.action}" for call in self.calls(*services)]

    def forget_calls(self) -> None:
        """Begin the journal anew."""
        self._request("DELETE", "calls")

    def asked(self) -> list[Asked]:
        """The permissions asked for so far by others than the sandbox's own key, oldest first."""
        return [Asked(**one) for one in self._request("GET", "asked")]

    def forget_asked(self) -> None:
        """Begin that journal anew."""
        self._request("DELETE", "asked")

    def _add(self, kind, service, action, times, resources, **more):
        fault = {"service": service, "action": action, "kind": kind, "times": times, "resources": resources}
        self._request("POST", "faults", {**fault, **more})

    def _request(self, method: str, name: str, document: Any = None) -> Any:
        answer = admin_request(self._settings, method, name, document, http=self._http)
        assert answer.status == 200, answer.data.decode()
        return json.loads(answer.data)


def admin_request(settings, method, name, document=None, *, key_id=None, service="sandbox", http=None):
    """A signed request to the AWS API server's administration."""
    request = AWSRequest(
        method=method,
        url=f"{settings.aws_endpoint_url}/_sandbox/{name}",
        data=b"" if document is None else json.dumps(document).encode(),
    )
    credentials = Credentials(key_id or settings.aws_access_key_id, settings.aws_secret_access_key)
    SigV4Auth(credentials, service, settings.region).add_auth(request)
    prepared = request.prepare()
    client = http or urllib3.PoolManager()
    return client.request(method, prepared.url, body=prepared.body, headers=dict(prepared.headers))


@contextmanager
def aws_faults(settings: Settings) -> Iterator[AwsFaults]:
    """Faults that end with the block, and a journal that begins with it."""
    faults = AwsFaults(settings)
    faults.clear()
    faults.forget_calls()
    try:
        yield faults
    finally:
        faults.clear()
