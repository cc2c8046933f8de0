"""What Redshift does not run, although PostgreSQL would."""

from collections.abc import Sequence

from sandbox.redshift.dialect import refusal_table, refused_functions
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.expressions import is_call
from sandbox.redshift.dialect.names import syntax_error
from sandbox.redshift.dialect.relations import Relation, relations
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

# They run on the leader node only, which has no user tables.
_LEADER_FUNCTIONS = words(
    "age current_schema current_schemas generate_series get_bit get_byte has_database_privilege"
    " has_schema_privilege has_table_privilege isfinite now set_bit set_byte to_ascii version"
)
_LEADER_WORDS = words("current_time current_timestamp localtime localtimestamp")
# They run on the compute nodes only, which have no work without a user table.
_COMPUTE_FUNCTIONS = words("listagg median percentile_cont percentile_disc")
_FRAMED_FUNCTIONS = words(
    "avg count first_value last_value listagg max min nth_value stddev stddev_pop stddev_samp sum var_pop"
    " var_samp variance"
)
_FRAME_STARTS = words("between unbounded current")
WORDS = (
    refused_functions.WORDS
    | _LEADER_FUNCTIONS
    | _LEADER_WORDS
    | _COMPUTE_FUNCTIONS
    | refusal_table.WORDS
    | words("over")
)


def check(draft: Draft) -> None:
    """Refuse the statement if Redshift does.

    Raises:
        Refusal: It does.
    """
    found = relations(draft)
    catalogs = [relation for relation in found if relation.is_catalog]
    tables = [relation for relation in found if not relation.is_catalog and not relation.is_system]
    creates = draft.word(0) == "create" and draft.word(1) != "view" and draft.word(3) != "view"
    if (catalogs or _calls_catalog(draft)) and not tables and not creates:
        return  # drivers' and tools' questions to the catalog: the leader node takes all of PostgreSQL
    has_table = bool(tables) or creates
    refusal_table.check(draft, has_table=has_table)
    for index in range(len(draft)):
        refused_functions.check(draft, index)
        if draft.word(index) == "over":
            _over(draft, index)
    on_compute_nodes = has_table or any(relation.is_system for relation in found)
    _check_nodes(draft, catalogs, has_table=has_table, on_compute_nodes=on_compute_nodes)


def _calls_catalog(draft: Draft) -> bool:
    return any(draft.word(index) == "pg_catalog" for index in range(len(draft)))


def _check_nodes(
    draft: Draft, catalogs: Sequence[Relation], *, has_table: bool, on_compute_nodes: bool
) -> None:
    """Refuse the other nodes' functions; system views are on compute nodes (c_sql-functions-leader-node)."""
    calls = [draft.word(index) for index in range(len(draft)) if is_call(draft, index)]
    if has_table:
        leader = [f"{word}()" for word in calls if word in _LEADER_FUNCTIONS]
        leader += [token.word for token in draft.tokens if token.word in _LEADER_WORDS]
        leader += [relation.table for relation in catalogs]
        if leader:
            raise Refusal(
                refusal_table.LEADER_ONLY,
                notices=tuple(f'Function "{name}" not supported.' for name in dict.fromkeys(leader)),
                hint="The leader node alone runs them. Use GETDATE() or SYSDATE for the time.",
            )
    elif not on_compute_nodes and _COMPUTE_FUNCTIONS & set(calls):
        raise Refusal(
            "One or more of the used functions must be applied on at least one user created table. "
            "Examples of user table only functions are LISTAGG, MEDIAN, PERCENTILE_CONT, etc."
        )


def _over(draft: Draft, index: int) -> None:
    """An aggregate's window with ORDER BY has no default frame in Redshift."""
    if not draft.is_operator(index + 1, "(") or not draft.is_operator(index - 1, ")"):
        return
    level = list(draft.same_level(index + 2, draft.closing(index + 1) - 1))
    for at in level:
        if draft.word(at) in ("range", "groups") and draft.word(at + 1) in _FRAME_STARTS:
            raise syntax_error(draft, at, hint="Redshift's window functions have only ROWS frames.")
    inside = {draft.word(at) for at in level}
    function = draft.word(draft.opening(index - 1) - 1)
    if function in _FRAMED_FUNCTIONS and "order" in inside and "rows" not in inside:
        raise Refusal(
            "Aggregate window functions with an ORDER BY clause require a frame clause",
            "42601",
            hint="Add ROWS UNBOUNDED PRECEDING or another ROWS frame.",
        )
