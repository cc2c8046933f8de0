"""The WSGI layer that answers for Redshift Serverless; everything else goes on to the layer below."""

from collections.abc import Callable, Iterable

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sts.models import sts_backends

from sandbox.aws import calls, lacking, wsgi
from sandbox.aws.clusters.models import ClusterBackend
from sandbox.aws.clusters.responses import LOCK
from sandbox.aws.json_api import send
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.serverless import namespaces, snapshots, usage_limits, workgroups
from sandbox.aws.serverless.account import REGIONS, Account
from sandbox.aws.serverless.messages import API, NAME, Values
from sandbox.aws.serverless.resources import Place
from sandbox.aws.wsgi import Application, Environ, StartResponse

# The end of a workgroup and of a namespace is seen in these services, too.
_SERVICES = {NAME, "ec2", "secretsmanager"}
_OPERATIONS: dict[str, Callable[[Account, Values], Values]] = {
    "CreateNamespace": namespaces.create_namespace,
    "GetNamespace": namespaces.get_namespace,
    "ListNamespaces": namespaces.list_namespaces,
    "UpdateNamespace": namespaces.update_namespace,
    "DeleteNamespace": namespaces.delete_namespace,
    "TagResource": namespaces.tag_resource,
    "UntagResource": namespaces.untag_resource,
    "ListTagsForResource": namespaces.list_tags_for_resource,
    "CreateWorkgroup": workgroups.create_workgroup,
    "GetWorkgroup": workgroups.get_workgroup,
    "ListWorkgroups": workgroups.list_workgroups,
    "UpdateWorkgroup": workgroups.update_workgroup,
    "DeleteWorkgroup": workgroups.delete_workgroup,
    "CreateUsageLimit": usage_limits.create_usage_limit,
    "GetUsageLimit": usage_limits.get_usage_limit,
    "ListUsageLimits": usage_limits.list_usage_limits,
    "UpdateUsageLimit": usage_limits.update_usage_limit,
    "DeleteUsageLimit": usage_limits.delete_usage_limit,
    "CreateSnapshot": snapshots.create_snapshot,
    "GetSnapshot": snapshots.get_snapshot,
    "ListSnapshots": snapshots.list_snapshots,
    "DeleteSnapshot": snapshots.delete_snapshot,
    "RestoreFromSnapshot": snapshots.restore_from_snapshot,
}


class Serverless:
    """A WSGI layer before that of clusters, whose clock and users it shares. One for each process.

    Args:
        application: The layer below.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        REGIONS.clear()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let what is due happen, then answer or pass the request on."""
        service = environ.get(wsgi.SERVICE)
        if service not in _SERVICES:
            return self._application(environ, start_response)
        try:
            with LOCK:
                self._settle()
                if service == NAME:
                    return self._answer(environ, start_response)
                self._check_group(environ)
        except RefusalError as error:
            return respond(error, environ, start_response)
        answer = self._application(environ, start_response)
        with LOCK:
            self._guard()
        return answer

    def _guard(self) -> None:
        """What a request changes in security groups holds before it is answered."""
        for account in REGIONS.values():
            account.guard()

    def _settle(self) -> None:
        ClusterBackend.surroundings.clock.tick()
        for account in REGIONS.values():
            account.settle()

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        action = str(environ.get("HTTP_X_AMZ_TARGET", "")).removeprefix("RedshiftServerless.")
        values = API.read(action, wsgi.read_body(environ))
        account = self._account(environ[wsgi.REGION])
        if action == "GetCredentials":
            answer = workgroups.get_credentials(account, values, caller_of(environ))
        elif action in _OPERATIONS:
            answer = _OPERATIONS[action](account, values)
        else:
            raise lacking.refusal(NAME, action)
        self._guard()
        return send(API.write(action, answer), start_response)

    def _account(self, region: str) -> Account:
        if region not in REGIONS:
            place = Place(region, DEFAULT_ACCOUNT_ID, ClusterBackend.surroundings)
            REGIONS[region] = Account(place, ClusterBackend.users)
        return REGIONS[region]

    def _check_group(self, environ: Environ) -> None:
        """Refuse to delete a security group that a workgroup's network interfaces are in."""
        if environ[wsgi.SERVICE] != "ec2":
            return
        call = calls.read(environ)
        used = {
            group
            for account in REGIONS.values()
            for workgroup in account.workgroups.values()
            for group in workgroup.describe()["securityGroupIds"]
        }
        if call.action == "DeleteSecurityGroup" and call.resources.get("GroupId") in used:
            message = f"resource {call.resources['GroupId']} has a dependent object"
            raise RefusalError("400 Bad Request", "DependencyViolation", message)


def caller_of(environ: Environ) -> str:
    """The ARN of who has signed the request, as GetCallerIdentity tells it."""
    backend = sts_backends[DEFAULT_ACCOUNT_ID]["aws"]
    _, arn, _ = backend.get_caller_identity(str(environ[wsgi.ACCESS_KEY_ID]), environ[wsgi.REGION])
    return str(arn)
