"""The permissions that requests to the Redshift Data API need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_redshift-data.html
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html
"""

from dataclasses import replace

from sandbox.aws.access import others, redshift, serverless
from sandbox.aws.access.policy import Ask
from sandbox.aws.access.request import Request

# What connects to a database, and therefore needs a login.
_CONNECTING = frozenset(
    (
        *("ExecuteStatement", "BatchExecuteStatement"),
        *("ListDatabases", "ListSchemas", "ListTables", "DescribeTable"),
    )
)
# Management Guide: redshift-data:GetStatementResult allows both operations.
_ACTIONS = {"GetStatementResultV2": "GetStatementResult"}


def asks(request: Request) -> list[Ask]:
    """What a request has to be allowed."""
    action = _ACTIONS.get(request.action, request.action)
    if request.action not in _CONNECTING:
        return [request.ask(action, "*")]
    return [_target(request, action), *_login(request)]


def _target(request: Request, action: str) -> Ask:
    """The action itself, on the cluster or the workgroup."""
    if workgroup := request.get("WorkgroupName"):
        return replace(
            serverless.asks(_of_workgroup(request, workgroup))[0], action=f"redshift-data:{action}"
        )
    cluster = replace(request, service="redshift").arn(f"cluster:{request.get('ClusterIdentifier') or '*'}")
    return request.ask(action, cluster)


def _login(request: Request) -> list[Ask]:
    """What the login needs: the API reference names one action for each way."""
    if secret := request.get("SecretArn"):
        values = {"SecretId": secret}
        return others.secret_asks(
            replace(request, service="secretsmanager", action="GetSecretValue", values=values)
        )
    if workgroup := request.get("WorkgroupName"):
        return serverless.asks(_of_workgroup(request, workgroup))
    named = {"ClusterIdentifier": request.get("ClusterIdentifier"), "DbName": _database(request)}
    of_cluster = replace(request, service="redshift", values=named)
    if user := request.get("DbUser"):
        return redshift.asks(
            replace(of_cluster, action="GetClusterCredentials", values={**named, "DbUser": user})
        )
    arn = of_cluster.arn(f"dbname:{named['ClusterIdentifier']}/{named['DbName']}")
    return [of_cluster.ask("GetClusterCredentialsWithIAM", arn)]


def _of_workgroup(request: Request, workgroup: str) -> Request:
    values = {"workgroupName": workgroup}
    return replace(request, service="redshift-serverless", action="GetCredentials", values=values)


def _database(request: Request) -> str:
    return request.get("ConnectedDatabase") or request.get("Database")
