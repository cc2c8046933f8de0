"""What the database user of the loads may do on Serverless, granted by the administrator."""

import json

import redshift_connector
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from redshift_connector.core import Connection

from sparkify.aws import Aws
from sparkify.cluster.plan import ClusterPlan
from sparkify.cluster.status import CONN_ID
from sparkify.cluster.workgroup import find_namespace, find_workgroup
from sparkify.failures import FatalError

READERS = "analysts"


def give_rights(aws: Aws, plan: ClusterPlan) -> str:
    """Let the connection's user make schemas, and make the group of readers; return what was done.

    On Serverless one logs in as the user of one's IAM identity, which the first login makes and which may do
    nothing; only a superuser makes groups. A cluster's connection logs in as its master user.

    Raises:
        FatalError: namespace or workgroup are missing.
    """
    if plan.kind != "serverless":
        return f"The connection of {plan.identifier} logs in as its master user: nothing to grant."
    [user] = RedshiftSQLHook(redshift_conn_id=CONN_ID).get_first("SELECT current_user") or [""]
    with _connect(aws, plan) as connection, connection.cursor() as cursor:
        if not cursor.execute("SELECT 1 FROM pg_group WHERE groname = %s", (READERS,)).fetchall():
            cursor.execute(f"CREATE GROUP {READERS}")
        name, database = _quote(user), _quote(plan.database)
        cursor.execute(f"GRANT CREATE ON DATABASE {database} TO {name}")
        cursor.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {name} WITH GRANT OPTION")
        connection.commit()
    return f"{user} may make schemas in {plan.database}; the group {READERS} is there."


def _connect(aws: Aws, plan: ClusterPlan) -> Connection:
    """Open a session of the administrator, whose password AWS keeps and nobody else needs."""
    namespace, workgroup = find_namespace(aws, plan.identifier), find_workgroup(aws, plan.identifier)
    if namespace is None or workgroup is None or "endpoint" not in workgroup:
        raise FatalError(f"The cluster {plan.identifier} is not there: run the steps before this one.")
    secret = aws.secrets.get_secret_value(SecretId=namespace["adminPasswordSecretArn"])["SecretString"]
    login = json.loads(secret)
    return redshift_connector.connect(
        host=workgroup["endpoint"]["address"],
        port=workgroup["endpoint"]["port"],
        database=plan.database,
        user=login["username"],
        password=login["password"],
        application_name="sparkify",
    )


def _quote(name: str) -> str:
    """Return an identifier with its letters as they are: names of IAM identities have capitals."""
    return '"' + name.replace('"', '""') + '"'
