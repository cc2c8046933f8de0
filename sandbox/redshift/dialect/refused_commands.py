"""Forms of commands that PostgreSQL would run and Redshift's guide does not have.

A part of the table of refusals; each rule is asked once, about the whole statement.
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.refusal_rule import Rule
from sandbox.redshift.sql.tokens import words

_ROLE_OPTIONS = words(
    "admin bypassrls createrole inherit login nobypassrls nocreaterole noinherit nologin noreplication"
    " nosuperuser replication role superuser"
)
_NO_OBJECTS = words("domain foreign large parameter sequence sequences tablespace type types")
_CURSOR_WORDS = words("asensitive binary insensitive no scroll")


def _explain_option(draft: Draft, index: int) -> int | None:
    at = index + 1 + (draft.word(index + 1) == "verbose")
    return at if draft.word(at) in ("analyze", "analyse") or draft.is_operator(at, "(") else None


def _cursor_option(draft: Draft, index: int) -> int | None:
    """Not WITHOUT HOLD: psycopg2 writes it, and it says what holds anyhow."""
    for at in range(index + 2, len(draft)):
        if draft.word(at) in _CURSOR_WORDS or draft.words_at(at, "with", "hold"):
            return at
        if draft.word(at) == "for":
            break
    return None


def _deferrable(draft: Draft, _index: int) -> int | None:
    return next((at for at in range(1, len(draft)) if draft.word(at) == "deferrable"), None)


def _and_chain(draft: Draft, _index: int) -> int | None:
    return next((at for at in range(1, len(draft)) if draft.words_at(at, "and", "chain")), None)


def _prepared_transaction(draft: Draft, index: int) -> int | None:
    second = ("transaction",) if draft.word(index) == "prepare" else ("prepared",)
    is_string = index + 2 < len(draft) and draft.tokens[index + 2].kind == "string"
    return index + 1 if is_string and draft.word(index + 1) in second else None


def _set_role(draft: Draft, index: int) -> int | None:
    at = index + 1 + (draft.word(index + 1) in ("session", "local"))
    is_setting = draft.word(at + 1) == "to" or draft.is_operator(at + 1, "=")
    return at if draft.word(at) in ("constraints", "role") and not is_setting else None


def _analyze_options(draft: Draft, index: int) -> int | None:
    return index + 1 if draft.is_operator(index + 1, "(") else None


def _granted_object(draft: Draft, index: int) -> int | None:
    for at in range(index + 1, len(draft)):
        if draft.word(at) == "on":
            kind = at + 2 if draft.word(at + 1) == "all" else at + 1
            named = kind + 1 < len(draft) and draft.tokens[kind + 1].is_name and draft.word(kind + 1) != "to"
            return kind if draft.word(kind) in _NO_OBJECTS and named else None
    return None


def _role_option(draft: Draft, index: int) -> int | None:
    """Behind the name of a user or role."""
    at = index + 3
    if draft.word(index + 1) not in ("role", "user"):
        return None
    options = (at for at in range(at, len(draft)) if draft.word(at) in _ROLE_OPTIONS)
    return next((at for at in options if draft.word(at - 1) not in ("group", "to", "rename")), None)


def _view_option(draft: Draft, index: int) -> int | None:
    """``CREATE VIEW v WITH (…)``."""
    for at in range(index + 1, len(draft)):
        if draft.word(at) == "as":
            return None
        if draft.word(at) == "with" and draft.is_operator(at + 1, "("):
            return at if "view" in {draft.word(before) for before in range(index, at)} else None
    return None


def _dropped_column(draft: Draft, index: int) -> int | None:
    """``ALTER TABLE t DROP COLUMN IF EXISTS a``."""
    if draft.word(index + 1) != "table":
        return None
    found = (at for at in range(index + 3, len(draft)) if draft.words_at(at, "if", "exists"))
    return next((at for at in found if draft.word(at - 1) in ("drop", "column")), None)


TABLE = (
    Rule("`EXPLAIN ANALYZE`, `EXPLAIN (…)`", words("explain"), _explain_option, "r_EXPLAIN", "Use EXPLAIN."),
    Rule(
        "`DECLARE` with `SCROLL`, `BINARY`, `INSENSITIVE` or `WITH HOLD`",
        words("declare"),
        _cursor_option,
        "declare",
        "Redshift's cursors go forward, within a transaction.",
    ),
    Rule(
        "`BEGIN DEFERRABLE`",
        words("begin set start"),
        _deferrable,
        "r_BEGIN",
        "Redshift has READ ONLY and READ WRITE.",
    ),
    Rule(
        "`AND CHAIN`",
        words("abort commit end rollback"),
        _and_chain,
        "r_COMMIT, r_ROLLBACK",
        "Write BEGIN behind it.",
    ),
    Rule(
        "`PREPARE TRANSACTION`, `COMMIT PREPARED`",
        words("commit prepare rollback"),
        _prepared_transaction,
        "c_SQL_commands",
        "Redshift has no transactions in two phases.",
    ),
    Rule(
        "`SET ROLE`, `SET CONSTRAINTS`",
        words("set"),
        _set_role,
        "r_SET, c_SQL_commands",
        "A superuser has SET SESSION AUTHORIZATION; constraints are not enforced.",
    ),
    Rule(
        "`ANALYZE (…)`", words("analyse analyze"), _analyze_options, "r_ANALYZE", "Write ANALYZE VERBOSE t."
    ),
    Rule(
        "`GRANT … ON SEQUENCE` and the like",
        words("grant revoke"),
        _granted_object,
        "r_GRANT",
        "Redshift has no such objects.",
    ),
    Rule(
        "`CREATE USER` and `CREATE ROLE` with PostgreSQL's options",
        words("alter create"),
        _role_option,
        "r_CREATE_USER, r_CREATE_ROLE",
        "Redshift has CREATEDB, CREATEUSER, IN GROUP, VALID UNTIL, CONNECTION LIMIT, SESSION TIMEOUT.",
    ),
    Rule("`CREATE VIEW … WITH (…)`", words("create"), _view_option, "r_CREATE_VIEW", "Leave WITH (…) out."),
    Rule(
        "`DROP COLUMN IF EXISTS`",
        words("alter"),
        _dropped_column,
        "r_ALTER_TABLE",
        "Ask SVV_COLUMNS whether it is there.",
    ),
)
_BY_VERB = {verb: [rule for rule in TABLE if verb in rule.words] for rule in TABLE for verb in rule.words}


def check(draft: Draft) -> None:
    """Refuse a command's form if a rule does.

    Raises:
        Refusal: One does.
    """
    for rule in _BY_VERB.get(draft.word(0), ()):
        rule.check(draft, 0)
