"""Who may use the Data API, as whom its statements run, and Airflow's operator on it."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator

from sandbox.parts import environment
from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.data_api_fixtures import DataApi, code_and_words
from tests.sandbox.aws.test_clusters_login import remove_user
from tests.sandbox.redshift.endpoint_clients import wait_until

pytest_plugins = ("tests.sandbox.aws.data_api_fixtures",)

ALL = "redshift-data:*"
ARN = "arn:aws:redshift:us-east-1:123456789012"


class Someone:
    """An IAM user of the test's own, with what `may` was called with."""

    def __init__(self, sandbox: Settings) -> None:
        self._sandbox = sandbox
        self.iam = client(sandbox, "iam")
        self.name = f"u{uuid.uuid4().hex[:8]}"
        self.iam.create_user(UserName=self.name)
        key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        self.api = client(
            sandbox,
            "redshift-data",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    def may(self, actions: Any, resource: Any = "*", **condition: Any) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        statement |= {"Condition": condition} if condition else {}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=document)


@pytest.fixture
def someone(sandbox: Settings) -> Iterator[Someone]:
    found = Someone(sandbox)
    yield found
    remove_user(sandbox, found.name)


@pytest.fixture(scope="module")
def workgroup(sandbox: Settings) -> str:
    """An available workgroup."""
    api, name = client(sandbox, "redshift-serverless"), f"d-{uuid.uuid4().hex[:8]}"
    api.create_namespace(namespaceName=name)
    wait_until(lambda: api.get_namespace(namespaceName=name)["namespace"]["status"] == "AVAILABLE")
    api.create_workgroup(workgroupName=name, namespaceName=name)
    wait_until(lambda: api.get_workgroup(workgroupName=name)["workgroup"]["status"] == "AVAILABLE")
    return name


def test_the_login_needs_a_permission_of_its_own(someone: Someone, data: DataApi):
    code, words = code_and_words(someone.api.execute_statement, Sql="SELECT 1", **data.login)
    assert code == "AccessDeniedException"
    assert (
        "redshift-data:ExecuteStatement on resource: arn:aws:redshift:us-east-1:123456789012:cluster:"
        in words
    )
    someone.may(ALL)
    code, words = code_and_words(someone.api.execute_statement, Sql="SELECT 1", **data.login)
    assert code == "AccessDeniedException"
    cluster = data.login["ClusterIdentifier"]
    assert f"redshift:GetClusterCredentials on resource: {ARN}:dbuser:{cluster}" in words
    someone.may([ALL, "redshift:GetClusterCredentials"])
    assert DataApi(someone.api, data.login).rows("SELECT current_user") == [[data.login["DbUser"]]]


def test_a_user_without_a_database_user_needs_another_one(someone: Someone, data: DataApi):
    login = {name: value for name, value in data.login.items() if name != "DbUser"}
    someone.may([ALL, "redshift:GetClusterCredentials"])
    code, words = code_and_words(someone.api.execute_statement, Sql="SELECT 1", **login)
    assert (code, "redshift:GetClusterCredentialsWithIAM" in words) == ("AccessDeniedException", True)
    someone.may([ALL, "redshift:GetClusterCredentialsWithIAM"])
    assert DataApi(someone.api, login).rows("SELECT current_user") == [[f"IAM:{someone.name}"]]
    remove_own(someone)


def test_a_workgroup_logs_in_as_the_identity(someone: Someone, sandbox: Settings, workgroup: str):
    login = {"WorkgroupName": workgroup, "Database": sandbox.database}
    someone.may(ALL)
    code, words = code_and_words(someone.api.execute_statement, Sql="SELECT 1", **login)
    assert (code, "redshift-serverless:GetCredentials" in words) == ("AccessDeniedException", True)
    someone.may([ALL, "redshift-serverless:GetCredentials"])
    mine = DataApi(someone.api, login)
    told = mine.run("SELECT current_user")
    assert (told["WorkgroupName"], told["DbUser"]) == (workgroup, f"IAM:{someone.name}")
    assert mine.rows("SELECT current_user") == [[f"IAM:{someone.name}"]]
    named = code_and_words(someone.api.execute_statement, Sql="SELECT 1", DbUser="sparkify", **login)
    assert named[0] == "ValidationException"
    remove_own(someone)


