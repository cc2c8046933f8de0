"""PostgreSQL's catalogs as Redshift's: columns of 8.0 that are gone, and what Redshift has besides."""

from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.relations import relations
from sandbox.redshift.sql.tokens import words

# Column -> what PostgreSQL 16 has; {0} is the table's alias.
_COLUMNS = {
    "relhasoids": "false",
    "proisagg": "({0}.prokind = 'a')",
    "proiswindow": "({0}.prokind = 'w')",
}
# What describes a constraint or an index by its number.
_FUNCTIONS = words("pg_get_constraintdef pg_get_indexdef")
# What pg_internal has under the same name, to be read in its place (catalog/24_catalogs.sql).
_CATALOGS = {
    "pg_catalog": words(
        "pg_attrdef pg_attribute pg_class pg_constraint pg_default_acl pg_depend pg_index pg_locks"
        " pg_stat_activity"
    )
    | _FUNCTIONS,
    "information_schema": words("columns"),
}
WORDS = frozenset(_COLUMNS)


def rewrite(draft: Draft) -> None:
    """Let the statement read the catalogs as they are on Redshift: its clients ask for more than is here."""
    for index, token in enumerate(draft.tokens):
        word = draft.word(index)
        if draft.is_operator(index - 1, "."):
            if word in _COLUMNS:
                draft.rewrite(Span(index - 2, index), _COLUMNS[word].format(draft.text(index - 2)))
        elif word in _FUNCTIONS and draft.is_operator(index + 1, "("):
            draft.before(index, "pg_internal.")
        elif token.name in _CATALOGS and _member(draft, index) in _CATALOGS[token.name]:
            draft.replace(index, "pg_internal")
    for relation in relations(draft):
        if not relation.schema and relation.table in _CATALOGS["pg_catalog"]:
            draft.before(relation.first, "pg_internal.")


def _member(draft: Draft, index: int) -> str:
    """The name behind a schema's; empty without one."""
    has_one = draft.is_operator(index + 1, ".") and index + 2 < len(draft)
    return draft.tokens[index + 2].name if has_one else ""
