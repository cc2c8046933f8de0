"""The WSGI layer of clusters: the clock goes on, what has been deleted disappears, groups in use stay."""

from collections.abc import Iterable

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.redshift.models import redshift_backends

from sandbox.aws import calls, wsgi
from sandbox.aws.clusters.cluster import Surroundings
from sandbox.aws.clusters.course import Clock
from sandbox.aws.clusters.models import ClusterBackend
from sandbox.aws.clusters.responses import LOCK
from sandbox.aws.clusters.users import Users
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.wsgi import Application, Environ, StartResponse
from sandbox.parts.settings import Settings

# A cluster's end is seen in these services: its network interfaces and its secret go with it.
_SERVICES = {"redshift", "ec2", "secretsmanager"}


class Clusters:
    """A WSGI layer before moto, whose Redshift it replaces by the sandbox's. One for each process.

    Args:
        application: The layer below.
        settings: The sandbox.
    """

    def __init__(self, application: Application, settings: Settings) -> None:
        self._application = application
        self._clock = Clock()
        ClusterBackend.surroundings = Surroundings(
            clock=self._clock,
            seconds=settings.cluster_seconds,
            role_seconds=settings.role_seconds,
            caller=settings.caller_address,
            host=settings.host,
            address=settings.aws_host,
            endpoint=(settings.redshift_host, settings.redshift_port),
        )
        ClusterBackend.users = Users(settings)
        redshift_backends.backend = ClusterBackend

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let what is due happen, then carry the request out."""
        service = environ.get(wsgi.SERVICE)
        if service not in _SERVICES:
            return self._application(environ, start_response)
        with LOCK:
            self._settle()
            try:
                self._check_group(environ)
            except RefusalError as error:
                return respond(error, environ, start_response)
            if service == "redshift":
                return self._answer(environ, start_response)
        return self._answer(environ, start_response)

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Carry the request out; what it changes in security groups holds before it is answered."""
        answer = self._application(environ, start_response)
        with LOCK:
            for backend in self._backends():
                backend.guard()
        return answer

    def _settle(self) -> None:
        self._clock.tick()
        for backend in self._backends():
            backend.settle()

    def _check_group(self, environ: Environ) -> None:
        """Refuse to delete a security group that a cluster's network interfaces are in."""
        if environ[wsgi.SERVICE] != "ec2":
            return
        call = calls.read(environ)
        group_id = call.resources.get("GroupId", "")
        if call.action == "DeleteSecurityGroup" and any(
            backend.uses_security_group(str(group_id)) for backend in self._backends()
        ):
            message = f"resource {group_id} has a dependent object"
            raise RefusalError("400 Bad Request", "DependencyViolation", message)

    def _backends(self) -> list[ClusterBackend]:
        found = list(redshift_backends[DEFAULT_ACCOUNT_ID].values())
        return [backend for backend in found if isinstance(backend, ClusterBackend)]
