"""Users and rights in Redshift's grammar."""

from collections.abc import Sequence

from sandbox.redshift.dialect.draft import Draft, Span
from sandbox.redshift.dialect.statement import Refusal


def disable_password(draft: Draft) -> None:
    """Rewrite PASSWORD DISABLE of CREATE and ALTER USER: only temporary passwords let such a user in."""
    for index in range(2, len(draft)):
        if draft.words_at(index, "password", "disable"):
            draft.rewrite(Span(index + 1, index + 1), "NULL")


def check_grant(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    """Refuse GRANT and REVOKE of what the sandbox has not.

    Raises:
        Refusal: It has not.
    """
    if draft.word(1) == "assumerole":
        raise Refusal(
            f"{draft.word(0).upper()} ASSUMEROLE is not in the sandbox",
            hint="Say in the role's trust policy, by sts:ExternalId, which database users may take it.",
        )
    return ()
