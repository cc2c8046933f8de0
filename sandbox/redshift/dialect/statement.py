"""One SQL statement as PostgreSQL will get it, and what the relay does around it."""

from dataclasses import dataclass

from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.error_fields import ErrorFields

# PostgreSQL is made to raise a syntax error at the refused statement's place, so that its transaction and the
# protocol end up in the state an error leaves; the relay then reports the refusal instead.
REFUSED_SQL = "refused_by_redshift"


@dataclass(frozen=True)
class Statement:
    """One statement, rewritten.

    Args:
        sql: The text for PostgreSQL, without a final semicolon.
        rewritten: `sql` is not what the client wrote.
        after: Statements that follow silently in the same transaction.
        copy: The COPY from S3 that takes the statement's place.
        controls_transaction: BEGIN, COMMIT, ROLLBACK and the like.
    """

    sql: str
    rewritten: bool = False
    after: tuple[str, ...] = ()
    copy: CopyCommand | None = None
    controls_transaction: bool = False


class Refusal(Exception):  # noqa: N818 - Redshift refuses; nothing went wrong here
    """A statement that Redshift, or the sandbox, does not run.

    Args:
        message: The error's message.
        sqlstate: Its SQLSTATE.
        detail: What the client shows below it.
        hint: What to do instead.
        notices: INFO messages that come before the error.
    """

    def __init__(
        self,
        message: str,
        sqlstate: str = "0A000",
        *,
        detail: str | None = None,
        hint: str | None = None,
        notices: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.fields = ErrorFields(sqlstate, message, detail, hint)
        self.notices = notices
