"""The Redshift Data API: statements run on the endpoint, and end."""

import dataclasses
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from sandbox.aws.data_api import parameters
from sandbox.aws.data_api.runner import Runner
from sandbox.aws.data_api.sessions import Login
from sandbox.aws.data_api.statements import Request, Statement
from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.data_api_fixtures import DataApi, code_and_words

pytest_plugins = ("tests.sandbox.aws.data_api_fixtures",)


def test_a_query_ends_and_its_rows_have_the_types_of_the_api(data: DataApi):
    told = data.run(
        "SELECT 1::int AS whole, 2::bigint AS big, 1.5::float8 AS ratio, true AS yes,"
        " 'x'::varchar(5) AS word, 1.25::decimal(5,2) AS price, '2018-11-01'::date AS day, NULL::int AS none",
        StatementName="types",
    )
    assert told["Status"] == "FINISHED"
    assert told["HasResultSet"]
    assert (told["ResultRows"], told["DbUser"], told["Database"]) == (1, "sparkify", "sparkify")
    assert told["Duration"] > 0
    assert told["RedshiftPid"] > 0
    answer = data.api.get_statement_result(Id=told["Id"])
    assert answer["Records"] == [
        [
            {"longValue": 1},
            {"longValue": 2},
            {"doubleValue": 1.5},
            {"booleanValue": True},
            {"stringValue": "x"},
            {"stringValue": "1.25"},
            {"stringValue": "2018-11-01"},
            {"isNull": True},
        ]
    ]
    columns = {column["label"]: column for column in answer["ColumnMetadata"]}
    assert [column["typeName"] for column in answer["ColumnMetadata"]] == [
        *("int4", "int8", "float8", "bool", "varchar", "numeric", "date", "int4"),
    ]
    assert (columns["price"]["precision"], columns["price"]["scale"]) == (5, 2)
    assert (columns["word"]["precision"], columns["whole"]["precision"]) == (5, 10)
    assert answer["TotalNumRows"] == 1


def test_a_long_result_has_pages(data: DataApi):
    rows = data.rows(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT i FROM n"
    )
    assert rows == [[number] for number in range(1, 2501)]


def test_an_empty_result_is_a_result(data: DataApi):
    told = data.run("SELECT 1 AS one WHERE 1 = 0")
    assert told["HasResultSet"]
    answer = data.api.get_statement_result(Id=told["Id"])
    assert (answer["Records"], answer["TotalNumRows"]) == ([], 0)
    assert answer["ColumnMetadata"][0]["label"] == "one"


def test_statements_without_rows_say_how_many_they_changed(data: DataApi, table: str):
    made = data.run(f"CREATE TABLE {table} (a int)")
    assert (made["Status"], made["HasResultSet"]) == ("FINISHED", False)
    changed = data.run(f"INSERT INTO {table} VALUES (1), (2)")
    assert (changed["ResultRows"], changed["HasResultSet"]) == (2, False)
    code, words = code_and_words(data.api.get_statement_result, Id=changed["Id"])
    assert code == "ResourceNotFoundException"
    assert words == "Query does not have result. Please check query status with DescribeStatement."
    assert data.rows(f"SELECT a FROM {table} ORDER BY a") == [[1], [2]]


def test_parameters_are_values_and_never_sql(data: DataApi, table: str):
    data.run(f"CREATE TABLE {table} (a int, b varchar(20))")
    evil = "x'); DROP TABLE t; --"
    told = data.run(
        f"INSERT INTO {table} VALUES (:id, :word)",
        Parameters=[{"name": "id", "value": "7"}, {"name": "word", "value": evil[:20]}],
    )
    assert told["QueryParameters"][0] == {"name": "id", "value": "7"}
    assert told["QueryString"] == f"INSERT INTO {table} VALUES (:id, :word)"
    rows = data.rows(
        f"SELECT a::varchar, b, ':id' FROM {table} WHERE a = :id AND b <> ':id' -- :id",
        Parameters=[{"name": "id", "value": "7"}],
    )
    assert rows == [["7", evil[:20], ":id"]]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1", ["a"]),
        ("SELECT :a::int", ["a", "b"]),
        ("SELECT :a, :b", ["a"]),
        ("SELECT :a", ["a", "a"]),
    ],
)
def test_parameters_that_do_not_fit_the_statement_are_refused(data: DataApi, sql: str, names: list[str]):
    given = [{"name": name, "value": "1"} for name in names]
    code, words = code_and_words(data.api.execute_statement, Sql=sql, Parameters=given, **data.login)
    assert (code, words[:15]) == ("ValidationException", "Parameters list")


