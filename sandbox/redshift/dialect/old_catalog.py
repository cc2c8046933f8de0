"""Catalog columns of PostgreSQL 8.0, which clients ask for because the endpoint says it is 8.0.2."""

from sandbox.redshift.dialect.draft import Draft, Span

# Column -> what PostgreSQL 16 has; {0} is the table's alias.
_COLUMNS = {
    "relhasoids": "false",
    "proisagg": "({0}.prokind = 'a')",
    "proiswindow": "({0}.prokind = 'w')",
    "adsrc": "pg_catalog.pg_get_expr({0}.adbin, {0}.adrelid)",
    "consrc": "pg_catalog.pg_get_constraintdef({0}.oid)",
}
WORDS = frozenset(_COLUMNS)


def rewrite(draft: Draft) -> None:
    """Replace the columns that are gone: psql asks for them to describe tables and functions."""
    for index in range(2, len(draft)):
        replacement = _COLUMNS.get(draft.word(index))
        if replacement and draft.is_operator(index - 1, "."):
            draft.rewrite(Span(index - 2, index), replacement.format(draft.text(index - 2)))
