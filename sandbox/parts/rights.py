"""Who may what in the sandbox's PostgreSQL: rights that the server checks, whatever text reaches it."""

import psycopg
from psycopg import sql


def forbid_code(connection: psycopg.Connection) -> None:
    """Let nobody but superusers write functions in the connection's database, and in copies of it.

    Whoever makes a function can have others run it; Redshift's UDFs are not in the sandbox. PostgreSQL itself
    leaves its other languages to superusers.
    """
    connection.execute("REVOKE USAGE ON LANGUAGE sql, plpgsql FROM PUBLIC CASCADE")


def give_database(
    connection: psycopg.Connection, database: str, user: str, *, is_warehouse: bool = False
) -> None:
    """Make a database that the user works in and does not own.

    An owner sets what the sessions of others begin with. A database of an older sandbox changes hands;
    what the user itself grants or takes away later stays.

    Args:
        connection: A superuser's.
        database: The database.
        user: Its user.
        is_warehouse: As on Redshift everyone may log in to it, and its master user makes schemas.
    """
    names = {"database": sql.Identifier(database), "user": sql.Identifier(user)}
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {user}").format(**names))
    owner = "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = %s"
    if connection.execute(owner, [database]).fetchone() == (True,):
        return
    with connection.transaction():
        for statement in (
            "ALTER DATABASE {database} OWNER TO CURRENT_USER",
            "ALTER DATABASE {database} RESET ALL",
            "GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {database} TO {user} WITH GRANT OPTION"
            if is_warehouse
            else "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {user}",
            "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO PUBLIC"
            if is_warehouse
            else "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        ):
            connection.execute(sql.SQL(statement).format(**names))


def give_schema_public(connection: psycopg.Connection, user: str, *, is_warehouse: bool = False) -> None:
    """Let the user own the schema public of the connection's database, once.

    Args:
        connection: A superuser's.
        user: The owner to be.
        is_warehouse: Others may create tables in it, too, as in every database of Redshift's.
    """
    owner = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'"
    if connection.execute(owner).fetchone() != ("pg_database_owner",):
        return
    with connection.transaction():
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(user)))
        if is_warehouse:
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
    connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(role))
    plain = sql.SQL("ALTER ROLE {} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS {}")
    connection.execute(plain.format(role, attributes))
