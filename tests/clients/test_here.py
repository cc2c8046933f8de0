"""Clients that the project's own environment has: drivers, psql, Airflow's operators."""

import json
import subprocess
from contextlib import closing

import psycopg
import psycopg2
import psycopg2.extras
import pytest
import redshift_connector

from sandbox.parts import postgres
from tests.clients.conftest import BUCKET
from tests.contexts import task_context

ROLE = "arn:aws:iam::123456789012:role/sparkify-redshift"


@pytest.fixture
def address(sandbox):
    return {
        "host": "127.0.0.1",
        "port": sandbox.redshift_port,
        "user": sandbox.user,
        "password": sandbox.password,
    }


class TestPsycopg:
    @pytest.fixture
    def connection(self, sandbox, address):
        with psycopg.connect(**address, dbname=sandbox.database, client_encoding="UTF8") as connection:
            connection.execute("CREATE TEMP TABLE n (n INTEGER, word VARCHAR(10), at TIMESTAMP)")
            yield connection
            connection.rollback()

    def test_a_pipeline_sends_statements_without_waiting_for_answers(self, connection):
        with connection.pipeline():
            for number in range(5):
                connection.execute("INSERT INTO n VALUES (%s, %s)", (number, "é"))
            counted = connection.execute("SELECT COUNT(*) FROM n")
        assert counted.fetchone() == (5,)

    def test_a_server_side_cursor_reads_in_parts(self, connection):
        connection.cursor().executemany("INSERT INTO n (n) VALUES (%s)", [(one,) for one in range(10)])
        with connection.cursor("part") as cursor:
            cursor.execute("SELECT n FROM n ORDER BY n")
            assert [row[0] for row in cursor.fetchmany(3)] == [0, 1, 2]
            assert len(cursor.fetchall()) == 7

    def test_values_come_in_binary_as_in_text(self, connection):
        connection.execute("INSERT INTO n VALUES (1, 'ä', '2018-11-28 10:00:00.5'), (NULL, NULL, NULL)")
        sql = "SELECT n, word, at FROM n ORDER BY n"
        assert (
            connection.execute(sql, binary=True).fetchall()
            == connection.execute(sql, binary=False).fetchall()
        )


class TestPsycopg2:
    @pytest.fixture
    def connection(self, sandbox, address):
        with closing(psycopg2.connect(**address, dbname=sandbox.database)) as connection:
            yield connection

    def test_a_named_cursor_reads_in_parts(self, connection, raw, sample):
        with connection.cursor("part") as cursor:
            cursor.execute(f"SELECT userid FROM {raw}.staging_events")
            cursor.itersize = 100
            assert len(list(cursor)) == len(sample.events)

    def test_copy_takes_its_words_as_parameters(self, connection, raw, sample):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE copied (LIKE {raw}.staging_songs)")
            copy = "COPY copied FROM %s IAM_ROLE %s JSON %s"
            cursor.execute(copy, (f"s3://{BUCKET}/song_data", ROLE, "auto"))
            cursor.execute("SELECT COUNT(*) FROM copied")
            assert cursor.fetchall() == [(len(sample.songs),)]

    def test_many_rows_go_in_one_statement(self, connection):
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute("CREATE TEMP TABLE n (n INTEGER, word VARCHAR(10))")
            rows = [(number, "it's") for number in range(1000)]
            psycopg2.extras.execute_values(cursor, "INSERT INTO n VALUES %s", rows)
            cursor.execute("SELECT COUNT(*) AS rows, MAX(word) AS word FROM n")
            assert cursor.fetchone() == {"rows": 1000, "word": "it's"}


