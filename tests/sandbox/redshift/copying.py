"""A connection with each driver, for the tests of COPY."""

from contextlib import closing

import psycopg
import psycopg2
import redshift_connector

from sandbox.parts.postgres import admin_dsn

BUCKET = "copy-tests"
DRIVERS = ("redshift_connector", "psycopg2", "psycopg")
AS_JSON = "IAM_ROLE default FORMAT AS JSON 'auto'"
# The session's newest COPY in the SYS views, whose ids are not those of pg_last_copy_id().
LAST_SYS = "query_id = (SELECT MAX(query_id) FROM sys_load_history WHERE session_id = pg_backend_pid())"


def admin_connection(settings, *, autocommit=False):
    """A connection to PostgreSQL behind the endpoint, as its superuser."""
    return psycopg.connect(admin_dsn(settings), autocommit=autocommit)


class Warehouse:
    """One connection, and errors as (SQLSTATE, message) whichever driver raises them."""

    def __init__(self, settings, driver):
        options = {"host": "127.0.0.1", "port": settings.redshift_port, "user": settings.user}
        options["password"] = settings.password
        self.notices = []
        if driver == "redshift_connector":
            self.connection = redshift_connector.connect(database=settings.database, ssl=False, **options)
        elif driver == "psycopg2":
            self.connection = psycopg2.connect(dbname=settings.database, **options)
        else:
            self.connection = psycopg.connect(dbname=settings.database, **options)

    def run(self, sql):
        """Execute; return the rows, if any."""
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else None

    def fail(self, sql):
        """Execute what must fail; return SQLSTATE, message and detail."""
        try:
            self.run(sql)
        except redshift_connector.Error as error:
            fields = error.args[0]
            return fields["C"], fields["M"], fields.get("D", "")
        except psycopg.Error as error:
            return error.sqlstate, error.diag.message_primary, error.diag.message_detail or ""
        except psycopg2.Error as error:
            return error.pgcode, error.diag.message_primary, error.diag.message_detail or ""
        raise AssertionError(f"did not fail: {sql}")
