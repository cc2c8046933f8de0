"""How statements are recognised that Redshift refuses: each gives the token that is wrong, or None."""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.expressions import is_call
from sandbox.redshift.dialect.relations import relations
from sandbox.redshift.sql.tokens import words

_LONGEST_BEFORE_WITH = 3  # PREPARE name AS WITH
_WRITES = words("insert update delete merge")
_ORDERED_SETS = words("listagg percentile_cont percentile_disc")
_SELECT_LIST_ENDS = words("from where group having order limit union intersect except minus select into")
_ATTRIBUTES = words("backup diststyle distkey compound interleaved sortkey")
SYSTEM_COLUMNS = words("ctid xmin xmax cmin cmax tableoid")
# Of PostgreSQL 8.0, hence known to the leader node.
_LEADER_TYPES = words(
    "bit box bytea cidr circle inet line lseg macaddr money name oid path point polygon regclass regoper"
    " regoperator regproc regprocedure regtype"
) | {'"char"'}
CAST_TYPES = _LEADER_TYPES | words("bigint int int2 int4 int8 integer smallint text varchar") | {"B'", "X'"}
# Later than PostgreSQL 8.0.
LATER_TYPES = words(
    "citext datemultirange daterange hstore int4multirange int4range int8multirange int8range json jsonb"
    " jsonpath macaddr8 nummultirange numrange pg_lsn regcollation regnamespace regrole tsmultirange tsquery"
    " tsrange tstzmultirange tstzrange tsvector txid_snapshot uuid xml"
)
# Behind these a name is an operand, no label.
_BEFORE_OPERAND = words(
    "select distinct all by where and or not on having when then else case in between like is"
)


def conflict(draft: Draft, index: int) -> int | None:
    """``INSERT … ON CONFLICT``."""
    return index - 1 if draft.word(index - 1) == "on" and draft.word(0) in ("insert", "with") else None


def returning(draft: Draft, index: int) -> int | None:
    """``INSERT … RETURNING``."""
    writes = draft.word(0) in (*_WRITES, "with")
    return index if writes and draft.word(index - 1) != "as" else None


def distinct_on(draft: Draft, index: int) -> int | None:
    """``SELECT DISTINCT ON (…)``."""
    after_select = draft.word(index - 1) == "select" and draft.word(index + 1) == "on"
    return index if after_select and draft.is_operator(index + 2, "(") else None


def is_distinct_from(draft: Draft, index: int) -> int | None:
    """``IS [NOT] DISTINCT FROM``."""
    return index if draft.word(index + 1) == "from" and draft.word(index - 1) in ("is", "not") else None


def lateral(draft: Draft, index: int) -> int | None:
    """``LATERAL (SELECT …)``."""
    return index if draft.is_operator(index + 1, "(") or is_call(draft, index + 1) else None


def values_list(draft: Draft, index: int) -> int | None:
    """``(VALUES …)``, and VALUES alone."""
    return index if index == 0 or draft.is_operator(index - 1, "(") else None


def filter_clause(draft: Draft, index: int) -> int | None:
    """``sum(a) FILTER (WHERE …)``."""
    behind_call = draft.is_operator(index - 1, ")") and draft.is_operator(index + 1, "(")
    return index + 1 if behind_call and draft.word(index + 2) == "where" else None


def locking(draft: Draft, index: int) -> int | None:
    """``FOR UPDATE``, ``FOR SHARE``."""
    locks = draft.word(index + 1) in ("update", "share") or draft.words_at(index + 1, "no", "key")
    return index if locks else None


def window_clause(draft: Draft, index: int) -> int | None:
    """``WINDOW w AS (…)``."""
    return index if draft.word(index + 2) == "as" and draft.is_operator(index + 3, "(") else None


def array_constructor(draft: Draft, index: int) -> int | None:
    """``ARRAY[…]``, ``ARRAY(SELECT …)``."""
    of_query = draft.is_operator(index + 1, "(") and draft.word(index + 2) in ("select", "with")
    return index if draft.is_operator(index + 1, "[") or of_query else None


def write_in_with(draft: Draft, index: int) -> int | None:
    """``WITH x AS (DELETE …)``."""
    inside = draft.is_operator(index - 1, "(") and draft.word(index - 2) in ("as", "materialized")
    begins = draft.word(index) == "update" or draft.word(index + 1) in ("into", "from")
    return index if inside and begins else None


