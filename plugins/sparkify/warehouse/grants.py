"""Rights: the user who loads and owns the tables, and the group of users who read the star schema."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparkify.failures import FatalError
from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import named_values, quote_identifier, quote_table, quote_user


@dataclass(frozen=True, slots=True)
class Owned:
    """A table or view, or a schema (without a relation), and who owns it."""

    schema: str
    relation: str | None
    owner: str

    @property
    def name(self) -> str:
        """Its name as it is written in SQL."""
        return f"{self.schema}.{self.relation}" if self.relation else self.schema


def make_loader(
    session: Session, loader: str, group: str, tables: Sequence[str], published: Sequence[str]
) -> list[str]:
    """Make the user who loads and the group that reads; return what the session's user owned and hands over.

    One transaction, which ends in the same rights however often it is run.

    Args:
        session: of a superuser, the cluster's master user.
        loader: the user's name; no password lets it in but the temporary ones of IAM.
        group: the group's name.
        tables: tables and views, `name` (in the schema public) or `schema.name`, that are the loader's.
        published: those of them that the group may read.

    Raises:
        FatalError: a third user owns one of them.
    """
    user, readers = quote_user(loader), f"GROUP {quote_identifier(group)}"
    database, master = session.query("SELECT CURRENT_DATABASE(), CURRENT_USER")[0]
    if not session.scalar("SELECT COUNT(*) FROM pg_user WHERE usename = %(user)s", {"user": loader}):
        session.execute(f"CREATE USER {user} PASSWORD DISABLE")
    make_group(session, group)
    session.execute(f"GRANT CREATE, TEMPORARY ON DATABASE {quote_identifier(database)} TO {user}")
    session.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {user}")
    session.execute(f"GRANT USAGE ON SCHEMA public TO {readers}")
    # Superusers alone see it unless they say otherwise.
    session.execute(f"GRANT SELECT ON svv_table_info TO {user}")
    # Earlier versions let the group read all that is made in public: staging tables, too.
    session.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM {readers}")
    found = [owned for owned in _find_owners(session, tables) if owned.owner != loader]
    if theirs := [f"{owned.name} of {owned.owner}" for owned in found if owned.owner != master]:
        raise FatalError(f"Other users own what is the warehouse's: {', '.join(theirs)}.", "Rename it.")
    readable = {_split(table) for table in published}
    for owned in found:
        is_published = (owned.schema, owned.relation) in readable
        _hand_over(session, owned, user, readers, is_published=is_published)
    session.commit()
    return [owned.name for owned in found]


def has_group(session: Session, group: str) -> bool:
    """Tell whether there is a group of this name."""
    return bool(session.scalar("SELECT COUNT(*) FROM pg_group WHERE groname = %(group)s", {"group": group}))


def make_group(session: Session, group: str) -> None:
    """Make a group unless it is there; only a superuser can."""
    if not has_group(session, group):
        session.execute(f"CREATE GROUP {quote_identifier(group)}")


def grant_read(session: Session, group: str, tables: Sequence[str]) -> None:
    """Let a group read tables of the session's user; in force once the transaction is committed."""
    names = ", ".join(quote_table(table) for table in tables)
    session.execute(f"GRANT SELECT ON {names} TO GROUP {quote_identifier(group)}")


def _hand_over(session: Session, owned: Owned, user: str, readers: str, *, is_published: bool) -> None:
    if owned.relation is None:
        session.execute(f"ALTER SCHEMA {quote_identifier(owned.schema)} OWNER TO {user}")
        return
    session.execute(f"ALTER TABLE {quote_table(owned.name)} OWNER TO {user}")
    if not is_published:
        session.execute(f"REVOKE ALL ON {quote_table(owned.name)} FROM {readers}")


def _find_owners(session: Session, tables: Sequence[str]) -> list[Owned]:
    """Return the schemas of the tables, but for public, then the tables and views that are there."""
    split = {_split(table) for table in tables}
    names, values = named_values("name", sorted({str(name) for _, name in split}))
    schemas, more = named_values("schema", sorted({schema for schema, _ in split} - {"public"}) or [""])
    rows = session.query(
        f"""
        SELECT schemaname, tablename, tableowner FROM pg_tables WHERE tablename IN ({names})
        UNION ALL
        SELECT schemaname, viewname, viewowner FROM pg_views WHERE viewname IN ({names})
        UNION ALL
        SELECT nspname, NULL, usename
        FROM pg_namespace INNER JOIN pg_user ON nspowner = usesysid
        WHERE nspname IN ({schemas})
        """,
        {**values, **more},
    )
    found = [Owned(*row) for row in rows]
    ours = [owned for owned in found if owned.relation is None or (owned.schema, owned.relation) in split]
    return sorted(ours, key=lambda owned: (owned.relation is not None, owned.name))


def _split(table: str) -> tuple[str, str | None]:
    schema, _, name = table.rpartition(".")
    return schema or "public", name