def test_redshift_connector_reads_the_catalog_and_inserts_in_bulk(sandbox, address, tmp_path):
    with redshift_connector.connect(**address, database=sandbox.database, ssl=False) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE SCHEMA here")
        try:
            cursor.execute("CREATE TABLE here.t (id INTEGER NOT NULL, word VARCHAR(20), PRIMARY KEY (id))")
            path = tmp_path / "rows.csv"
            path.write_text("id,word\n1,a\n2,b\n3,c\n")
            cursor.insert_data_bulk(str(path), "here.t", [0, 1], ["id", "word"], ",", 2)
            cursor.execute("SELECT COUNT(*) FROM here.t")
            assert cursor.fetchone() == [3]
            [table] = cursor.get_tables(schema_pattern="here", table_name_pattern="t")
            assert table[1:4] == ["here", "t", "TABLE"]
            columns = cursor.get_columns(schema_pattern="here", tablename_pattern="t")
            assert [column[3] for column in columns] == ["id", "word"]
            assert [key[3] for key in cursor.get_primary_keys(schema="here", table="t")] == ["id"]
            cursor.execute("CREATE TABLE here.child (t_id INTEGER REFERENCES here.t (id))")
            imported = [key[2:8] for key in cursor.get_imported_keys(schema="here", table="child")]
            assert imported == [["t", "id", sandbox.database, "here", "child", "t_id"]]
            assert len(cursor.get_exported_keys(schema="here", table="t")) == 1
            assert [schema for schema, _ in cursor.get_schemas(schema_pattern="her_")] == ["here"]
            assert len(cursor.get_functions(schema_pattern="here")) == 0
            assert len(cursor.get_procedures(schema_pattern="here")) == 0
        finally:
            cursor.execute("DROP SCHEMA here CASCADE")


