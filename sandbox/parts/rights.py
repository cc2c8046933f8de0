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


def make_loader(connection: psycopg.Connection, database: str, master: str, loader: str) -> None:
    """Make the user that loads, once: an ordinary one who makes schemas. In older sandboxes the master did.

    Args:
        connection: A superuser's, to the warehouse's database.
        database: That database.
        master: Its master user.
        loader: The user's name.
    """
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [loader]).fetchone():
        return
    names = {name: sql.Identifier(value) for name, value in (("db", database), ("loader", loader))}
    with connection.transaction():
        connection.execute(sql.SQL("CREATE ROLE {loader} LOGIN").format(**names))
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {db} TO {loader}").format(**names))
        master_may_all(connection, master, loader)
        owned = connection.execute(_OWNED, [master]).fetchall()
        for kind, name in owned:
            give = sql.SQL("ALTER {} {} OWNER TO {}")
            connection.execute(give.format(sql.SQL(kind), sql.SQL(name), names["loader"]))


# What an older sandbox's loads have made.
_OWNED = """
    SELECT kind, name FROM (
        SELECT 'SCHEMA', nspname::regnamespace::text, nspowner, 1 FROM pg_namespace WHERE nspname = 'ops'
        UNION ALL
        SELECT 'TABLE', pg_class.oid::regclass::text, relowner, 2
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname IN ('public', 'ops') AND relkind IN ('r', 'v')
    ) AS owned (kind, name, owner, place)
    WHERE pg_get_userbyid(owner) = %s ORDER BY place
"""


def master_may_all(connection: psycopg.Connection, master: str, user: str) -> None:
    """Let the master user do whatever another user may, and give away and take what is the other's.

    "Database superusers have the same permissions as database owners" (Developer Guide, "Superusers").

    Args:
        connection: A superuser's.
        master: The master user.
        user: The other, who has not the rights of the master.
    """
    grant = sql.SQL("GRANT {} TO {} WITH INHERIT TRUE, SET TRUE")
    connection.execute(grant.format(sql.Identifier(user), sql.Identifier(master)))


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
    take_from_members(connection, name)
    connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(role))
    plain = sql.SQL("ALTER ROLE {} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS {}")
    connection.execute(plain.format(role, attributes))


def take_from_members(connection: psycopg.Connection, name: str, only: str | None = None) -> None:
    """Let nobody have a role's rights but the role itself.

    Args:
        connection: A superuser's.
        name: The role's name.
        only: The one member it is taken from; by default all.
    """
    members = connection.execute(
        "SELECT pg_get_userbyid(member), pg_get_userbyid(grantor) FROM pg_auth_members"
        " WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = %s)",
        [name],
    )
    for member, grantor in members.fetchall():
        if only in (None, member):
            revoke = sql.SQL("REVOKE {} FROM {} GRANTED BY {} CASCADE")
            connection.execute(revoke.format(*map(sql.Identifier, (name, member, grantor))))