def remove_own(someone: Someone) -> None:
    remove_user(someone._sandbox, f"IAM:{someone.name}")


def test_a_secret_needs_its_own_permission(someone: Someone, sandbox: Settings, data: DataApi):
    text = json.dumps({"username": sandbox.loader, "password": sandbox.password})
    arn = client(sandbox, "secretsmanager").create_secret(
        Name=f"s-{uuid.uuid4().hex}",
        SecretString=text,
        Tags=[{"Key": "RedshiftDataFullAccess", "Value": "true"}],
    )["ARN"]
    login = {name: value for name, value in data.login.items() if name != "DbUser"} | {"SecretArn": arn}
    someone.may(ALL)
    code, words = code_and_words(someone.api.execute_statement, Sql="SELECT 1", **login)
    assert (code, "secretsmanager:GetSecretValue" in words) == ("AccessDeniedException", True)
    someone.iam.attach_user_policy(
        UserName=someone.name, PolicyArn="arn:aws:iam::aws:policy/AmazonRedshiftDataFullAccess"
    )
    assert DataApi(someone.api, login).rows("SELECT current_user") == [[sandbox.loader]]


def test_statements_are_their_owners_alone(someone: Someone, data: DataApi):
    identifier = data.run("SELECT 1", StatementName=someone.name)["Id"]
    someone.may([ALL, "redshift:GetClusterCredentials"])
    for call in (
        someone.api.describe_statement,
        someone.api.get_statement_result,
        someone.api.cancel_statement,
    ):
        assert code_and_words(call, Id=identifier) == ("ResourceNotFoundException", "Query does not exist.")
    assert someone.api.list_statements(Status="ALL")["Statements"] == []


def test_a_policy_may_ask_for_the_owner(someone: Someone, data: DataApi):
    mine = DataApi(someone.api, data.login)
    someone.may([ALL, "redshift:GetClusterCredentials"])
    identifier = mine.run("SELECT 1")["Id"]
    owner = {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}
    someone.may("redshift-data:DescribeStatement", StringEquals=owner)
    assert someone.api.describe_statement(Id=identifier)["Status"] == "FINISHED"
    someone.may("redshift-data:DescribeStatement", StringEquals={next(iter(owner)): "AIDAOTHER"})
    assert code_and_words(someone.api.describe_statement, Id=identifier)[0] == "AccessDeniedException"


def test_airflows_operator_ends_with_the_results(
    sandbox: Settings, data: DataApi, table: str, monkeypatch: pytest.MonkeyPatch
):
    variables = environment.variables(sandbox)
    for name in ("AIRFLOW_CONN_AWS_DEFAULT", *environment.aws_variables(sandbox)):
        monkeypatch.setenv(name, variables[name])
    where = {"cluster_identifier": data.login["ClusterIdentifier"], "db_user": sandbox.user}
    common = {"database": sandbox.database, "poll_interval": 1, "aws_conn_id": "aws_default", **where}
    made = RedshiftDataOperator(
        task_id="make",
        sql=[f"CREATE TABLE {table} (a int)", f"INSERT INTO {table} VALUES (1), (2)"],
        **common,
    )
    assert len(made.execute({})) == 2  # statements
    read = RedshiftDataOperator(
        task_id="read",
        sql=f"SELECT a FROM {table} WHERE a > :least",
        parameters=[{"name": "least", "value": "1"}],
        return_sql_result=True,
        **common,
    )
    assert read.execute({})[0]["Records"] == [[{"longValue": 2}]]
    bad = RedshiftDataOperator(task_id="bad", sql="SELECT * FROM no_such_table", **common)
    with pytest.raises(Exception, match='relation "no_such_table" does not exist'):
        bad.execute({})
