"""Who may what in the sandbox's PostgreSQL: rights that the server checks, whatever text reaches it."""

import psycopg
from psycopg import sql


def forbid_code(connection: psycopg.Connection) -> None:
    """Let nobody but superusers write functions in the connection's database, and in copies of it.

    Whoever makes a function can have others run it; Redshift's UDFs are not in the sandbox. PostgreSQL itself
    leaves its other languages to superusers.
    """
    connection.execute("REVOKE USAGE ON LANGUAGE sql, plpgsql FROM PUBLIC CASCADE")


def give_database(connection: psycopg.Connection, database: str, user: str) -> None:
    """Make a database that the user works in; its owner could set what others' sessions begin with."""
    names = {"database": sql.Identifier(database), "user": sql.Identifier(user)}
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {database}").format(**names))
    for statement in (
        "ALTER DATABASE {database} OWNER TO CURRENT_USER",
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC, {user}",
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {user}",
    ):
        connection.execute(sql.SQL(statement).format(**names))


def give_schema_public(connection: psycopg.Connection, user: str, *, everyone: bool = False) -> None:
    """Let the user own the schema public of the connection's database, if it is still there.

    Args:
        connection: A superuser's.
        user: The owner to be.
        everyone: Others may create tables in it, too, as in every database of Redshift's.
    """
    if _has_public(connection):
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(user)))
        if everyone:
            connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC")


def claim_role(connection: psycopg.Connection, name: str, attributes: sql.Composable) -> None:
    """Make a role of the sandbox's own, and take it from whoever made one of this name first.

    Args:
        connection: A superuser's.
        name: The role's name.
        attributes: What follows ALTER ROLE and the name.
    """
    role = sql.Identifier(name)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
    members = connection.execute(
        "SELECT pg_get_userbyid(member), pg_get_userbyid(grantor) FROM pg_auth_members"
        " WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = %s)",
        [name],
    )
    for member, grantor in members.fetchall():
        revoke = sql.SQL("REVOKE {} FROM {} GRANTED BY {} CASCADE")
        connection.execute(revoke.format(role, sql.Identifier(member), sql.Identifier(grantor)))
    plain = sql.SQL("ALTER ROLE {} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS {}")
    connection.execute(plain.format(role, attributes))


def _has_public(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'public'").fetchone() is not None
