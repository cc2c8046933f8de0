"""Users of the warehouse that the cluster API makes: master users, and logins with temporary passwords.

On Redshift a temporary password is a user's second one, with ``IAM:`` (``IAMA:`` where the user may be made)
before the name. PostgreSQL knows one password a role: here it is that of a role named ``IAM:<user>``, which
becomes ``<user>`` as it logs in. The endpoint hides these roles (`pg_user`) and takes the prefix off names.
"""

import datetime as dt
import logging
import secrets
import string

import psycopg
from psycopg import sql

from sandbox.parts import postgres, rights
from sandbox.parts.settings import Settings

log = logging.getLogger("sandbox.aws")

_ALPHABET = string.ascii_letters + string.digits


class Users:
    """The warehouse's users; every method that needs PostgreSQL raises psycopg.OperationalError without it.

    Args:
        settings: The sandbox.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._issued: dict[str, tuple[str, dt.datetime]] = {}

    def make_master(self, name: str, password: str) -> None:
        """Make a master user, with the rights of the sandbox's own, or give it this password.

        The sandbox's own user keeps its password: everything else on this machine logs in with it.
        """
        if name == self._settings.user:
            return
        with self._connect() as connection:
            _make(connection, name)
            _set_password(connection, name, password)
            # An ordinary user until now, whose rights the sandbox's own had.
            rights.take_from_members(connection, name, only=self._settings.user)
            grant = sql.SQL("GRANT {} TO {}")
            connection.execute(grant.format(sql.Identifier(self._settings.user), sql.Identifier(name)))

    def lock_master(self, name: str) -> None:
        """Take a master user's password away; what it owns stays."""
        if name != self._settings.user:
            with self._connect() as connection:
                if _exists(connection, name):
                    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD NULL").format(sql.Identifier(name)))

    def issue(self, name: str, seconds: int, *, creates: bool) -> tuple[str, str, dt.datetime]:
        """A login for a user: its name, its password and when that ends.

        The user is made only if `creates`; a login for a user that does not exist is refused by the endpoint,
        as by Redshift. A password that is still good is given out again, for longer: clients keep theirs
        until the time they were told.
        """
        login = f"{'IAMA' if creates else 'IAM'}:{name}"
        now = dt.datetime.now(dt.UTC)
        end = now + dt.timedelta(seconds=seconds)
        password, known_end = self._issued.get(login, ("", now))
        if known_end <= now:
            password = random_password()
        with self._connect() as connection:
            if creates and not _exists(connection, name):
                _make(connection, name)
                rights.master_may_all(connection, self._settings.user, name)
            if _exists(connection, name):
                _make_login(connection, login, name, password, max(end, known_end))
        self._issued[login] = password, max(end, known_end)
        return login, password, end

    def _connect(self) -> psycopg.Connection:
        return postgres.connect_admin(self._settings)


def random_password() -> str:
    """A password by the rules of MasterUserPassword."""
    return "Aa0" + "".join(secrets.choice(_ALPHABET) for _ in range(29))


def _exists(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [name])
    return found.fetchone() is not None


def _make(connection: psycopg.Connection, name: str) -> None:
    """Make a user that may log in once it has a password (pg_user lists only those that may)."""
    if not _exists(connection, name):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))


def _make_login(
    connection: psycopg.Connection, login: str, name: str, password: str, end: dt.datetime
) -> None:
    _make(connection, login)
    _set_password(connection, login, password)
    role, user = sql.Identifier(login), sql.Identifier(name)
    connection.execute(sql.SQL("ALTER ROLE {} VALID UNTIL {}").format(role, sql.Literal(end.isoformat())))
    connection.execute(sql.SQL("GRANT {} TO {}").format(user, role))
    connection.execute(sql.SQL("ALTER ROLE {} SET role = {}").format(role, sql.Literal(name)))


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Set a password without sending it: PostgreSQL gets what it would keep anyway."""
    encrypted = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(encrypted.decode())))