def test_psql_runs_a_script_and_stops_at_an_error(sandbox, client_environment, raw, sample):
    program = postgres.programs() / "psql"
    words = [str(program), "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    script = f"SELECT COUNT(*) FROM {raw}.staging_songs;\nSELECT missing;\nSELECT 3;\n"
    environment = client_environment(PGSSLMODE="disable")
    done = subprocess.run(
        words, input=script, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (3, str(len(sample.songs)))
    assert 'column "missing" does not exist' in done.stderr


class TestAirflow:
    """Operators of the Amazon and common.sql providers, with the sandbox's own connections."""

    @pytest.fixture(autouse=True)
    def schema(self, warehouse):
        warehouse("CREATE SCHEMA air")
        warehouse("GRANT ALL ON SCHEMA air TO PUBLIC")
        yield
        warehouse("DROP SCHEMA air CASCADE")

    @pytest.fixture
    def hook(self):
        from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

        return RedshiftSQLHook()

    def test_the_hook_runs_statements_and_reads_keys(self, hook):
        hook.run(
            ["CREATE TABLE air.t (n INTEGER PRIMARY KEY)", "INSERT INTO air.t VALUES (1), (2)"],
            autocommit=True,
        )
        assert hook.get_first("SELECT SUM(n) FROM air.t")[0] == 3
        assert hook.get_table_primary_key("t", "air") == ["n"]
        hook.insert_rows("air.t", [(3,), (4,)], ["n"])
        assert hook.get_first("SELECT COUNT(*) FROM air.t")[0] == 4

    @pytest.mark.parametrize(("method", "rows"), [("APPEND", 4), ("REPLACE", 2), ("UPSERT", 3)])
    def test_s3_to_redshift_loads_json(self, hook, bucket, method, rows):
        from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator

        hook.run(["CREATE TABLE air.t (id INTEGER, word VARCHAR(5))"], autocommit=True)
        hook.run("INSERT INTO air.t VALUES (1, 'old'), (9, 'old')", autocommit=True)
        lines = [{"id": 1, "word": "new"}, {"id": 2, "word": "new"}]
        bucket.put_object(Bucket=BUCKET, Key="air/t.json", Body="\n".join(map(json.dumps, lines)).encode())
        S3ToRedshiftOperator(
            task_id="load",
            schema="air",
            table="t",
            s3_bucket=BUCKET,
            s3_key="air/t.json",
            copy_options=["FORMAT AS JSON 'auto'"],
            upsert_keys=["id"] if method == "UPSERT" else None,
            method=method,
        ).execute(task_context())
        assert hook.get_first("SELECT COUNT(*) FROM air.t")[0] == rows

    def test_s3_to_redshift_loads_delimited_text(self, hook, bucket):
        from airflow.providers.amazon.aws.transfers.s3_to_redshift import S3ToRedshiftOperator

        hook.run("CREATE TABLE air.t (id INTEGER, word VARCHAR(5))", autocommit=True)
        bucket.put_object(Bucket=BUCKET, Key="air/t.csv", Body=b'id,word\n1,"a,b"\n2,\n')
        S3ToRedshiftOperator(
            task_id="load",
            schema="air",
            table="t",
            s3_bucket=BUCKET,
            s3_key="air/t.csv",
            copy_options=["CSV", "IGNOREHEADER 1"],
        ).execute(task_context())
        assert list(map(tuple, hook.get_records("SELECT * FROM air.t ORDER BY id"))) == [(1, "a,b"), (2, "")]

    def test_redshift_to_s3_unloads_a_query(self, hook, bucket):
        from airflow.providers.amazon.aws.transfers.redshift_to_s3 import RedshiftToS3Operator

        RedshiftToS3Operator(
            task_id="unload",
            s3_bucket=BUCKET,
            s3_key="air/unloaded_",
            select_query="SELECT 1 AS id, 'one' AS word",
            unload_options=["CSV", "HEADER", "PARALLEL OFF", "ALLOWOVERWRITE"],
            table_as_file_name=False,
        ).execute(task_context())
        [found] = bucket.list_objects_v2(Bucket=BUCKET, Prefix="air/unloaded_")["Contents"]
        assert bucket.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read() == b"id,word\n1,one\n"

    def test_the_data_operator_waits_for_its_statement(self, sandbox, aws_cluster):
        from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator

        context = task_context()
        context["ti"].stats_tags = {}
        [result] = RedshiftDataOperator(
            task_id="ask",
            cluster_identifier=aws_cluster,
            database=sandbox.database,
            db_user=sandbox.user,
            sql="SELECT 1 AS one, 'two' AS two",
            return_sql_result=True,
            poll_interval=1,
        ).execute(context)
        assert result["Records"] == [[{"longValue": 1}, {"stringValue": "two"}]]

    @pytest.fixture
    def aws_cluster(self, sandbox, client_environment):
        import boto3

        client = boto3.client("redshift")
        client.create_cluster(
            ClusterIdentifier="air",
            NodeType="ra3.large",
            ClusterType="single-node",
            DBName=sandbox.database,
            MasterUsername=sandbox.user,
            MasterUserPassword="Secret123",
        )
        waiter = client.get_waiter("cluster_available")
        waiter.wait(ClusterIdentifier="air", WaiterConfig={"Delay": 1})
        yield "air"
        client.delete_cluster(ClusterIdentifier="air", SkipFinalClusterSnapshot=True)

    def test_checks_of_common_sql_tell_good_tables_from_bad(self, hook, raw):
        from airflow.exceptions import AirflowException
        from airflow.providers.common.sql.operators.sql import (
            SQLCheckOperator,
            SQLColumnCheckOperator,
            SQLTableCheckOperator,
            SQLValueCheckOperator,
        )

        hook.run("CREATE TABLE air.t (n INTEGER)", autocommit=True)
        hook.run("INSERT INTO air.t VALUES (1), (2), (NULL)", autocommit=True)
        given = {"conn_id": "redshift_default", "retries": 0}
        bad = {"n": {"null_check": {"equal_to": 0}}}
        good = {"n": {"distinct_check": {"equal_to": 2}, "max": {"leq_to": 2}}}
        table = {"rows": {"check_statement": "COUNT(*) = 3"}}
        SQLColumnCheckOperator(task_id="c", table="air.t", column_mapping=good, **given).execute(
            task_context()
        )
        SQLTableCheckOperator(task_id="t", table="air.t", checks=table, **given).execute(task_context())
        SQLValueCheckOperator(task_id="v", sql="SELECT COUNT(*) FROM air.t", pass_value=3, **given).execute(
            task_context()
        )
        SQLCheckOperator(task_id="s", sql="SELECT COUNT(*) FROM air.t", **given).execute(task_context())
        failing = SQLColumnCheckOperator(task_id="b", table="air.t", column_mapping=bad, **given)
        with pytest.raises(AirflowException, match="null_check"):
            failing.execute(task_context())
