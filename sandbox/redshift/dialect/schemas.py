"""CREATE SCHEMA and ALTER SCHEMA in Redshift's grammar (r_CREATE_SCHEMA, r_ALTER_SCHEMA)."""

from collections.abc import Sequence

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.draft import Draft


def check_schema(draft: Draft) -> Sequence[str]:
    """Refuse a QUOTA; all else is PostgreSQL's, too.

    Raises:
        Refusal: The schema is given one.
    """
    if any(draft.word(index) == "quota" for index in range(3, len(draft))):
        raise absent_commands.QUOTA.refusal("QUOTA")
    return ()
