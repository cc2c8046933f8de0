"""The table of what PostgreSQL would run and Redshift refuses: how it is recognised, and what is said of it.

A rule finds tokens, hence never anything in constants, comments or quoted names.
"""

from sandbox.redshift.dialect import absent, correlation, recognition, refused_clauses, refused_windows
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.refusal_rule import Rule
from sandbox.redshift.sql.tokens import words

# Redshift's words for what only its leader node could run.
LEADER_ONLY = "Specified types or functions (one per INFO message) not supported on Redshift tables."


TABLE = (
    Rule(
        "`WITH … INSERT`, `WITH … MERGE`",
        words("insert merge"),
        recognition.write_behind_with,
        "r_WITH_clause, r_INSERT_30",
        "Redshift takes INSERT INTO table WITH … SELECT; MERGE takes a subquery.",
    ),
    Rule(
        "`WITH x AS (DELETE …)`",
        words("insert update delete merge"),
        recognition.write_in_with,
        "r_WITH_clause",
        "Redshift has only queries in WITH: write two statements in one transaction.",
    ),
    Rule(
        "`AS [NOT] MATERIALIZED`",
        words("materialized"),
        recognition.materialized,
        "r_WITH_clause",
        "Redshift decides itself: write WITH name AS (…).",
    ),
    Rule(
        "`ON CONFLICT`",
        words("conflict"),
        recognition.conflict,
        "r_INSERT_30",
        "Redshift has no ON CONFLICT: use MERGE, or DELETE and INSERT.",
    ),
    Rule(
        "`RETURNING`", words("returning"), recognition.returning, "r_INSERT_30", "Redshift has no RETURNING."
    ),
    Rule(
        "`DISTINCT ON`",
        words("distinct"),
        recognition.distinct_on,
        "r_SELECT_list",
        "Use ROW_NUMBER() with QUALIFY.",
        "SELECT DISTINCT ON is not supported",
        "0A000",
    ),
    Rule(
        "`IS DISTINCT FROM`",
        words("distinct"),
        recognition.is_distinct_from,
        "c_unsupported-postgresql-functions",
        "Redshift has no IS DISTINCT FROM.",
    ),
    Rule("`LATERAL`", words("lateral"), recognition.lateral, "r_FROM_clause30", "Redshift has no LATERAL."),
    Rule(
        "`FROM (VALUES …)`",
        words("values"),
        recognition.values_list,
        "c_unsupported-postgresql-features",
        "Redshift has VALUES only in INSERT: use SELECT … UNION ALL.",
    ),
    Rule(
        "`FILTER`",
        words("filter"),
        recognition.filter_clause,
        "c_Aggregate_Functions",
        "Redshift has no FILTER: aggregate CASE WHEN … END.",
    ),
    Rule(
        "`FOR UPDATE`",
        words("for"),
        recognition.locking,
        "r_SELECT_synopsis",
        "LOCK the table.",
        "SELECT FOR UPDATE/SHARE is not supported",
        "0A000",
    ),
    Rule(
        "`WINDOW`",
        words("window"),
        recognition.window_clause,
        "r_Window_function_synopsis",
        "Redshift has no WINDOW clause: write the window behind OVER.",
    ),
    Rule(
        "array constructors",
        words("array"),
        recognition.array_constructor,
        "c_unsupported-postgresql-features",
        "Redshift has no PostgreSQL arrays.",
        "ARRAY constructors are not supported",
        "0A000",
    ),
    Rule(
        "`FETCH FIRST`",
        words("fetch"),
        recognition.fetch_first,
        "r_ORDER_BY_clause",
        "Use LIMIT, or TOP behind SELECT.",
    ),
    Rule(
        "`OFFSET n ROWS`",
        words("row rows"),
        recognition.offset_rows,
        "r_ORDER_BY_clause",
        "Write OFFSET n without ROWS.",
    ),
    Rule(
        "`TABLESAMPLE`",
        words("tablesample"),
        recognition.tablesample,
        "r_FROM_clause30",
        "Redshift has no TABLESAMPLE: write WHERE RANDOM() < 0.1.",
    ),
    Rule(
        "`WITHIN GROUP` but with `LISTAGG`, `PERCENTILE_CONT`, `PERCENTILE_DISC` (so `MODE`)",
        words("within"),
        recognition.within_group,
        "c_Aggregate_Functions",
        "Redshift has no MODE(): count by value, and take the first by ROW_NUMBER().",
    ),
    Rule(
        "`INTERSECT ALL`, `EXCEPT ALL`",
        words("all"),
        recognition.set_operator_all,
        "r_UNION",
        "Redshift has ALL only behind UNION: number equal rows by ROW_NUMBER().",
    ),
    Rule(
        "`TO_TIMESTAMP` with one argument",
        words("to_timestamp"),
        recognition.to_timestamp,
        "r_TO_TIMESTAMP",
        "Write TIMESTAMP 'epoch' + seconds * INTERVAL '1 second'.",
        "function {text} with one argument does not exist",
        "42883",
    ),
    Rule(
        "casts to and literals of `JSON`, `JSONB`, `UUID`, `XML`, ranges and text search types",
        recognition.LATER_TYPES,
        recognition.cast_type,
        "c_unsupported-postgresql-datatypes",
        "Redshift has JSON_EXTRACT_PATH_TEXT for JSON in VARCHAR; keep a UUID in VARCHAR(36).",
        'type "{text}" does not exist',
        "42704",
    ),
    Rule(
        "`IS TRUE` and the like in the select list of a query with `FROM`",
        words("select"),
        recognition.is_truth,
        "r_Boolean_type",
        "Redshift has IS TRUE, IS FALSE and IS UNKNOWN only as predicates: write x = TRUE, or CASE.",
        "Not implemented",
        "XX000",
    ),
    Rule(
        "correlated subqueries that skip a query block, have a window function, stand in an outer join's"
        " `ON`, give what `GROUP BY` names, or aggregate with `GROUP BY` behind `IN`",
        correlation.WORDS,
        correlation.undecorrelated,
        "r_correlated_subqueries; the error in github.com/SQLMesh/sqlmesh/issues/5342",
        "Join with a subquery instead.",
        "This type of correlated subquery pattern is not supported due to internal error",
        "XX000",
        once=True,
    ),
    Rule(
        "system columns (`ctid`, `xmin`, …)",
        recognition.SYSTEM_COLUMNS,
        recognition.system_column,
        "c_unsupported-postgresql-features",
        "Redshift has no system columns: tell rows apart by a key, or by ROW_NUMBER().",
        'column "{text}" does not exist',
        "42703",
        once=True,
    ),
    Rule(
        "arrays, `BYTEA`, `BIT`, `MONEY`, network, geometric and internal types (`OID`, `NAME`, …) in"
        " statements with a table",
        recognition.CAST_TYPES,
        recognition.cast_beyond_tables,
        "c_unsupported-postgresql-datatypes",
        "Redshift's tables know only the types of its guide; list values behind IN.",
        LEADER_ONLY,
        "0A000",
        with_table=True,
    ),
    *refused_clauses.TABLE,
    *refused_windows.TABLE,
)
LIKE_WITH_ATTRIBUTES = Rule(
    "`(LIKE t)` with `DISTKEY`, `DISTSTYLE`, `SORTKEY` or `BACKUP`",
    words("like"),
    recognition.table_attribute,
    "r_CREATE_TABLE_NEW",
    "The table takes these from the one it is like: name its columns, or write CREATE TABLE … AS.",
    "{text} cannot be set in CREATE TABLE (LIKE)",
    "0A000",
)
_RULES = (*TABLE, *absent.TABLE)
_EVERYWHERE = {
    word: [rule for rule in _RULES if word in rule.words] for rule in _RULES for word in rule.words
}
# Every query has SELECT: only those with IS TRUE are of interest.
WORDS = frozenset(word for word in _EVERYWHERE if word.isidentifier()) - words("select") | words(
    "true false unknown"
)
# The texts of interest that have none of the words.
SIGNS = f"{refused_clauses.SIGNS}|{absent.SIGNS}"


def check(draft: Draft, *, has_table: bool) -> None:
    """Refuse the statement if a rule does.

    Raises:
        Refusal: One does.
    """
    done = set()
    for index in range(len(draft)):
        for rule in _EVERYWHERE.get(_key(draft, index), ()):
            if (rule.with_table and not has_table) or rule.name in done:
                continue
            if rule.once:
                done.add(rule.name)
            rule.check(draft, index)


def _key(draft: Draft, index: int) -> str:
    """What a rule is looked up by at a token."""
    token = draft.tokens[index]
    if token.kind == "string":
        return token.text[:2].upper()
    if token.kind == "number":
        return refused_clauses.NUMERAL if refused_clauses.is_later_numeral(token.text) else ""
    return absent.FAMILY if absent.is_of_family(token.word) else token.word or token.text
