"""Rights: a group of users that may read the star schema."""

from collections.abc import Sequence

from sparkify.warehouse.session import Session
from sparkify.warehouse.sql import quote_identifier, quote_table


def grant_read(session: Session, group: str, schema: str, tables: Sequence[str]) -> None:
    """Let a group read tables, those that are made later by the same user included; make the group if needed.

    Args:
        session: of a superuser, such as the cluster's master user.
        group: the group's name.
        schema: where the tables are.
        tables: their names.
    """
    name, where = quote_identifier(group), quote_identifier(schema)
    if not session.scalar("SELECT COUNT(*) FROM pg_group WHERE groname = %(group)s", {"group": group}):
        session.execute(f"CREATE GROUP {name}")
    session.execute(f"GRANT USAGE ON SCHEMA {where} TO GROUP {name}")
    for table in tables:
        session.execute(f"GRANT SELECT ON {quote_table(f'{schema}.{table}')} TO GROUP {name}")
    session.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {where} GRANT SELECT ON TABLES TO GROUP {name}")
    session.commit()
