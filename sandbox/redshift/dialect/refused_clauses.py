"""Clauses, operators and literals of PostgreSQL's queries that Redshift's guide does not have.

A part of the table of refusals. What PostgreSQL 8.0, Redshift's ancestor, has and the guide does not mention
is left alone, unless the guide excludes it: it may run.
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.expressions import is_call
from sandbox.redshift.dialect.refusal_rule import Rule
from sandbox.redshift.sql.tokens import words

# What the rule for numerals is looked up by.
NUMERAL = "0x"
# Texts of interest that have no word of the table.
SIGNS = (
    r"@@|\^@|\b0[xXoObB]|[0-9]_[0-9]"
    r"|(?i:\bselect\s+(?:from|where)\b|\(\s*select\b|\bselect\s*(?:\)|;|\Z)|\b[bx]')"
)

_BEFORE_TABLE = words("from join update into table using")
_COMPARISONS = frozenset(("=", "<", ">", "<=", ">=", "<>", "!=", "~"))
_LIKES = words("like ilike to")
# Behind these a parenthesis is no function's.
_NO_FUNCTIONS = _BEFORE_TABLE | words(
    "all and any as by distinct else except exists from group having in intersect like minus not on or over"
    " partition select set some then union when where with"
)
_LONGEST_PATH = 5
_NORMAL_FORMS = words("nfc nfd nfkc nfkd")


def is_later_numeral(text: str) -> bool:
    """Whether a number is written as PostgreSQL 8.0 reads none: 0x1F, 1_000."""
    return (text[1:2].isalpha() and text[1] not in "eE") or "_" in text


def _set_list(draft: Draft, index: int) -> int | None:
    """``UPDATE t SET (a, b) = …``."""
    writes = draft.word(0) in ("update", "with", "merge", "explain", "prepare")
    return index + 1 if writes and draft.is_operator(index + 1, "(") else None


def _table_command(draft: Draft, index: int) -> int | None:
    """``TABLE t`` where a query may stand."""
    before = draft.word(index - 1)
    starts = index == 0 or (
        draft.is_operator(index - 1, "(") and draft.word(index - 2) in ("as", "in", "exists")
    )
    follows = before in ("union", "all", "except", "intersect", "minus")
    behind_insert = draft.word(0) == "insert" and index > 2 and before != "into"
    of_created = draft.word(0) == "create" and before == "as"
    return index if starts or follows or behind_insert or of_created else None


def _only(draft: Draft, index: int) -> int | None:
    """``FROM ONLY t``."""
    return index if draft.word(index - 1) in _BEFORE_TABLE else None


def _quantified(draft: Draft, index: int) -> int | None:
    """``= ANY ('{1, 2}')``, ``> ALL (SELECT …)``."""
    compares = draft.text(index - 1) in _COMPARISONS or draft.word(index - 1) in _LIKES
    if index == 0 or not compares or not draft.is_operator(index + 1, "("):
        return None
    equal = ("<>", "!=") if draft.word(index) == "all" else ("=",)
    inside = index + 2
    while draft.is_operator(inside, "("):
        inside += 1
    of_query = draft.word(inside) in ("select", "with")
    return None if of_query and draft.text(index - 1) in equal else index


def _row(draft: Draft, index: int) -> int | None:
    """``ROW(a, b)``."""
    return index if draft.is_operator(index + 1, "(") and is_call(draft, index) else None


def _collation(draft: Draft, index: int) -> int | None:
    """``b COLLATE "C"``, ``COLLATION FOR (b)``; COLLATE(b, 'ci') is a function."""
    if draft.word(index) == "collation":
        return index if draft.word(index + 1) == "for" and draft.is_operator(index + 2, "(") else None
    behind_name = draft.is_operator(index - 1, ".") or draft.word(index - 1) == "as"
    return None if behind_name or draft.is_operator(index + 1, "(") else index


def _using(draft: Draft, index: int) -> int | None:
    """``ORDER BY a USING <``, ``JOIN s USING (a) AS x``."""
    if draft.text(index + 1) in _COMPARISONS:
        return index
    columns = draft.is_operator(index + 1, "(") and draft.word(index + 2) not in ("select", "with", "")
    after = draft.closing(index + 1) + 1
    return after if columns and draft.word(after) == "as" else None


def _group_by_distinct(draft: Draft, index: int) -> int | None:
    """``GROUP BY DISTINCT a``."""
    return index if draft.words_at(index - 2, "group", "by") else None


def _ordered_aggregate(draft: Draft, index: int) -> int | None:
    """``sum(a ORDER BY b)``."""
    opening = draft.enclosing(index)
    name = draft.word(opening - 1) if opening > 0 else ""
    is_argument = (
        name and name not in _NO_FUNCTIONS and draft.word(opening + 1) not in ("select", "with", "order")
    )
    is_window = draft.word(opening + 1) == "partition"
    return index if is_argument and not is_window and draft.word(index + 1) == "by" else None


def _frame_exclusion(draft: Draft, index: int) -> int | None:
    """``OVER (… ROWS … EXCLUDE TIES)``; SELECT * EXCLUDE is another."""
    in_window = draft.word(draft.enclosing(index) - 1) == "over"
    return index if in_window and draft.word(index + 1) in ("current", "group", "ties", "no") else None


def _ordinality(draft: Draft, index: int) -> int | None:
    """``FROM f() WITH ORDINALITY``."""
    return index if draft.word(index - 1) == "with" and draft.is_operator(index - 2, ")") else None


def _symmetric(draft: Draft, index: int) -> int | None:
    """``BETWEEN SYMMETRIC``."""
    return index if draft.word(index - 1) == "between" else None


def _is_kind(draft: Draft, index: int) -> int | None:
    """``IS NORMALIZED``, ``IS JSON``."""
    before = index - 1 - (draft.word(index - 1) in _NORMAL_FORMS)
    before -= draft.word(before) == "not"
    return index if draft.word(before) == "is" else None


def _session_word(draft: Draft, index: int) -> int | None:
    """``CURRENT_ROLE``: reserved in PostgreSQL, hence no column's name without quotes."""
    named = draft.is_operator(index - 1, ".") or draft.word(index - 1) == "as"
    return None if named or draft.is_operator(index + 1, ".") else index


