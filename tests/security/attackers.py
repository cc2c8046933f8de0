"""Logins that try what they may not, and what the sandbox's own sessions do beside them."""

import psycopg

from sandbox.parts.settings import Settings
from sandbox.redshift.copy.history import LoadLog
from sandbox.redshift.transfer_log import TransferStart
from tests.sandbox.redshift.endpoint_clients import connect_psycopg

# The text behind which the lexer once saw one string, and PostgreSQL several statements.
HIDING = "SELECT $é$ ' $é$; {}; -- '"
ROUTES = ("endpoint", "socket")


def connect_directly(settings: Settings, user: str, password: str, database: str) -> psycopg.Connection:
    """The login's session with nothing in between that reads its statements."""
    return psycopg.connect(
        host=str(settings.socket_dir), user=user, password=password, dbname=database, autocommit=True
    )


class Attacker:
    """A login's session on one of the routes."""

    def __init__(self, settings: Settings, route: str, user: str, password: str) -> None:
        self._hides = route == "endpoint"
        self.connection = (
            connect_psycopg(settings, user=user, password=password)
            if self._hides
            else connect_directly(settings, user, password, settings.database)
        )

    def tries(self, statement: str) -> str:
        """Run a statement as PostgreSQL's own SQL; the SQLSTATE, or an empty text where it ran."""
        text = HIDING.format(statement) if self._hides else statement
        try:
            self.connection.execute(text)
        except psycopg.Error as error:
            return error.sqlstate or "lost"
        return ""


def log_of_copy(sandbox: Settings, session: psycopg.Connection) -> LoadLog:
    """The log of a COPY that the master user has begun in the session."""
    pid = session.info.backend_pid
    start = TransferStart(
        *("COPY", pid, "sparkify", sandbox.database, None, "COPY t", "s3://b/k", "JSON"),
        table_id=1,
        table_name="t",
    )
    return LoadLog(sandbox, start)
