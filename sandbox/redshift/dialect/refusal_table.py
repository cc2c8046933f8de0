"""The table of what PostgreSQL would run and Redshift refuses: how it is recognised, and what is said of it.

A rule finds tokens, hence never anything in constants, comments or quoted names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.expressions import is_call
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

_SYNTAX = 'syntax error at or near "{text}"'
_WRITES = words("insert update delete merge")
_ORDERED_SETS = words("listagg percentile_cont percentile_disc")
_SELECT_LIST_ENDS = words("from where group having order limit union intersect except minus select into")


@dataclass(frozen=True)
class Rule:
    """One thing that Redshift refuses.

    Args:
        name: What docs/sandbox.md calls it.
        words: It is looked for at each of these words.
        found: The token that is wrong, None without one; given the statement and where the word stands.
        source: The page of Amazon's guide that says so, or where the error has been seen.
        message: Redshift's; `{text}` is the wrong token.
        sqlstate: Redshift's; a syntax error's where nothing else is known.
        hint: What to write instead.
    """

    name: str
    words: frozenset[str]
    found: Callable[[Draft, int], int | None]
    source: str
    hint: str
    message: str = _SYNTAX
    sqlstate: str = "42601"

    def check(self, draft: Draft, index: int) -> None:
        """Refuse what stands at `index`, if the rule says so.

        Raises:
            Refusal: It does.
        """
        at = self.found(draft, index)
        if at is not None:
            raise Refusal(self.message.format(text=draft.text(at)), self.sqlstate, hint=self.hint)


def _conflict(draft: Draft, index: int) -> int | None:
    return index - 1 if draft.word(index - 1) == "on" and draft.word(0) in ("insert", "with") else None


def _returning(draft: Draft, index: int) -> int | None:
    writes = draft.word(0) in (*_WRITES, "with")
    return index if writes and draft.word(index - 1) != "as" else None


def _distinct_on(draft: Draft, index: int) -> int | None:
    after_select = draft.word(index - 1) == "select" and draft.word(index + 1) == "on"
    return index if after_select and draft.is_operator(index + 2, "(") else None


def _is_distinct_from(draft: Draft, index: int) -> int | None:
    return index if draft.word(index + 1) == "from" and draft.word(index - 1) in ("is", "not") else None


def _lateral(draft: Draft, index: int) -> int | None:
    return index if draft.is_operator(index + 1, "(") or is_call(draft, index + 1) else None


def _values(draft: Draft, index: int) -> int | None:
    return index if draft.is_operator(index - 1, "(") else None


def _filter(draft: Draft, index: int) -> int | None:
    behind_call = draft.is_operator(index - 1, ")") and draft.is_operator(index + 1, "(")
    return index + 1 if behind_call and draft.word(index + 2) == "where" else None


def _for(draft: Draft, index: int) -> int | None:
    locks = draft.word(index + 1) in ("update", "share") or draft.words_at(index + 1, "no", "key")
    return index if locks else None


def _window(draft: Draft, index: int) -> int | None:
    return index if draft.word(index + 2) == "as" and draft.is_operator(index + 3, "(") else None


def _array(draft: Draft, index: int) -> int | None:
    of_query = draft.is_operator(index + 1, "(") and draft.word(index + 2) in ("select", "with")
    return index if draft.is_operator(index + 1, "[") or of_query else None


def _write_in_with(draft: Draft, index: int) -> int | None:
    """``WITH x AS (DELETE …)``."""
    inside = draft.is_operator(index - 1, "(") and draft.word(index - 2) in ("as", "materialized")
    begins = draft.word(index) == "update" or draft.word(index + 1) in ("into", "from")
    return index if inside and begins else None


def _write_behind_with(draft: Draft, index: int) -> int | None:
    """``WITH … INSERT INTO``; Redshift has UPDATE and DELETE there."""
    behind = draft.is_operator(index - 1, ")") and draft.enclosing(index) < 0
    return index if behind and draft.word(index + 1) == "into" else None


def _materialized(draft: Draft, index: int) -> int | None:
    before = index - 2 if draft.word(index - 1) == "not" else index - 1
    return index if draft.word(before) == "as" and draft.is_operator(index + 1, "(") else None


def _fetch(draft: Draft, index: int) -> int | None:
    first = index > 0 and draft.word(index + 1) in ("first", "next") and draft.word(index - 1) != "as"
    counted = draft.word(index + 2) in ("row", "rows") or draft.word(index + 3) in ("row", "rows")
    return index if first and counted else None


def _offset_rows(draft: Draft, index: int) -> int | None:
    counted = index > 1 and draft.tokens[index - 1].kind in ("number", "parameter")
    return index if counted and draft.word(index - 2) == "offset" else None


def _tablesample(draft: Draft, index: int) -> int | None:
    method = draft.word(index + 1) in ("bernoulli", "system")
    return index + 1 if method and draft.is_operator(index + 2, "(") else None


def _within_group(draft: Draft, index: int) -> int | None:
    if not draft.is_operator(index - 1, ")") or draft.word(index + 1) != "group":
        return None
    function = draft.opening(index - 1) - 1
    return index if draft.word(function) and draft.word(function) not in _ORDERED_SETS else None


def _all(draft: Draft, index: int) -> int | None:
    query = draft.word(index + 1) == "select" or draft.is_operator(index + 1, "(")
    return index if query and draft.word(index - 1) in ("intersect", "except", "minus") else None


def _to_timestamp(draft: Draft, index: int) -> int | None:
    return index if is_call(draft, index) and len(draft.arguments(index + 1)) == 1 else None


def _cast(draft: Draft, index: int) -> int | None:
    in_cast = draft.word(index - 1) == "as" and draft.word(draft.enclosing(index) - 1) in ("cast", "try_cast")
    return index if draft.is_operator(index - 1, "::") or in_cast else None


def _is_truth(draft: Draft, index: int) -> int | None:
    """``SELECT x IS TRUE FROM t``, not within CASE or a call, of which nothing is said."""
    cases, found = 0, None
    for at in draft.same_level(index + 1, len(draft) - 1):
        word = draft.word(at)
        if word in _SELECT_LIST_ENDS or draft.is_operator(at, ")"):
            return found if word == "from" else None
        cases += (word == "case") - (word == "end")
        if word in ("true", "false", "unknown") and not cases and found is None:
            before = at - 2 if draft.word(at - 1) == "not" else at - 1
            found = at if draft.word(before) == "is" else None
    return None


TABLE = (
    Rule(
        "`WITH … INSERT`, `WITH … MERGE`",
        words("insert merge"),
        _write_behind_with,
        "r_WITH_clause, r_INSERT_30",
        "Redshift takes INSERT INTO table WITH … SELECT; MERGE takes a subquery.",
    ),
    Rule(
        "`WITH x AS (DELETE …)`",
        words("insert update delete merge"),
        _write_in_with,
        "r_WITH_clause",
        "Redshift has only queries in WITH: write two statements in one transaction.",
    ),
    Rule(
        "`AS [NOT] MATERIALIZED`",
        words("materialized"),
        _materialized,
        "r_WITH_clause",
        "Redshift decides itself: write WITH name AS (…).",
    ),
    Rule(
        "`ON CONFLICT`",
        words("conflict"),
        _conflict,
        "r_INSERT_30",
        "Redshift has no ON CONFLICT: use MERGE, or DELETE and INSERT.",
    ),
    Rule("`RETURNING`", words("returning"), _returning, "r_INSERT_30", "Redshift has no RETURNING."),
    Rule(
        "`DISTINCT ON`",
        words("distinct"),
        _distinct_on,
        "r_SELECT_list",
        "Use ROW_NUMBER() with QUALIFY.",
        "SELECT DISTINCT ON is not supported",
        "0A000",
    ),
    Rule(
        "`IS DISTINCT FROM`",
        words("distinct"),
        _is_distinct_from,
        "c_unsupported-postgresql-functions",
        "Redshift has no IS DISTINCT FROM.",
    ),
    Rule("`LATERAL`", words("lateral"), _lateral, "r_FROM_clause30", "Redshift has no LATERAL."),
    Rule(
        "`FROM (VALUES …)`",
        words("values"),
        _values,
        "c_unsupported-postgresql-features",
        "Redshift has VALUES only in INSERT: use SELECT … UNION ALL.",
    ),
    Rule(
        "`FILTER`",
        words("filter"),
        _filter,
        "c_Aggregate_Functions",
        "Redshift has no FILTER: aggregate CASE WHEN … END.",
    ),
    Rule(
        "`FOR UPDATE`",
        words("for"),
        _for,
        "r_SELECT_synopsis",
        "LOCK the table.",
        "SELECT FOR UPDATE/SHARE is not supported",
        "0A000",
    ),
    Rule(
        "`WINDOW`",
        words("window"),
        _window,
        "r_Window_function_synopsis",
        "Redshift has no WINDOW clause: write the window behind OVER.",
    ),
    Rule(
        "array constructors",
        words("array"),
        _array,
        "c_unsupported-postgresql-features",
        "Redshift has no PostgreSQL arrays.",
        "ARRAY constructors are not supported",
        "0A000",
    ),
    Rule("`FETCH FIRST`", words("fetch"), _fetch, "r_ORDER_BY_clause", "Use LIMIT, or TOP behind SELECT."),
    Rule(
        "`OFFSET n ROWS`",
        words("row rows"),
        _offset_rows,
        "r_ORDER_BY_clause",
        "Write OFFSET n without ROWS.",
    ),
    Rule(
        "`TABLESAMPLE`",
        words("tablesample"),
        _tablesample,
        "r_FROM_clause30",
        "Redshift has no TABLESAMPLE: write WHERE RANDOM() < 0.1.",
    ),
    Rule(
        "`WITHIN GROUP` but with `LISTAGG`, `PERCENTILE_CONT`, `PERCENTILE_DISC` (so `MODE`)",
        words("within"),
        _within_group,
        "c_Aggregate_Functions",
        "Redshift has no MODE(): count by value, and take the first by ROW_NUMBER().",
    ),
    Rule(
        "`INTERSECT ALL`, `EXCEPT ALL`",
        words("all"),
        _all,
        "r_UNION",
        "Redshift has ALL only behind UNION: number equal rows by ROW_NUMBER().",
    ),
    Rule(
        "`TO_TIMESTAMP` with one argument",
        words("to_timestamp"),
        _to_timestamp,
        "r_TO_TIMESTAMP",
        "Write TIMESTAMP 'epoch' + seconds * INTERVAL '1 second'.",
        "function {text} with one argument does not exist",
        "42883",
    ),
    Rule(
        "casts to `JSON`, `JSONB`, `UUID`, `XML`",
        words("json jsonb uuid xml"),
        _cast,
        "c_unsupported-postgresql-datatypes",
        "Redshift has JSON_EXTRACT_PATH_TEXT for JSON in VARCHAR; keep a UUID in VARCHAR(36).",
        'type "{text}" does not exist',
        "42704",
    ),
    Rule(
        "`IS TRUE` and the like in the select list of a query with `FROM`",
        words("select"),
        _is_truth,
        "r_Boolean_type",
        "Redshift has IS TRUE, IS FALSE and IS UNKNOWN only as predicates: write x = TRUE, or CASE.",
        "Not implemented",
        "XX000",
    ),
)
_AT_WORD = {word: [rule for rule in TABLE if word in rule.words] for rule in TABLE for word in rule.words}
# Every query has SELECT: only those with IS TRUE are of interest.
WORDS = (frozenset(_AT_WORD) - words("select")) | words("true false unknown")


def rules_at(word: str) -> Iterator[Rule]:
    """The rules that look at this word."""
    yield from _AT_WORD.get(word, ())
