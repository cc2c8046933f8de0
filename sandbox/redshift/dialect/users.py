"""CREATE USER and ALTER USER in Redshift's grammar (r_CREATE_USER, r_ALTER_USER)."""

import re
from collections.abc import Sequence

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import dollar_quote, quote, read_name, syntax_error
from sandbox.redshift.dialect.statement import Refusal

_LEVELS = ("restricted", "unrestricted")
_TIMEOUTS = range(60, 1_728_001)
_HASH = re.compile(r"'(?:md5[0-9a-f]{32}|sha256\|.*)'")


def rewrite_user(draft: Draft) -> Sequence[str]:
    """Rewrite CREATE or ALTER USER; return the statements that follow.

    Raises:
        Refusal: It asks for what the sandbox has not, or is none of Redshift's.
    """
    for index in range(2, len(draft)):
        _rewrite_option(draft, index)
    return [*_take_session_timeout(draft), *_take_syslog_access(draft)]


def _rewrite_option(draft: Draft, index: int) -> None:
    word, following = draft.word(index), draft.word(index + 1)
    if word == "password" and following == "disable":  # only temporary passwords let such a user in
        draft.rewrite(Span(index + 1, index + 1), "NULL")
    elif word == "password" and _HASH.fullmatch(draft.text(index + 1)):
        raise absent_commands.HASHED_PASSWORDS.refusal("A password as a hash")
    elif word in ("createdb", "createuser"):
        raise absent_commands.SUPERUSERS.refusal(word.upper())
    elif word in ("nocreatedb", "nocreateuser"):
        draft.remove(index, index)
    elif word == "externalid":
        raise absent_commands.EXTERNAL_ID.refusal("EXTERNALID")
    elif word == "unlimited" and draft.word(index - 1) == "limit":
        draft.replace(index, "-1")


def _take_session_timeout(draft: Draft) -> Sequence[str]:
    """``SESSION TIMEOUT seconds``, ``RESET SESSION TIMEOUT``: PostgreSQL's setting, in milliseconds.

    Raises:
        Refusal: It is out of range (22023).
    """
    for index in range(3, len(draft)):
        if not draft.words_at(index, "session", "timeout"):
            continue
        if draft.word(index - 1) == "reset":
            draft.rewrite(Span(index, index + 1), "idle_session_timeout")
            return ()
        seconds = draft.text(index + 2)
        if not seconds.isdecimal() or int(seconds) not in _TIMEOUTS:
            raise Refusal(
                f"invalid session timeout: {seconds}", "22023", hint="It can be 60 to 1728000 seconds."
            )
        draft.remove(index, index + 2)
        user = quote(read_name(draft, 2).parts[-1])
        return [f"ALTER USER {user} SET idle_session_timeout = {int(seconds) * 1000}"]
    return ()


def _take_syslog_access(draft: Draft) -> Sequence[str]:
    """Take ``SYSLOG ACCESS { RESTRICTED | UNRESTRICTED }`` out; the statements that follow set it.

    Raises:
        Refusal: Neither is said (42601).
    """
    after = []
    for index in range(3, len(draft)):
        if draft.words_at(index, "syslog", "access"):
            level = draft.word(index + 2)
            if level not in _LEVELS:
                raise syntax_error(draft, index + 2)
            draft.remove(index, index + 2)
            user = dollar_quote(read_name(draft, 2).parts[-1])
            after.append(f"SELECT pg_internal.set_syslog_access({user}, {level == 'unrestricted'})")
    return after
