"""CREATE USER, ALTER USER and GRANT in Redshift's grammar."""

from collections.abc import Sequence

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.names import dollar_quote, read_name, syntax_error
from sandbox.redshift.dialect.statement import Refusal

_LEVELS = ("restricted", "unrestricted")
_MONITOR = ("sys", "monitor")


def rewrite_user(draft: Draft) -> Sequence[str]:
    """Rewrite CREATE or ALTER USER; return the statements that follow.

    Raises:
        Refusal: SYSLOG ACCESS is of no kind (42601).
    """
    for index in range(2, len(draft)):
        if draft.words_at(index, "password", "disable"):  # only temporary passwords let such a user in
            draft.rewrite(Span(index + 1, index + 1), "NULL")
    return _take_syslog_access(draft)


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


def rewrite_grant(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    """``GRANT ROLE sys:monitor TO …`` and its REVOKE: PostgreSQL knows no such names without quotes.

    Raises:
        Refusal: It is of what the sandbox has not.
    """
    if draft.word(1) == "assumerole":
        raise absent_commands.ASSUMEROLE.refusal(f"{draft.word(0).upper()} ASSUMEROLE")
    if draft.word(1) == "role" and (draft.word(2), draft.word(4)) == _MONITOR and draft.is_operator(3, ":"):
        draft.remove(1, 1)
        draft.remove(2, 4)
        draft.after(2, '"sys:monitor"')
    return ()
