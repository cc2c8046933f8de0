"""Redshift's SQL into PostgreSQL's: text with nothing that differs passes untouched."""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sandbox.redshift.copy.command import CopyError, read_copy
from sandbox.redshift.dialect import (
    absent_commands,
    aliases,
    commands,
    ddl,
    queries,
    refusal_table,
    refused_commands,
    unload_query,
)
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.lexical import separate_numbers
from sandbox.redshift.dialect.locks import lock_of
from sandbox.redshift.dialect.names import fold_names, syntax_error
from sandbox.redshift.dialect.statement import Refusal, Statement, TableLock
from sandbox.redshift.sql.tokens import Token, UnreadableError, split_statements, tokenize
from sandbox.redshift.unload.command import read_unload

_CACHED_STATEMENTS = 1000
# Longer ones are translated beside the event loop, and not remembered.
LONGEST_SHORT_TEXT = 65_536


@dataclass(frozen=True)
class Context:
    """What the meaning of a text depends on.

    Args:
        backslash_escapes: A backslash escapes in ordinary literals (standard_conforming_strings is off).
        in_transaction: A transaction block is open.
        keeps_case: Names in quotes keep their capitals.
    """

    backslash_escapes: bool = True
    in_transaction: bool = False
    keeps_case: bool = False


class Dialect:
    """Rewrites statements and remembers the results; shared by all sessions of a kind.

    Args:
        keeps_case: Names in quotes keep their capitals (enable_case_sensitive_identifier).
    """

    def __init__(self, *, keeps_case: bool = False) -> None:
        self._keeps_case = keeps_case
        self._known: OrderedDict[tuple[str, Context], tuple[Statement, ...] | Refusal] = OrderedDict()

    def translate(self, text: str, context: Context) -> tuple[Statement, ...]:
        """The statements of `text` for PostgreSQL.

        Args:
            text: One or several statements.
            context: The session's state.

        Raises:
            Refusal: Redshift, or the sandbox, does not run one of them.
        """
        if self._keeps_case:
            context = replace(context, keeps_case=True)
        key = (text, context)
        known = self._known.get(key)
        if known is None:
            known = _translated(text, context)
            self._remember(key, known)
        else:
            self._known.move_to_end(key)
        if isinstance(known, Refusal):
            raise known
        return known

    def _remember(self, key: tuple[str, Context], value: tuple[Statement, ...] | Refusal) -> None:
        if len(key[0]) > LONGEST_SHORT_TEXT:
            return
        self._known[key] = value
        if len(self._known) > _CACHED_STATEMENTS:
            self._known.popitem(last=False)


def _translated(text: str, context: Context) -> tuple[Statement, ...] | Refusal:
    if not _is_interesting(text):
        return (Statement(text, reads_log=_reads_log(text)),)
    try:
        tokens = tokenize(text, backslash_escapes=context.backslash_escapes)
        for token in tokens if context.keeps_case else ():
            token.keeps_case = True
        statements = [_statement(text, part, context) for part in split_statements(tokens)]
    except UnreadableError as error:
        return Refusal(str(error), "42601")
    except Refusal as refusal:
        return refusal
    if _reads_log(text):
        statements = [replace(statement, reads_log=True) for statement in statements]
    return tuple(statements) or (Statement(text),)


def _statement(text: str, tokens: Sequence[Token], context: Context) -> Statement:
    original = text[tokens[0].start : tokens[-1].end]
    verb = tokens[0].word
    if verb == "copy":
        return _copy(original, tokens, context)
    if verb == "unload":
        return _unload(original, tokens, context)
    draft = Draft(text, tokens)
    if draft.unpaired is not None:
        raise syntax_error(draft, draft.unpaired)
    fold_names(draft)
    separate_numbers(draft)
    refused_commands.check(draft)
    absent_commands.check(draft)
    rule = _RULES.get(verb)
    try:
        after = rule(draft, context.in_transaction) if rule else queries.rewrite(draft)
    except IndexError as error:  # a rule read beyond the last token
        raise syntax_error(draft, len(draft)) from error
    sql = draft.render() if draft.changed else original
    return Statement(
        sql,
        rewritten=sql != original,
        after=tuple(after),
        controls_transaction=verb in commands.TRANSACTION_VERBS,
        lock=lock_of(draft),
        written=original if sql != original else "",
        unresolved=original if aliases.need_look(draft) else "",
    )


def _copy(text: str, tokens: Sequence[Token], context: Context) -> Statement:
    try:
        command = read_copy(tokens, backslash_escapes=context.backslash_escapes)
    except CopyError as error:
        raise Refusal(error.message, error.sqlstate, detail=error.detail, hint=error.hint) from error
    if command is None:
        raise Refusal(
            "LOAD source is not supported. (Hint: only S3 or DynamoDB or EMR based load is allowed)",
            hint="Write COPY table FROM 's3://bucket/prefix' IAM_ROLE …; there is no COPY FROM STDIN or TO.",
        )
    return Statement(text, rewritten=True, copy=command, lock=TableLock(command.target, is_shared=True))


def _unload(text: str, tokens: Sequence[Token], context: Context) -> Statement:
    try:
        command = read_unload(tokens, backslash_escapes=context.backslash_escapes)
    except CopyError as error:
        raise Refusal(error.message, error.sqlstate, detail=error.detail, hint=error.hint) from error
    query = command.query.rstrip().rstrip(";")
    unload_query.check(query, backslash_escapes=context.backslash_escapes)
    inner = _translated(query, context)
    if isinstance(inner, Refusal):
        raise inner
    unload = replace(command, query=inner[0].sql)
    return Statement(text, rewritten=True, unload=unload, unresolved=inner[0].unresolved)


# Each returns the statements that follow the rewritten one silently.
_RULES: dict[str, Callable[[Draft, bool], Sequence[str]]] = {**ddl.RULES, **commands.RULES}

# Text without any of these words and signs, capitals in quotes or # means the same to PostgreSQL.
_WORDS = (
    queries.WORDS
    | frozenset(_RULES)
    | absent_commands.VERBS
    | frozenset(("copy", "unload", "information_schema"))
)
_WORD = re.compile(r"[A-Za-z_]+[A-Za-z_0-9]*")
_SIGNS = re.compile(
    r"\bpg_|#[A-Za-z_]|\"[^\"]*[A-Z]|[0-9](?i:when|then|else|end)|\.[0-9]*\s*(?:::|(?i:as)\b)"
    rf"|{refusal_table.SIGNS}"
)


# What the log of statements and sessions is read by.
_LOG = re.compile(
    r"pg_last_query_id|(?:stl|svl|stv|sys)_(?:\w*query|\w*text|qlog|inflight|recents|sessions?_?|connection_log|tr_conflict)",
    re.IGNORECASE,
)


def _reads_log(text: str) -> bool:
    return bool(_LOG.search(text))


def _is_interesting(text: str) -> bool:
    seen: set[str] = set()
    for match in _WORD.finditer(text):
        word = match[0].lower()
        # What stands twice in a query may be an alias, and what it is an alias of.
        if word in _WORDS or (word in seen and "select" in seen):
            return True
        seen.add(word)
    return bool(_SIGNS.search(text))