def _computed_limit(draft: Draft, index: int) -> int | None:
    """``LIMIT (SELECT …)``, ``LIMIT NULL``."""
    of_query = draft.is_operator(index + 1, "(") and draft.word(index + 2) in ("select", "with")
    return index + 1 if of_query or draft.word(index + 1) == "null" else None


def _empty_list(draft: Draft, index: int) -> int | None:
    """``SELECT FROM t``, ``SELECT``."""
    after = index + 1
    is_empty = after == len(draft) or draft.word(after) in ("from", "where") or draft.is_operator(after, ")")
    return index if is_empty and not draft.is_operator(index - 1, ".") else None


def _recursive_union(draft: Draft, _index: int) -> int | None:
    """``WITH RECURSIVE x (n) AS (SELECT … UNION SELECT … FROM x)``: the guide has UNION ALL."""
    unions: dict[int, int] = {}
    for at in range(len(draft)):
        if draft.word(at) == "union" and draft.word(at + 1) != "all":
            unions.setdefault(draft.enclosing(at), at)
    return next((at for opening, at in unions.items() if _names_itself(draft, opening)), None)


def _names_itself(draft: Draft, opening: int) -> bool:
    """Whether what a WITH has in the parentheses that open here reads from itself."""
    if opening < 2 or draft.word(opening - 1) != "as":
        return False
    last = opening - 2
    name = draft.tokens[draft.opening(last) - 1 if draft.is_operator(last, ")") else last].name
    body = draft.same_level(opening + 1, draft.closing(opening) - 1)
    return any(draft.word(at - 1) in _BEFORE_TABLE and draft.tokens[at].name == name for at in body)


