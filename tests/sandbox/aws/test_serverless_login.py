"""Logging in to Serverless: who one is, and what one may."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
import redshift_connector
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from botocore.exceptions import ClientError

from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER, code_of
from tests.sandbox.aws.networks import HERE, new_group, permission
from tests.sandbox.aws.test_clusters_login import remove_user
from tests.sandbox.redshift.endpoint_clients import Client, wait_until

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)


LOG_IN = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["redshift-serverless:GetCredentials", "redshift-serverless:GetWorkgroup"],
                "Resource": "*",
            }
        ],
    }
)


@pytest.fixture(scope="module")
def api(sandbox: Settings):
    return client(sandbox, "redshift-serverless")


@pytest.fixture(scope="module")
def workgroup(sandbox: Settings, api) -> Iterator[str]:
    """An available workgroup, before the session's own warehouse, whose administrator is `boss`."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    api.create_namespace(
        namespaceName=name, dbName="sparkify", adminUsername="boss", manageAdminPassword=True
    )
    wait_until(lambda: api.get_namespace(namespaceName=name)["namespace"]["status"] == "AVAILABLE")
    group = new_group(client(sandbox, "ec2"), permission(HERE))
    api.create_workgroup(workgroupName=name, namespaceName=name, securityGroupIds=[group])
    wait_until(lambda: api.get_workgroup(workgroupName=name)["workgroup"]["status"] == "AVAILABLE")
    yield name
    remove_user(sandbox, "boss")


