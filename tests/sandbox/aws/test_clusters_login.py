"""Logging in to a cluster: temporary passwords, master users, and what such a session is."""

import json
import uuid
from contextlib import closing

import psycopg
import pytest
import redshift_connector
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from psycopg import sql

from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER
from tests.sandbox.aws.networks import HERE, new_group, permission
from tests.sandbox.redshift.copying import admin_connection
from tests.sandbox.redshift.endpoint_clients import Client, admin_rows, connect_psycopg, connect_redshift

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)


@pytest.fixture(scope="module")
def redshift_api(sandbox: Settings):
    return client(sandbox, "redshift")


@pytest.fixture(scope="module")
def cluster(sandbox: Settings, redshift_api) -> str:
    """An available cluster, before the session's own warehouse."""
    name = f"c-{uuid.uuid4().hex[:8]}"
    group = new_group(client(sandbox, "ec2"), permission(HERE))
    redshift_api.create_cluster(ClusterIdentifier=name, VpcSecurityGroupIds=[group], **CLUSTER)
    redshift_api.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    return name


@pytest.fixture
def user(sandbox: Settings):
    """The name of a user of the test's own, removed with all it has made."""
    name = f"user_{uuid.uuid4().hex[:8]}"
    yield name
    remove_user(sandbox, name)


