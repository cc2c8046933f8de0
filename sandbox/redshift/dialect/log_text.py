"""What the log of statements says of a statement: of which kind it is, and its text without secrets."""

import re
from dataclasses import dataclass
from functools import lru_cache

from sandbox.redshift.copy.credentials import mask_credentials
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.relations import relations
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import Token, UnreadableError, tokenize, words

_MASK = "'***'"
# What stands before a secret constant, or before the AS between them.
_SECRET_WORDS = words(
    "access_key_id credentials master_symmetric_key password secret_access_key session_token"
)
_SECRET = re.compile("|".join(sorted(_SECRET_WORDS)) + "|aws_", re.IGNORECASE)
_ROLE_ONLY = re.compile(r"'aws_iam_role=[^;']*'", re.IGNORECASE)
_CONSTANT = re.compile(r"'(?:[^']|'')*'?")
_LEADING = re.compile(r"(?:\s+|--[^\n]*\n?|/\*.*?\*/|[(;])*", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]+")
_HEAD_CHARACTERS = 2_000

_QUERIES = words("select with insert update delete merge copy unload")
# "CREATE SCHEMA, TABLE, VIEW", "DROP …", "ALTER SCHEMA, TABLE" (Database Developer Guide, "STL_DDLTEXT"); all
# else that is no query is in STL_UTILITYTEXT.
_DEFINITIONS = words("create drop alter")
_DEFINED = words(
    "external late local materialized or schema table temp temporary view replace global unlogged if"
)


@dataclass(frozen=True)
class Kind:
    """How the system views sort a statement.

    Args:
        kind: QUERY, DDL or UTILITY, as in SVL_STATEMENTTEXT.
        query_type: As in SYS_QUERY_HISTORY.
        on_leader: A query that names no table of a user's and no system view runs on the leader node alone.
    """

    kind: str
    query_type: str
    on_leader: bool = False


@lru_cache(maxsize=1_000)
def kind_of(text: str) -> Kind:
    """The kind of a statement, by its first words; any text has one."""
    verb, *others = head = _first_words(text)
    if verb in ("select", "with"):
        return _kind_of_query(text, verb)
    if verb in _QUERIES:
        return Kind("QUERY", verb.upper() if verb != "merge" else "OTHER")
    if verb == "create" and _makes_table_of_query(text, head):
        return Kind("QUERY", "CTAS")
    if verb in _DEFINITIONS and others and others[0] in _DEFINED:
        return Kind("DDL", "DDL")
    return Kind("UTILITY", "UTILITY" if verb else "OTHER")


@lru_cache(maxsize=1_000)
def without_secrets(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with its secrets masked, and these secrets, which an error's message may repeat.

    Passwords of users and what authorizes a COPY or UNLOAD; of CREDENTIALS the name of a role stays.
    """
    if not _SECRET.search(text):
        return text, ()
    try:
        tokens = tokenize(text)
    except UnreadableError:
        hidden = mask_credentials(_CONSTANT.sub(_MASK, text))
        return hidden, tuple(found.strip("'") for found in _CONSTANT.findall(text))
    secrets = [token for at, token in enumerate(tokens) if _is_secret(tokens, at)]
    if secrets and tokens[0].word in ("create", "alter"):
        # Whatever else stands there, but the date behind VALID UNTIL.
        secrets = [
            token
            for at, token in enumerate(tokens)
            if token.kind == "string" and tokens[at - 1].word != "until"
        ]
    shown, done = "", 0
    for token in secrets:
        shown += text[done : token.start] + _MASK
        done = token.end
    return mask_credentials(shown + text[done:]), tuple(token.text.strip("'") for token in secrets)


def _is_secret(tokens: list[Token], index: int) -> bool:
    token = tokens[index]
    if token.kind != "string" or _ROLE_ONLY.fullmatch(token.text):
        return False
    before = index - 2 if index and tokens[index - 1].word == "as" else index - 1
    return before >= 0 and tokens[before].word in _SECRET_WORDS


def _first_words(text: str) -> list[str]:
    """The first words behind comments and parentheses, in lower case; at least one, maybe empty."""
    begin = _LEADING.match(text[:_HEAD_CHARACTERS])
    at = begin.end() if begin else 0
    return [found.lower() for found in _WORD.findall(text[at : at + 200])[:6]] or [""]


def _makes_table_of_query(text: str, head: list[str]) -> bool:
    is_table = "table" in head[1:4] and "external" not in head[1:4]
    return (
        is_table
        and re.search(r"\bAS\s*\(?\s*(?:--[^\n]*\n\s*)*(?:SELECT|WITH)\b", text, re.IGNORECASE) is not None
    )


def _kind_of_query(text: str, verb: str) -> Kind:
    try:
        tokens = tokenize(text)
        draft = Draft(text, tokens)
        found = relations(draft)
    except (UnreadableError, Refusal, IndexError):
        return Kind("QUERY", "SELECT")
    main = _verb_behind_with(draft) if verb == "with" else verb
    on_leader = main == "select" and all(relation.is_catalog and not relation.is_system for relation in found)
    makes_table = any(draft.word(at) == "into" and draft.enclosing(at) < 0 for at in range(len(draft)))
    if main == "select" and makes_table:
        return Kind("QUERY", "CTAS")
    return Kind("QUERY", main.upper(), on_leader)


def _verb_behind_with(draft: Draft) -> str:
    level = (draft.word(at) for at in range(len(draft)) if draft.enclosing(at) < 0)
    return next((word for word in level if word in _QUERIES - {"with"}), "select")