@pytest.fixture
def key(sandbox: Settings) -> Iterator[dict[str, str]]:
    """The access key of an IAM user of the test's own."""
    iam, name = client(sandbox, "iam"), f"loader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name, Path="/teams/")
    iam.put_user_policy(UserName=name, PolicyName="log-in", PolicyDocument=LOG_IN)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    yield {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"], "user": name}
    remove_user(sandbox, f"IAM:{name}")


def connect(workgroup: str, key: dict[str, str], **options):
    """redshift_connector finds host, port, user and password by itself."""
    given = {"database": "sparkify", "region": "us-east-1", "iam_disable_cache": True, **options}
    keys = {name: value for name, value in key.items() if name != "user"}
    return redshift_connector.connect(
        iam=True, is_serverless=True, serverless_work_group=workgroup, **keys, **given
    )


def connect_admin(api, sandbox: Settings, workgroup: str):
    """The administrator's session, with the password that Redshift manages."""
    arn = api.get_namespace(namespaceName=workgroup)["namespace"]["adminPasswordSecretArn"]
    text = client(sandbox, "secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    endpoint = api.get_workgroup(workgroupName=workgroup)["workgroup"]["endpoint"]
    login = json.loads(text)
    return redshift_connector.connect(
        host=endpoint["address"],
        port=endpoint["port"],
        database="sparkify",
        user=login["username"],
        password=login["password"],
    )


def test_one_is_the_user_of_ones_identity_without_rights(workgroup: str, key):
    name = f"IAM:{key['user']}"
    with closing(connect(workgroup, key)) as connection:
        session = Client(connection)
        assert session.run("SELECT current_user") == [(name,)]
        assert session.run("SELECT usesuper FROM pg_user WHERE usename = current_user") == [(False,)]
        assert session.fail("CREATE SCHEMA mine")[0] == "42501"
        connection.rollback()
        assert "permission denied" in session.fail("CREATE USER other PASSWORD 'Other1Other'")[1]


def test_the_administrator_grants_what_is_needed(api, sandbox: Settings, workgroup: str, key):
    connect(workgroup, key).close()
    name, schema = f'"IAM:{key["user"]}"', f"s_{uuid.uuid4().hex[:8]}"
    with closing(connect_admin(api, sandbox, workgroup)) as admin:
        Client(admin).run(f"GRANT CREATE ON DATABASE sparkify TO {name}")
        admin.commit()
        with closing(connect(workgroup, key)) as connection:
            session = Client(connection)
            session.run(f"CREATE SCHEMA {schema}")
            session.run(f"CREATE TABLE {schema}.t (a INTEGER)")
            owner = session.run(f"SELECT tableowner FROM pg_tables WHERE schemaname = '{schema}'")
            assert owner == [(name.strip('"'),)]
        Client(admin).run(f"REVOKE CREATE ON DATABASE sparkify FROM {name}")
        admin.commit()


def test_a_role_is_its_own_user(sandbox: Settings, api, workgroup: str):
    iam, role = client(sandbox, "iam"), f"role-{uuid.uuid4().hex[:8]}"
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="log-in", PolicyDocument=LOG_IN)
    taken = client(sandbox, "sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    given = {
        "access_key_id": taken["AccessKeyId"],
        "secret_access_key": taken["SecretAccessKey"],
        "session_token": taken["SessionToken"],
    }
    with closing(connect(workgroup, given)) as connection:
        assert Client(connection).run("SELECT current_user") == [(f"IAMR:{role}",)]
    remove_user(sandbox, f"IAMR:{role}")


def test_load_errors_are_the_users_own(sandbox: Settings, workgroup: str, key, put):
    address = put(**{"bad.json": '{"a": "no number"}'})
    with closing(connect(workgroup, key)) as connection:
        session = Client(connection)
        session.run("CREATE TEMP TABLE t (a INTEGER)")
        connection.commit()
        session.fail(f"COPY t FROM '{address}' IAM_ROLE default FORMAT AS JSON 'auto'")
        connection.rollback()
        me = session.run("SELECT usesysid FROM pg_user WHERE usename = current_user")
        assert session.run("SELECT DISTINCT userid FROM stl_load_errors") == me


def test_credentials_are_for_a_time_and_an_available_workgroup(api, workgroup: str):
    given = {"workgroupName": workgroup, "dbName": "sparkify"}
    assert code_of(api.get_credentials, **given, durationSeconds=60) == "ValidationException"
    assert code_of(api.get_credentials, **given | {"dbName": "a:b"}) == "ValidationException"
    assert code_of(api.get_credentials, workgroupName="nobodys") == "ResourceNotFoundException"
    name = f"s-{uuid.uuid4().hex[:8]}"
    api.create_namespace(namespaceName=name)
    wait_until(lambda: api.get_namespace(namespaceName=name)["namespace"]["status"] == "AVAILABLE")
    api.create_workgroup(workgroupName=name, namespaceName=name)
    assert code_of(api.get_credentials, workgroupName=name) == "ValidationException"


def test_airflows_hook_logs_in(sandbox: Settings, workgroup: str, monkeypatch):
    connection = {
        "conn_type": "redshift",
        "schema": "sparkify",
        "extra": {
            "iam": True,
            "is_serverless": True,
            "serverless_work_group": workgroup,
            "region": sandbox.region,
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_SERVERLESS", json.dumps(connection))
    hook = RedshiftSQLHook(redshift_conn_id="redshift_serverless")
    # As GetCallerIdentity names the sandbox's own key.
    identity = client(sandbox, "sts").get_caller_identity()["Arn"].rpartition("/")[2]
    assert hook.get_first("SELECT current_user")[0] == f"IAM:{identity}"


@pytest.mark.parametrize("first", ["workgroup", "cluster"])
def test_a_name_is_of_one_kind(sandbox: Settings, api, workgroup: str, key, first):
    """Clusters' logins of a user have the form of Serverless's users, and all are one warehouse here."""
    redshift, name = client(sandbox, "redshift"), f"c-{uuid.uuid4().hex[:8]}"
    given = {key: value for key, value in CLUSTER.items() if key != "MasterUserPassword"}
    redshift.create_cluster(ClusterIdentifier=name, **given, ManageMasterPassword=True)
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    login = {"ClusterIdentifier": name, "DbUser": key["user"]}
    redshift.get_cluster_credentials(**login, AutoCreate=True)  # makes the user
    if first == "workgroup":
        connect(workgroup, key).close()
        assert code_of(redshift.get_cluster_credentials, **login) == "UnsupportedOperation"
    else:
        redshift.get_cluster_credentials(**login)
        with pytest.raises(ClientError, match="give the IAM user or the database user another name"):
            connect(workgroup, key)
    remove_user(sandbox, key["user"])