def _search_or_cycle(draft: Draft, index: int) -> int | None:
    """``WITH RECURSIVE … SEARCH DEPTH FIRST BY n SET o``, ``CYCLE n SET c USING p``."""
    if not draft.is_operator(index - 1, ")"):
        return None
    search = draft.word(index) == "search" and draft.word(index + 1) in ("depth", "breadth")
    return index if search or draft.word(index + 2) == "set" else None


def _insert_alias(draft: Draft, index: int) -> int | None:
    """``INSERT INTO t AS x``."""
    at = index + 2
    while draft.is_operator(at + 1, "."):
        at += 2
    return at + 1 if draft.word(index + 1) == "into" and draft.word(at + 1) == "as" else None


def _overriding(draft: Draft, index: int) -> int | None:
    """``OVERRIDING SYSTEM VALUE``."""
    return index if draft.word(index + 2) == "value" and draft.word(0) != "select" else None


def _unlogged(draft: Draft, index: int) -> int | None:
    """``SELECT … INTO UNLOGGED x``."""
    return index if draft.word(index - 1) == "into" else None


def _text_search(draft: Draft, index: int) -> int | None:
    """``a @@ b``, ``a ^@ b``: signs without white space between them are one operator."""
    follows = draft.is_operator(index + 1, "@") and not draft.tokens[index + 1].spaced
    return index if follows else None


def _similar_pattern(draft: Draft, index: int) -> int | None:
    """``SUBSTRING(b SIMILAR 'x' ESCAPE '#')``."""
    return (
        index
        if draft.word(draft.enclosing(index) - 1) == "substring" and draft.word(index + 1) != "to"
        else None
    )


def _deep_path(draft: Draft, index: int) -> int | None:
    """``JSON_EXTRACT_PATH_TEXT`` with six path elements; a last TRUE or FALSE is none."""
    if not is_call(draft, index):
        return None
    arguments = draft.arguments(index + 1)
    path = len(arguments) - 1 - (draft.word(arguments[-1].first) in ("true", "false") if arguments else 0)
    return index if path > _LONGEST_PATH else None


def _numeral(_draft: Draft, index: int) -> int | None:
    """``0x1F``, ``1_000``."""
    return index