def remove_user(sandbox: Settings, name: str) -> None:
    with admin_connection(sandbox, autocommit=True) as connection:
        for role in (f"IAM:{name}", f"IAMA:{name}", name):
            if admin_rows(sandbox, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
                connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def connect_iam(cluster: str, user: str, **options):
    """redshift_connector finds host, port and password by itself."""
    given = {"database": "sparkify", "region": "us-east-1", "iam_disable_cache": True, **options}
    return redshift_connector.connect(iam=True, cluster_identifier=cluster, db_user=user, **given)


def credentials(redshift_api, cluster: str, user: str, **more) -> dict:
    return redshift_api.get_cluster_credentials(ClusterIdentifier=cluster, DbUser=user, **more)


def test_an_iam_login_finds_the_endpoint_and_is_the_user(sandbox: Settings, cluster: str):
    with closing(connect_iam(cluster, sandbox.user)) as connection:
        session = Client(connection)
        assert session.run("SELECT current_user") == [(sandbox.user,)]
        session.run("CREATE TEMP TABLE mine (a INTEGER)")
        session.run("INSERT INTO mine VALUES (1)")
        assert session.run("SELECT a FROM mine") == [(1,)]


def test_redshift_connector_refuses_iam_without_encryption(cluster: str):
    with pytest.raises(redshift_connector.InterfaceError, match="SSL must be enabled when using IAM"):
        connect_iam(cluster, "sparkify", ssl=False)


def test_what_an_iam_login_makes_belongs_to_the_user(sandbox: Settings, cluster: str, user: str):
    with closing(connect_iam(cluster, user, auto_create=True)) as connection:
        session = Client(connection)
        session.run(f"CREATE TABLE {user}_t (a INTEGER)")
        connection.commit()
        owners = session.run(f"SELECT tableowner FROM pg_tables WHERE tablename = '{user}_t'")
        assert owners == [(user,)]
        session.run(f"TRUNCATE {user}_t")
        session.run(f"DROP TABLE {user}_t")
        connection.commit()


def test_a_new_user_is_made_only_on_demand(sandbox: Settings, redshift_api, cluster: str, user: str):
    login = credentials(redshift_api, cluster, user)
    assert login["DbUser"] == f"IAM:{user}"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect_psycopg(sandbox, user=login["DbUser"], password=login["DbPassword"])
    assert admin_rows(sandbox, "SELECT 1 FROM pg_roles WHERE rolname LIKE %s", f"%{user}") == []

    made = credentials(redshift_api, cluster, user, AutoCreate=True)
    assert made["DbUser"] == f"IAMA:{user}"
    with connect_psycopg(sandbox, user=made["DbUser"], password=made["DbPassword"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (user,)

    login = credentials(redshift_api, cluster, user)
    with connect_psycopg(sandbox, user=login["DbUser"], password=login["DbPassword"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (user,)


def test_pg_user_shows_users_and_not_their_logins(sandbox: Settings, redshift_api, cluster: str, user: str):
    credentials(redshift_api, cluster, user, AutoCreate=True)
    with connect_psycopg(sandbox) as connection:
        names = {name for (name,) in connection.execute("SELECT usename FROM pg_user")}
    assert {sandbox.user, user} <= names
    assert not {name for name in names if ":" in name}


def test_a_password_ends_at_the_time_that_was_told(sandbox: Settings, redshift_api, cluster: str, user: str):
    login = credentials(redshift_api, cluster, user, AutoCreate=True, DurationSeconds=900)
    ends = "SELECT valuntil FROM pg_shadow WHERE usename = %s"
    ((end,),) = admin_rows(sandbox, ends, login["DbUser"])
    assert abs((end - login["Expiration"]).total_seconds()) < 2
    with admin_connection(sandbox, autocommit=True) as connection:
        statement = sql.SQL("ALTER ROLE {} VALID UNTIL 'yesterday'")
        connection.execute(statement.format(sql.Identifier(login["DbUser"])))
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect_psycopg(sandbox, user=login["DbUser"], password=login["DbPassword"])


def test_a_password_survives_the_next_one(sandbox: Settings, redshift_api, cluster: str, user: str):
    first = credentials(redshift_api, cluster, user, AutoCreate=True, DurationSeconds=3600)
    credentials(redshift_api, cluster, user, AutoCreate=True, DurationSeconds=900)
    with connect_psycopg(sandbox, user=first["DbUser"], password=first["DbPassword"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (user,)
    ends = "SELECT valuntil FROM pg_shadow WHERE usename = %s"
    ((end,),) = admin_rows(sandbox, ends, first["DbUser"])
    assert abs((end - first["Expiration"]).total_seconds()) < 2


def test_an_awkward_name_stays_one_name(sandbox: Settings, redshift_api, cluster: str, user: str):
    name = f"{user}.o+x@example-1"
    login = credentials(redshift_api, cluster, name, AutoCreate=True)
    try:
        with connect_psycopg(sandbox, user=login["DbUser"], password=login["DbPassword"]) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (name,)
    finally:
        remove_user(sandbox, name)


def test_each_user_reads_its_own_load_errors(sandbox: Settings, cluster: str, user: str, put):
    address = put(**{"bad.json": '{"a": "no number"}'})
    copy = f"COPY t FROM '{address}' IAM_ROLE default FORMAT AS JSON 'auto'"
    errors = "SELECT count(*) FROM stl_load_errors WHERE filename LIKE %s"
    with closing(connect_iam(cluster, user, auto_create=True)) as connection:
        session = Client(connection)
        session.run("CREATE TEMP TABLE t (a INTEGER)")
        connection.commit()
        assert "stl_load_errors" in session.fail(copy)[1]
        connection.rollback()
        assert session.run(errors, f"{address}%") == [(1,)]
        me = session.run("SELECT usesysid FROM pg_user WHERE usename = current_user")
        seen = "SELECT DISTINCT userid FROM stl_load_errors"
        assert session.run(seen) == me
    with closing(connect_redshift(sandbox)) as connection:
        assert Client(connection).run(errors, f"{address}%") == [(0,)]


def test_airflows_hook_logs_in_by_iam_and_reads_a_load_error_back(
    sandbox: Settings, cluster: str, put, monkeypatch
):
    connection = {
        "conn_type": "redshift",
        "login": sandbox.user,
        "schema": sandbox.database,
        "extra": {
            "iam": True,
            "cluster_identifier": cluster,
            "region": sandbox.region,
            "db_user": sandbox.user,
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_IAM", json.dumps(connection))
    hook = RedshiftSQLHook(redshift_conn_id="redshift_iam")
    assert hook.get_first("SELECT current_user")[0] == sandbox.user
    address = put(**{"good.json": '{"a": 1}', "bad.json": '{"a": "no number"}'})
    with closing(hook.get_conn()) as connected:
        session = Client(connected)
        session.run("CREATE TEMP TABLE t (a INTEGER)")
        session.run(f"COPY t FROM '{address}good' IAM_ROLE default FORMAT AS JSON 'auto'")
        assert session.run("SELECT a FROM t") == [(1,)]
        connected.commit()
        session.fail(f"COPY t FROM '{address}bad' IAM_ROLE default FORMAT AS JSON 'auto'")
        connected.rollback()
        found = session.run(
            "SELECT trim(column_name), line_number FROM sys_load_error_detail WHERE file_name LIKE %s",
            f"{address}%",
        )
        assert found == [("a", 1)]


def test_the_master_user_has_the_rights_of_the_warehouses_own(sandbox: Settings, redshift_api, user: str):
    password, table = "Master1Master", f"{user}_t"
    given = {**CLUSTER, "MasterUsername": user, "MasterUserPassword": password}
    redshift_api.create_cluster(ClusterIdentifier=f"m-{table}".replace("_", "-"), **given)
    with connect_psycopg(sandbox) as owner, connect_psycopg(sandbox, user=user, password=password) as master:
        owner.execute(f"CREATE TABLE {table} (a INTEGER)")
        master.execute(f"INSERT INTO {table} VALUES (1)")
        master.execute(f"ALTER TABLE {table} ADD COLUMN b INTEGER")
        master.execute(f"DROP TABLE {table}")
        master.execute(f"CREATE SCHEMA {user}_s")


def test_a_managed_master_password_logs_in_and_ends_with_its_cluster(
    sandbox: Settings, redshift_api, user: str
):
    name = user.replace("_", "-")
    given = {key: value for key, value in CLUSTER.items() if key != "MasterUserPassword"}
    made = redshift_api.create_cluster(
        ClusterIdentifier=name, **{**given, "MasterUsername": user}, ManageMasterPassword=True
    )["Cluster"]
    secrets = client(sandbox, "secretsmanager")
    text = secrets.get_secret_value(SecretId=made["MasterPasswordSecretArn"])["SecretString"]
    login = {"user": user, "password": json.loads(text)["password"]}
    connect_psycopg(sandbox, **login).close()

    redshift_api.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    redshift_api.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    redshift_api.get_waiter("cluster_deleted").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect_psycopg(sandbox, **login)


def test_a_new_master_password_replaces_the_old_one(sandbox: Settings, redshift_api, user: str):
    name = user.replace("_", "-")
    given = {**CLUSTER, "MasterUsername": user, "MasterUserPassword": "First1First"}
    redshift_api.create_cluster(ClusterIdentifier=name, **given)
    redshift_api.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    redshift_api.modify_cluster(ClusterIdentifier=name, MasterUserPassword="Second2Second")
    connect_psycopg(sandbox, user=user, password="Second2Second").close()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect_psycopg(sandbox, user=user, password="First1First")


def test_the_warehouses_own_user_keeps_its_password(sandbox: Settings, cluster: str):
    assert cluster
    connect_psycopg(sandbox).close()


def test_no_password_is_in_a_log(sandbox: Settings, redshift_api, cluster: str, user: str):
    login = credentials(redshift_api, cluster, user, AutoCreate=True)
    made = redshift_api.create_cluster(
        ClusterIdentifier=user.replace("_", "-"),
        **{**CLUSTER, "MasterUsername": user, "MasterUserPassword": "Logged1Logged"},
    )
    assert made
    text = "".join(path.read_text(errors="replace") for path in sandbox.logs_dir.iterdir())
    assert login["DbPassword"] not in text
    assert "Logged1Logged" not in text
