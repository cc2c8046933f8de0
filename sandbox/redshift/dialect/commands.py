"""Statements that are neither queries nor definitions: transactions, settings, maintenance."""

from collections.abc import Callable, Sequence

from sandbox.redshift.dialect import absent_commands, lexical, materialized, queries, roles, show
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import read_name, syntax_error
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

TRANSACTION_VERBS = frozenset(("begin", "start", "commit", "end", "rollback", "abort"))

# Session settings of Redshift that PostgreSQL does not know and that change no result.
_SETTINGS_WITHOUT_EFFECT = words(
    "analyze_threshold_percent auto_analyze enable_result_cache_for_session enable_vacuum_boost"
    " max_concurrency_scaling_clusters mv_enable_aqmv_for_session query_group wlm_query_slot_count"
)
_VACUUM_MODES = (("sort", "only"), ("delete", "only"), ("full",), ("reindex",), ("recluster",))
# Neither takes TO … PERCENT (Database Developer Guide, VACUUM; the rules below are from there, too).
_VACUUM_OF_ONE_TABLE = (("reindex",), ("recluster",))

_Rule = Callable[[Draft, bool], Sequence[str]]


def _begin(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    """Isolation levels are accepted and change nothing."""
    for index in range(1, len(draft)):
        if draft.words_at(index, "isolation", "level"):
            last = index + (3 if draft.word(index + 2) in ("read", "repeatable") else 2)
            if draft.is_operator(last + 1, ","):
                draft.remove(index, last + 1)
            else:
                draft.remove(index - draft.is_operator(index - 1, ","), last)
    return ()


def _rollback(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    if any(draft.word(index) == "to" for index in range(1, len(draft))):
        raise _unsupported(draft)
    return ()


def _set(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    at = 2 if draft.word(1) in ("session", "local") else 1
    for index in range(at, len(draft)):
        if draft.words_at(index, "isolation", "level"):
            draft.remove(index, len(draft) - 1)
            draft.after(index, "ISOLATION LEVEL REPEATABLE READ")
            return ()
    lexical.check_setting(draft, at)
    _setting(draft, at)
    return ()


def _reset(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    _setting(draft, 1)
    return ()


def _show(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    if draft.word(1) == "server_version":
        draft.rewrite_all("SELECT '8.0.2'::pg_catalog.text AS server_version")
    elif not show.rewrite(draft):
        lexical.check_shown(draft, 1)
        _setting(draft, 1)
        if (name := draft.word(1)) in _SETTINGS_WITHOUT_EFFECT:
            draft.rewrite_all(f"SELECT pg_catalog.current_setting('redshift.{name}') AS {name}")
    return ()


def _setting(draft: Draft, index: int) -> None:
    name = draft.word(index)
    if name in absent_commands.SETTING_NAMES:
        raise absent_commands.SETTINGS.refusal(f"The setting {name}")
    if name in _SETTINGS_WITHOUT_EFFECT:
        draft.before(index, "redshift.")


def _analyze(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    for index in range(1, len(draft)):
        if draft.is_operator(index, ",") and draft.depth(index) == 0:
            # "You can't specify more than one table_name" (Database Developer Guide, ANALYZE).
            raise syntax_error(draft, index)
    end = len(draft) - 1
    if draft.word(end) == "columns" and draft.word(end - 1) in ("predicate", "all"):
        draft.remove(end - 1, end)
    return ()


def _vacuum(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    """PostgreSQL's plain VACUUM for every kind: it keeps no sort order to restore."""
    mode = next((mode for mode in _VACUUM_MODES if draft.words_at(1, *mode)), ())
    at, table = 1 + len(mode), ""
    if at < len(draft) and draft.word(at) not in ("to", "boost"):
        name = read_name(draft, at)
        table, at = f" {name.sql}", name.last + 1
    elif at < len(draft) or mode in _VACUUM_OF_ONE_TABLE:
        # "If a table name is omitted, VACUUM fails": with TO, BOOST, REINDEX and RECLUSTER one is required.
        raise syntax_error(draft, at, hint="This VACUUM needs the name of a table.")
    if draft.word(at) == "to" and draft.word(at + 2) == "percent" and mode not in _VACUUM_OF_ONE_TABLE:
        _check_threshold(draft, at + 1)
        at += 3
    # "BOOST isn't supported with REINDEX."
    at += draft.word(at) == "boost" and mode != ("reindex",)
    if at < len(draft):
        raise syntax_error(draft, at)
    draft.rewrite_all(f"VACUUM{table}")
    return ()


def _check_threshold(draft: Draft, index: int) -> None:
    """The threshold "must be an integer between 0 and 100"; what else is refused with is not documented."""
    text = draft.text(index)
    if not (text.isdecimal() and int(text) <= 100):
        raise syntax_error(draft, index, hint="The threshold must be an integer between 0 and 100.")


def _lock(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    for index in range(1, len(draft)):
        if draft.word(index) == "in":
            raise syntax_error(draft, index, hint="Redshift's LOCK is always ACCESS EXCLUSIVE.")
    return ()


def _pass(_draft: Draft, _in_transaction: bool) -> Sequence[str]:
    return ()


def _inner_query(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    queries.rewrite(draft)
    return ()


def _unsupported(draft: Draft) -> Refusal:
    return Refusal(f'SQL command "{draft.render()}" not supported.')


def _refuse(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    raise _unsupported(draft)


RULES: dict[str, _Rule] = {
    "begin": _begin,
    "start": _begin,
    "rollback": _rollback,
    "abort": _rollback,
    "set": _set,
    "reset": _reset,
    "show": _show,
    "analyze": _analyze,
    "analyse": _analyze,
    "vacuum": _vacuum,
    "lock": _lock,
    "grant": roles.rewrite_grant,
    "revoke": roles.rewrite_grant,
    "refresh": materialized.refresh,
    **dict.fromkeys(("explain", "prepare", "declare"), _inner_query),
    **dict.fromkeys(("commit", "end", "comment", "execute", "deallocate", "fetch", "close"), _pass),
    # asyncpg's pool sends it with every connection that comes back.
    "unlisten": _pass,
    **dict.fromkeys(
        words(
            "call checkpoint cluster discard do import listen load move notify reassign reindex"
            " release savepoint security"
        ),
        _refuse,
    ),
}