def test_a_failing_statement_fails_with_the_endpoints_words(data: DataApi):
    told = data.run("SELECT * FROM no_such_table")
    assert (told["Status"], told["HasResultSet"]) == ("FAILED", False)
    assert told["Error"].startswith('ERROR: relation "no_such_table" does not exist')


def test_execute_statement_takes_one_statement(data: DataApi):
    told = data.run("SELECT 1; SELECT 2")
    assert told["Status"] == "FAILED"
    assert "multiple commands" in told["Error"]


def test_a_batch_is_one_transaction(data: DataApi, table: str):
    told = data.batch(
        f"CREATE TABLE {table} (a int)", f"INSERT INTO {table} VALUES (1)", f"SELECT a FROM {table}"
    )
    assert told["Status"] == "FINISHED"
    assert told["HasResultSet"]
    assert [part["Status"] for part in told["SubStatements"]] == ["FINISHED"] * 3
    assert [part["HasResultSet"] for part in told["SubStatements"]] == [False, False, True]
    assert told["SubStatements"][2]["Id"] == f"{told['Id']}:3"
    assert data.api.get_statement_result(Id=f"{told['Id']}:3")["Records"] == [[{"longValue": 1}]]
    assert code_and_words(data.api.get_statement_result, Id=told["Id"])[0] == "ResourceNotFoundException"

    failed = data.batch(f"INSERT INTO {table} VALUES (2)", "SELECT * FROM no_such_table", "SELECT 1")
    assert failed["Status"] == "FAILED"
    assert failed["Error"].startswith('Query #2 failed with ERROR: relation "no_such_table" does not exist')
    assert [part["Status"] for part in failed["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert data.rows(f"SELECT a FROM {table}") == [[1]]


def test_a_batch_that_commits_by_itself_goes_on_after_a_failure(data: DataApi, table: str):
    told = data.batch(
        f"CREATE TABLE {table} (a int)",
        "SELECT * FROM no_such_table",
        f"INSERT INTO {table} VALUES (1)",
        ExecutionMode="AUTO_COMMIT",
    )
    assert [part["Status"] for part in told["SubStatements"]] == ["FINISHED", "FAILED", "FINISHED"]
    assert data.rows(f"SELECT a FROM {table}") == [[1]]


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"


def test_a_statement_is_stopped(data: DataApi):
    identifier = data.execute(ENDLESS)
    while (status := data.api.describe_statement(Id=identifier)["Status"]) in {"SUBMITTED", "PICKED"}:
        pass
    if status == "FAILED":
        pytest.fail(data.api.describe_statement(Id=identifier)["Error"])
    assert data.api.cancel_statement(Id=identifier)["Status"]
    assert data.ended(identifier)["Status"] == "ABORTED"
    code, words = code_and_words(data.api.cancel_statement, Id=identifier)
    assert (code, words) == (
        "ValidationException",
        "Could not cancel a query that is already in ABORTED state.",
    )


def test_a_statement_is_stopped_before_its_session_has_begun_it(sandbox: Settings, monkeypatch, tmp_path):
    """The first request reaches a session that does nothing yet, which does not notice."""
    asked = threading.Event()
    number, cancel = parameters.number, psycopg.Connection.cancel_safe

    def late_number(*arguments):
        assert asked.wait(30)
        return number(*arguments)

    def noted_cancel(connection, **arguments):
        cancel(connection, **arguments)
        asked.set()

    monkeypatch.setattr(parameters, "number", late_number)
    monkeypatch.setattr(psycopg.Connection, "cancel_safe", noted_cancel)
    request = Request("me", "me", "us-west-2", {}, sandbox.database, "", [], None)
    statement, runner = Statement(request, [ENDLESS]), Runner(dataclasses.replace(sandbox, home=tmp_path))
    runner.submit(statement, Login(sandbox.user, sandbox.password, sandbox.database))
    while statement.run.status != "STARTED":
        time.sleep(0.001)
    runner.cancel(statement)
    assert statement.run.status == "ABORTED"


def test_a_client_token_runs_a_statement_once(data: DataApi, table: str):
    data.run(f"CREATE TABLE {table} (a int)")
    token = uuid.uuid4().hex
    first = data.execute(f"INSERT INTO {table} VALUES (1)", ClientToken=token)
    assert data.execute(f"INSERT INTO {table} VALUES (1)", ClientToken=token) == first
    data.ended(first)
    assert data.rows(f"SELECT count(*) FROM {table}") == [[1]]
    other = code_and_words(data.api.execute_statement, Sql="SELECT 1", ClientToken=token, **data.login)
    assert other[0] == "ValidationException"


def test_statements_are_listed_newest_first(data: DataApi):
    name = f"name_{uuid.uuid4().hex[:8]}"
    good = [data.run(f"SELECT {number}", StatementName=f"{name}_{number}")["Id"] for number in range(3)]
    bad = data.run("SELECT * FROM no_such_table", StatementName=name)["Id"]
    found = data.api.list_statements(StatementName=name)["Statements"]
    assert [one["Id"] for one in found] == good[::-1]
    assert found[0]["QueryString"] == "SELECT 2"
    every = data.api.list_statements(StatementName=name, Status="ALL", MaxResults=2)
    rest = data.api.list_statements(
        StatementName=name, Status="ALL", MaxResults=2, NextToken=every["NextToken"]
    )
    assert [one["Id"] for one in every["Statements"] + rest["Statements"]] == [bad, *good[::-1]]
    assert "NextToken" not in rest


def test_databases_schemas_tables_and_columns_are_listed(sandbox: Settings, data: DataApi, table: str):
    data.run(f"CREATE TABLE {table} (a int NOT NULL, b varchar(12) DEFAULT 'x', c decimal(8,3))")
    assert sandbox.database in data.api.list_databases(**data.login)["Databases"]
    assert data.api.list_schemas(SchemaPattern="pub%", **data.login)["Schemas"] == ["public"]
    assert data.api.list_tables(TablePattern=table, **data.login)["Tables"] == [
        {"name": table, "schema": "public", "type": "TABLE"}
    ]
    told = data.api.describe_table(Schema="public", Table=table, **data.login)
    assert told["TableName"] == table
    assert [
        (one["name"], one["typeName"], one["length"], one["scale"], one["nullable"])
        for one in told["ColumnList"]
    ] == [("a", "int4", 10, 0, 0), ("b", "varchar", 12, 0, 1), ("c", "numeric", 8, 3, 1)]
    assert "'x'" in told["ColumnList"][1]["columnDefault"]


def test_a_secret_is_a_login(sandbox: Settings, data: DataApi):
    secrets = client(sandbox, "secretsmanager")
    text = json.dumps({"username": sandbox.loader, "password": sandbox.password})
    arn = secrets.create_secret(Name=f"s-{uuid.uuid4().hex}", SecretString=text)["ARN"]
    login = {name: value for name, value in data.login.items() if name != "DbUser"}
    by_secret = DataApi(data.api, {**login, "SecretArn": arn})
    assert by_secret.rows("SELECT current_user") == [[sandbox.loader]]
    assert "DbUser" not in by_secret.run("SELECT 1")


def test_without_a_user_the_identity_is_the_user(data: DataApi):
    login = {name: value for name, value in data.login.items() if name != "DbUser"}
    told = DataApi(data.api, login).run("SELECT current_user")
    assert told["DbUser"].startswith("IAM:")


def test_twenty_statements_run_at_once(data: DataApi):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: data.rows(f"SELECT {number}"), range(20)))
    assert found == [[[number]] for number in range(20)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ClusterIdentifier": "no-such"}, "Redshift endpoint doesn't exist in this region."),
        ({"WorkgroupName": "wg-1"}, "Exactly one of ClusterIdentifier and WorkgroupName must be given."),
        ({"SecretArn": "x"}, "DbUser and SecretArn cannot be given together."),
        ({"WithEvent": True}, "WithEvent: the sandbox's Data API has not an EventBridge to send events to."),
        ({"ResultFormat": "CSV"}, "ResultFormat: the sandbox's Data API has results in JSON only."),
        ({"SessionKeepAliveSeconds": 9}, "SessionKeepAliveSeconds: the sandbox's Data API has not"),
        ({"Sql": "SELECT '" + "x" * 100_000 + "'"}, "The maximum query statement size is 100 KB."),
    ],
)
def test_what_cannot_be_run_is_refused(data: DataApi, changes: dict, words: str):
    code, message = code_and_words(data.api.execute_statement, **{"Sql": "SELECT 1", **data.login, **changes})
    assert code == "ValidationException"
    assert message.startswith(words)


def test_an_unknown_statement_is_not_found(data: DataApi):
    unknown = str(uuid.uuid4())
    for call in (data.api.describe_statement, data.api.get_statement_result, data.api.cancel_statement):
        assert code_and_words(call, Id=unknown) == ("ResourceNotFoundException", "Query does not exist.")


def test_a_wrong_login_fails_the_statement(data: DataApi):
    assert data.run("SELECT 1", DbUser="nobody_here")["Status"] == "FAILED"
    assert 'database "nowhere" does not exist' in data.run("SELECT 1", Database="nowhere")["Error"]


def test_operations_that_the_sandbox_lacks_are_refused_at_once(data: DataApi):
    code, words = code_and_words(data.api.get_statement_result_v2, Id=str(uuid.uuid4()))
    assert code == "UnknownOperationException"
    assert "GetStatementResultV2" in words