TABLE = (
    Rule("`UPDATE … SET (a, b) = …`", words("set"), _set_list, "r_UPDATE", "Write SET a = …, b = …."),
    Rule("`TABLE t`", words("table"), _table_command, "c_SQL_commands", "Write SELECT * FROM t."),
    Rule(
        "`ONLY t`",
        words("only"),
        _only,
        "c_unsupported-postgresql-features (inheritance), r_FROM_clause30",
        "Redshift's tables have no children: leave ONLY out.",
    ),
    Rule(
        "`ANY`, `SOME` but behind `=`, `ALL` but behind `<>`, and any of them with an array, in statements"
        " with a table",
        words("any some all"),
        _quantified,
        "r_comparison_condition",
        "Redshift has = ANY and <> ALL of a subquery: write IN (…), or compare with a MIN or MAX.",
        "{text} of this kind is not supported",
        "0A000",
        with_table=True,
    ),
    Rule(
        "`ROW(…)`",
        words("row"),
        _row,
        "c_unsupported-postgresql-features",
        "Redshift has no row constructors: compare lists, (a, b) = (1, 2).",
    ),
    Rule(
        "`COLLATE` behind a value, `COLLATION FOR`",
        words("collate collation"),
        _collation,
        "c_unsupported-postgresql-features, r_COLLATE",
        "Redshift has the function COLLATE(text, 'case_insensitive'), and orders by bytes.",
    ),
    Rule(
        "`ORDER BY a USING <`, `JOIN … USING (a) AS x`",
        words("using"),
        _using,
        "r_ORDER_BY_clause, r_FROM_clause30",
        "Write ASC or DESC; name the joined tables.",
    ),
    Rule(
        "`GROUP BY DISTINCT`",
        words("distinct"),
        _group_by_distinct,
        "r_GROUP_BY_clause",
        "Name each grouping set once.",
    ),
    Rule(
        "`ORDER BY` among an aggregate's arguments",
        words("order"),
        _ordered_aggregate,
        "c_Aggregate_Functions, r_LISTAGG",
        "LISTAGG takes WITHIN GROUP (ORDER BY …).",
    ),
    Rule(
        "`EXCLUDE` in a window's frame",
        words("exclude"),
        _frame_exclusion,
        "c_Window_functions",
        "Redshift's frames end at a row: compute the rest beside it.",
    ),
    Rule(
        "`WITH ORDINALITY`",
        words("ordinality"),
        _ordinality,
        "c_unsupported-postgresql-features (table functions)",
        "Use ROW_NUMBER().",
    ),
    Rule(
        "`BETWEEN SYMMETRIC`",
        words("asymmetric symmetric"),
        _symmetric,
        "r_range_condition",
        "Write BETWEEN LEAST(a, b) AND GREATEST(a, b).",
    ),
    Rule(
        "`IS NORMALIZED`, `IS JSON`",
        words("json normalized"),
        _is_kind,
        "r_conditions",
        "Redshift has IS_VALID_JSON.",
    ),
    Rule(
        "`CURRENT_CATALOG`, `CURRENT_ROLE`, `SYSTEM_USER`",
        words("current_catalog current_role system_user"),
        _session_word,
        "c_unsupported-postgresql-functions, r_System_information_functions",
        "Redshift has CURRENT_DATABASE() and CURRENT_USER.",
        'column "{text}" does not exist',
        "42703",
    ),
    Rule(
        "`LIMIT` of a query or of `NULL`",
        words("limit"),
        _computed_limit,
        "r_ORDER_BY_clause",
        "LIMIT takes a number or ALL.",
    ),
    Rule("`SELECT` of nothing", words("select"), _empty_list, "r_SELECT_synopsis", "Write SELECT 1."),
    Rule(
        "`WITH RECURSIVE` with `UNION` but `UNION ALL`, `SEARCH`, `CYCLE`",
        words("recursive"),
        _recursive_union,
        "r_WITH_clause",
        "Write UNION ALL, and end the recursion by a condition.",
        once=True,
    ),
    Rule("`SEARCH`, `CYCLE`", words("search cycle"), _search_or_cycle, "r_WITH_clause", "Order by a path."),
    Rule("`INSERT INTO t AS x`", words("insert"), _insert_alias, "r_INSERT_30", "Leave the alias out."),
    Rule("`OVERRIDING … VALUE`", words("overriding"), _overriding, "r_INSERT_30", "COPY has EXPLICIT_IDS."),
    Rule("`INTO UNLOGGED`", words("unlogged"), _unlogged, "r_SELECT_INTO", "Leave UNLOGGED out."),
    Rule(
        "`@@`, `^@`",
        frozenset(("@", "^")),
        _text_search,
        "c_unsupported-postgresql-functions (text search), r_OPERATOR_SYMBOLS",
        "Use LIKE.",
        "operator does not exist: {text}@",
        "42883",
    ),
    Rule(
        "`SUBSTRING(… SIMILAR …)`",
        words("similar"),
        _similar_pattern,
        "r_SUBSTRING",
        "Use REGEXP_SUBSTR.",
    ),
    Rule(
        "`JSON_EXTRACT_PATH_TEXT` of more than five levels",
        words("json_extract_path_text"),
        _deep_path,
        "JSON_EXTRACT_PATH_TEXT",
        "Take the value of the fifth level apart by another call.",
        "{text}: the path may have up to five levels",
        "22023",
    ),
    Rule(
        "`0x1F`, `1_000`",
        frozenset((NUMERAL,)),
        _numeral,
        "r_numeric_literals201",
        "Redshift's numbers are decimal: use STRTOL for others.",
    ),
)