def write_behind_with(draft: Draft, index: int) -> int | None:
    """``WITH … INSERT INTO``; Redshift has UPDATE and DELETE there."""
    has_with = any(draft.word(at) == "with" for at in range(_LONGEST_BEFORE_WITH + 1))
    behind = has_with and draft.is_operator(index - 1, ")") and draft.enclosing(index) < 0
    return index if behind and draft.word(index + 1) == "into" else None


def materialized(draft: Draft, index: int) -> int | None:
    """``WITH x AS [NOT] MATERIALIZED (…)``."""
    before = index - 2 if draft.word(index - 1) == "not" else index - 1
    return index if draft.word(before) == "as" and draft.is_operator(index + 1, "(") else None


def fetch_first(draft: Draft, index: int) -> int | None:
    """``FETCH FIRST 5 ROWS ONLY``, ``FETCH NEXT ROW ONLY``."""
    first = index > 0 and draft.word(index + 1) in ("first", "next") and draft.word(index - 1) != "as"
    counted = draft.word(index + 2) in ("row", "rows") or draft.word(index + 3) in ("row", "rows")
    return index if first and counted else None


def offset_rows(draft: Draft, index: int) -> int | None:
    """``OFFSET 5 ROWS``."""
    counted = index > 1 and draft.tokens[index - 1].kind in ("number", "parameter")
    return index if counted and draft.word(index - 2) == "offset" else None


def tablesample(draft: Draft, index: int) -> int | None:
    """``TABLESAMPLE SYSTEM (5)``: a table may be called tablesample."""
    method = draft.word(index + 1) in ("bernoulli", "system")
    return index + 1 if method and draft.is_operator(index + 2, "(") else None


def within_group(draft: Draft, index: int) -> int | None:
    """``mode() WITHIN GROUP (…)``."""
    if not draft.is_operator(index - 1, ")") or draft.word(index + 1) != "group":
        return None
    function = draft.opening(index - 1) - 1
    return index if draft.word(function) and draft.word(function) not in _ORDERED_SETS else None


def set_operator_all(draft: Draft, index: int) -> int | None:
    """``EXCEPT ALL``."""
    query = draft.word(index + 1) == "select" or draft.is_operator(index + 1, "(")
    return index if query and draft.word(index - 1) in ("intersect", "except", "minus") else None


def to_timestamp(draft: Draft, index: int) -> int | None:
    """``to_timestamp(seconds)``."""
    return index if is_call(draft, index) and len(draft.arguments(index + 1)) == 1 else None


def cast_type(draft: Draft, index: int) -> int | None:
    """``x::type``, ``CAST(x AS type)``, ``type 'literal'``."""
    in_cast = draft.word(index - 1) == "as" and draft.word(draft.enclosing(index) - 1) in ("cast", "try_cast")
    literal = index + 1 < len(draft) and draft.tokens[index + 1].kind == "string"
    of_literal = literal and not draft.is_operator(index - 1, ".")
    return index if draft.is_operator(index - 1, "::") or in_cast or of_literal else None


def is_truth(draft: Draft, index: int) -> int | None:
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


def cast_beyond_tables(draft: Draft, index: int) -> int | None:
    """A cast to a type of the leader node's, or a bit string."""
    if draft.tokens[index].kind == "string":
        return index
    is_array = draft.is_operator(index + 1, "[")
    is_leaders = draft.word(index) in _LEADER_TYPES or draft.text(index) in _LEADER_TYPES
    return cast_type(draft, index) if is_array or is_leaders else None


def system_column(draft: Draft, _index: int) -> int | None:
    """``SELECT xmin FROM t``; not where the statement itself may have made a column of that name."""
    places = [at for at in range(len(draft)) if draft.word(at) in SYSTEM_COLUMNS]
    queries = sum(draft.word(at) in ("select", "with") for at in range(len(draft)))
    if queries > 1 or not all(_is_operand(draft, at) for at in places):
        return None
    tables = {relation.table for relation in relations(draft)}
    return next((at for at in places if draft.word(at) not in tables), None)


def _is_operand(draft: Draft, index: int) -> bool:
    if draft.is_operator(index + 1, "(") or draft.is_operator(index + 1, "."):
        return False
    before = draft.tokens[index - 1]
    return before.word in _BEFORE_OPERAND or (before.kind == "operator" and before.text != ")")


def table_attribute(draft: Draft, index: int) -> int | None:
    """What follows the parenthesis of ``(LIKE t)``; given where the parenthesis closes."""
    return index + 1 if draft.word(index + 1) in _ATTRIBUTES else None
