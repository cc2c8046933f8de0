"""Users of the warehouse that the cluster API makes: master users, and logins with temporary passwords.

On Redshift a temporary password is a user's second one, with ``IAM:`` (``IAMA:`` where the user may be made)
before the name. PostgreSQL knows one password a role: here it is that of a role named ``IAM:<user>``, which
becomes ``<user>`` as it logs in. The endpoint hides these roles (`pg_user`) and takes the prefix off names.

On Serverless ``IAM:<user>`` is the whole name of a user, which belongs to an IAM identity. Here such a user
is a role that becomes no other; as both live in one PostgreSQL, a name is taken by whoever comes first.
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


class TakenError(Exception):
    """A login name belongs to the other kind of temporary logins."""


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
            connection.execute(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(name)))

    def make_master_if_up(self, name: str, password: str) -> None:
        """Make a master user; without PostgreSQL whatever it is for can be made all the same."""
        try:
            self.make_master(name, password)
        except psycopg.OperationalError:
            log.warning("PostgreSQL does not run: the user %s was not made", name)

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
        password, end, until = self._choose(login, seconds)
        with self._connect() as connection:
            if creates and not _exists(connection, name):
                _make(connection, name)
                rights.master_may_all(connection, self._settings.user, name)
            if _exists(connection, name):
                _require_free(connection, login, is_own=False)
                _make_login(connection, login, password, until)
                _lend(connection, login, name)
        self._issued[login] = password, until
        return login, password, end

    def issue_own(self, name: str, seconds: int) -> tuple[str, dt.datetime]:
        """A password of a user with the name of an IAM identity, and when it ends; the user is made.

        Raises:
            TakenError: The name is the temporary login of another user.
        """
        password, end, until = self._choose(name, seconds)
        with self._connect() as connection:
            _require_free(connection, name, is_own=True)
            if not _exists(connection, name):
                _make(connection, name)
                rights.master_may_all(connection, self._settings.user, name)
            _make_login(connection, name, password, until)
        self._issued[name] = password, until
        return password, end

    def _choose(self, login: str, seconds: int) -> tuple[str, dt.datetime, dt.datetime]:
        """A password that is still good or a new one, the end that was asked for, and the end it has."""
        now = dt.datetime.now(dt.UTC)
        end = now + dt.timedelta(seconds=seconds)
        password, known_end = self._issued.get(login, ("", now))
        return random_password() if known_end <= now else password, end, max(end, known_end)

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


def _make_login(connection: psycopg.Connection, login: str, password: str, end: dt.datetime) -> None:
    _make(connection, login)
    _set_password(connection, login, password)
    until = sql.SQL("ALTER ROLE {} VALID UNTIL {}")
    connection.execute(until.format(sql.Identifier(login), sql.Literal(end.isoformat())))


def _lend(connection: psycopg.Connection, login: str, name: str) -> None:
    """Let a login become a user."""
    role, user = sql.Identifier(login), sql.Identifier(name)
    connection.execute(sql.SQL("GRANT {} TO {}").format(user, role))
    connection.execute(sql.SQL("ALTER ROLE {} SET role = {}").format(role, sql.Literal(name)))


def _require_free(connection: psycopg.Connection, login: str, *, is_own: bool) -> None:
    """Refuse a login name that the other kind has (what is lent has a setting of its own).

    Raises:
        TakenError: It has.
    """
    found = connection.execute(
        "SELECT coalesce(array_to_string(rolconfig, ','), '') LIKE '%%role=%%'"
        " FROM pg_catalog.pg_roles WHERE rolname = %s",
        [login],
    ).fetchone()
    if found is not None and found[0] is is_own:
        raise TakenError(
            f"{login} logs in to a {'cluster' if is_own else 'workgroup'} already, and all of them are one "
            "warehouse here: give the IAM user or the database user another name."
        )


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Set a password without sending it: PostgreSQL gets what it would keep anyway."""
    encrypted = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(statement.format(sql.Identifier(role), sql.Literal(encrypted.decode())))
