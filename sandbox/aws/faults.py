"""Faults that tests ask for, and the journal of calls.

Requests below ``/_sandbox/``, signed with the sandbox's own key for the service ``sandbox``:

    POST   /_sandbox/faults   add one fault (a JSON object, see `Fault`)
    GET    /_sandbox/faults   the faults that are still to come
    DELETE /_sandbox/faults   forget them
    GET    /_sandbox/calls    the calls made so far, oldest first
    DELETE /_sandbox/calls    forget them
    GET    /_sandbox/asked    the permissions that were asked for, oldest first (`access`)
    DELETE /_sandbox/asked    forget them
    GET    /_sandbox/published what was published to topics of SNS
    POST   /_sandbox/role     may a database user take a role? (see `roles.refusal`)
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from typing import Any

from sandbox.aws import calls, documents, lacking, topics, wsgi
from sandbox.aws.access.layer import Access
from sandbox.aws.calls import Call
from sandbox.aws.clusters import roles
from sandbox.aws.clusters.cluster import FAILED
from sandbox.aws.clusters.models import OUTCOME
from sandbox.aws.journal import Journal
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Environ, StartResponse

PREFIX = "/_sandbox/"
ADMIN_SERVICE = "sandbox"
OWNERS_ONLY = "Only the sandbox's own key, signing for the service `sandbox`, may do this."

_KINDS = {"error", "drop", "drop_after", "state"}


class DroppedError(ConnectionError):
    """The connection is to be closed without an answer."""


@dataclass(frozen=True)
class Fault:
    """What happens to the next calls of one operation.

    Args:
        service: The service's signing name, e.g. ``redshift``.
        action: The operation, e.g. ``CreateCluster``; S3's by the API's names, e.g. ``PutObject``.
        kind: ``error`` answers with an AWS error; ``drop`` closes the connection before the call is carried
            out, ``drop_after`` when it has been; ``state`` lets a new cluster end in the status `code`.
        code: The AWS error code, or the status.
        message: The AWS error's message.
        status: The AWS error's HTTP status.
        times: How many calls it happens to. (boto3 repeats what it takes for passing.)
        resources: Only calls with these identifiers, e.g. ``{"ClusterIdentifier": "c"}``.
    """

    service: str
    action: str
    kind: str
    code: str = "InternalFailure"
    message: str = "a fault a test asked for"
    status: int = 500
    times: int = 1
    resources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"kind is {self.kind!r}, not one of {', '.join(sorted(_KINDS))}")
        if self.kind == "state" and self.code not in FAILED:
            raise ValueError(f"code is {self.code!r}, not one of {', '.join(sorted(FAILED))}")
        HTTPStatus(self.status)

    def fits(self, call: Call) -> bool:
        """Whether it happens to this call."""
        names = (self.service, self.action) == (call.service, call.action)
        return names and all(call.resources.get(name) == value for name, value in self.resources.items())


class Faults:
    """A WSGI layer that writes down every call, and breaks those it was asked to.

    Args:
        application: The layer below, which asks for permissions.
        owner: The access key id that may ask.
    """

    def __init__(self, application: Access, owner: str) -> None:
        self._application = application
        self._owner = owner
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._calls = Journal()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Write the call down, and carry it out unless a fault forbids."""
        if wsgi.raw_path(environ).startswith(PREFIX) or environ[wsgi.SERVICE] == ADMIN_SERVICE:
            return self._administer(environ, start_response)
        try:
            documents.check(environ)
            call = calls.read(environ)
            lacking.check(call)
        except RefusalError as error:
            return respond(error, environ, start_response)
        self._calls.note(vars(call))
        fault = self._take(call)
        if fault is None:
            return self._application(environ, start_response)
        return self._break(fault, environ, start_response)

    def _take(self, call: Call) -> Fault | None:
        """The first fault that fits, which has then happened once more."""
        with self._lock:
            for number, fault in enumerate(self._faults):
                if fault.fits(call):
                    rest = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                    self._faults[number : number + 1] = rest
                    return fault
        return None

    def _break(self, fault: Fault, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        match fault.kind:
            case "error":
                status = f"{fault.status} {HTTPStatus(fault.status).phrase}"
                return respond(RefusalError(status, fault.code, fault.message), environ, start_response)
            case "drop":
                raise DroppedError
            case "drop_after":
                self._application(environ, lambda *_: None)
                raise DroppedError
            case _:
                token = OUTCOME.set(fault.code)
                try:
                    return self._application(environ, start_response)
                finally:
                    OUTCOME.reset(token)

    def _administer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        operations: dict[tuple[str, str], Callable[[bytes], object]] = {
            ("POST", "faults"): self._add,
            ("GET", "faults"): lambda _: [asdict(fault) for fault in self._faults],
            ("DELETE", "faults"): lambda _: self._faults.clear(),
            ("GET", "calls"): lambda _: self._calls.read(),
            ("DELETE", "calls"): lambda _: self._calls.forget(),
            ("GET", "asked"): lambda _: self._application.asked(),
            ("DELETE", "asked"): lambda _: self._application.forget(),
            ("GET", "published"): lambda _: topics.published(),
            ("POST", "role"): lambda body: roles.refusal(**json.loads(body)),
        }
        name = environ["REQUEST_METHOD"], wsgi.raw_path(environ).removeprefix(PREFIX)
        owns = environ.get(wsgi.ACCESS_KEY_ID) == self._owner and environ.get(wsgi.SERVICE) == ADMIN_SERVICE
        if not owns or name not in operations:
            error = RefusalError("403 Forbidden", "AccessDenied", OWNERS_ONLY)
            return respond(error, environ, start_response)
        try:
            with self._lock:
                answer = operations[name](wsgi.read_body(environ))
        except (TypeError, ValueError) as error:
            return respond(
                RefusalError("400 Bad Request", "ValidationError", str(error)), environ, start_response
            )
        return _answer(answer, start_response)

    def _add(self, body: bytes) -> None:
        document: dict[str, Any] = json.loads(body)
        self._faults.append(Fault(**document))


def _answer(document: object, start_response: StartResponse) -> list[bytes]:
    body = json.dumps(document).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
