"""Which AWS operation a request calls, on what: names of parameters, and values of identifiers only."""

import functools
import json
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.request import Request
from moto.core.routing import ServiceOperationRouter, get_service_router

from sandbox.aws import wsgi
from sandbox.aws.refusals import RefusalError
from sandbox.aws.wsgi import Environ

# Parameters whose values ARNs are made of. No secret is ever in one of them.
_IDENTIFIERS = frozenset(
    (
        *("ClusterIdentifier", "NewClusterIdentifier", "ClusterSubnetGroupName", "SnapshotIdentifier"),
        *("FinalClusterSnapshotIdentifier", "DbUser", "DbName", "DBName", "ResourceName"),
        *("IamRoles", "DefaultIamRoleArn", "AddIamRoles", "RemoveIamRoles"),
        *("RoleName", "RoleArn", "PolicyName", "PolicyArn", "UserName", "Path", "RoleSessionName"),
        *("GroupId", "GroupName", "VpcId", "SubnetId", "SubnetIds", "VpcSecurityGroupIds", "ResourceId"),
        *("SecretId", "Name", "TopicArn"),
        # Redshift Serverless
        *("namespaceName", "workgroupName", "dbName", "defaultIamRoleArn", "resourceArn", "usageLimitId"),
        *("snapshotName", "finalSnapshotName"),
        # The Data API
        *("Database", "WorkgroupName", "SecretArn"),
    )
)

_READ = "sandbox.call"  # where several layers ask, the first has read it


@dataclass(frozen=True)
class Call:
    """One request to an AWS service.

    Args:
        service: The service the request was signed for, e.g. ``redshift``.
        action: The operation's name, e.g. ``CreateCluster``; for S3, too. Empty where it is none.
        parameters: The names of the parameters given, sorted.
        resources: Identifiers by parameter name, for S3 ``Bucket`` and ``Key``; of several a list.
    """

    service: str
    action: str
    parameters: tuple[str, ...] = ()
    resources: Mapping[str, str | list[str]] = field(default_factory=dict)


def read(environ: Environ) -> Call:
    """The call a request makes; its body can be read again.

    Raises:
        RefusalError: It is a document that nobody should read.
    """
    found = environ.get(_READ)
    if not isinstance(found, Call):
        found = environ[_READ] = _read(environ)
    return found


def _read(environ: Environ) -> Call:
    service = str(environ.get(wsgi.SERVICE, ""))
    if service == "s3":
        return _read_s3(environ)
    if "HTTP_X_AMZ_TARGET" in environ:
        action = str(environ["HTTP_X_AMZ_TARGET"]).rpartition(".")[2]
        return _call(service, action, _json_items(wsgi.read_body(environ)))
    items = _form_items(environ)
    action = next((value for name, value in items if name == "Action"), "")
    return _call(service, action, [item for item in items if item[0] not in ("Action", "Version")])


def _call(service: str, action: str, items: Iterable[tuple[str, str]]) -> Call:
    """Names such as ``SubnetIds.SubnetIdentifier.1`` are items of the list they begin with."""
    names: set[str] = set()
    resources: dict[str, str | list[str]] = {}
    for full_name, value in items:
        name, *rest = full_name.split(".")
        names.add(name)
        if name not in _IDENTIFIERS:
            continue
        if rest:
            resources[name] = [*resources.get(name, []), value]
        else:
            resources[name] = value
    return Call(service, action, tuple(sorted(names)), resources)


def _form_items(environ: Environ) -> list[tuple[str, str]]:
    body = wsgi.read_body(environ).decode(errors="replace")
    return [
        item
        for text in (str(environ.get("QUERY_STRING", "")), body)
        for item in urllib.parse.parse_qsl(text, keep_blank_values=True)
    ]


def _json_items(body: bytes) -> list[tuple[str, str]]:
    try:
        document: Any = json.loads(body or b"{}")
    except ValueError:
        return []
    except RecursionError as error:
        raise RefusalError("400 Bad Request", "SerializationException", "It is too deep.") from error
    found: dict[str, object] = document if isinstance(document, dict) else {}
    return [(name, str(value)) for name, value in found.items()]


def _read_s3(environ: Environ) -> Call:
    bucket, key = wsgi.bucket_and_key(environ)
    query = urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    names = tuple(sorted({name for name, _ in query if not name.startswith("X-Amz-")}))
    given = {"Bucket": bucket, "Key": key}
    action = _s3_action(
        str(environ["REQUEST_METHOD"]),
        "/bucket/key" if key else "/bucket" if bucket else "/",
        str(environ.get("QUERY_STRING", "")),
        copies="HTTP_X_AMZ_COPY_SOURCE" in environ,
    )
    return Call("s3", action, names, {name: value for name, value in given.items() if value})


@functools.lru_cache(maxsize=256)  # thousands of objects are put and got in a row
def _s3_action(method: str, path: str, query: str, *, copies: bool) -> str:
    """The operation by method, path and query, from botocore's model of S3; empty where it has none."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.url_scheme": "http"}
    environ |= {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80"}
    if copies:
        environ["HTTP_X_AMZ_COPY_SOURCE"] = "/bucket/key"
    try:
        operation, _ = _s3_router().match(Request(environ))
    except Exception:  # whatever the router does not know is no operation
        return ""
    return str(operation.name)


@functools.cache
def _s3_router() -> ServiceOperationRouter:
    return get_service_router("s3")
