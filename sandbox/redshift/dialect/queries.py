"""SELECT, INSERT, UPDATE, DELETE and MERGE, and the queries inside other statements."""

from collections.abc import Sequence

from sandbox.redshift.dialect import expressions, merge, old_catalog, refusals, select
from sandbox.redshift.dialect.attributes import call
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.sql.tokens import words

WORDS = (
    expressions.WORDS
    | old_catalog.WORDS
    | refusals.WORDS
    | words("delete insert into merge qualify top update")
)


def rewrite(draft: Draft) -> Sequence[str]:
    """Rewrite a query; what follows one that makes a table counts the bytes of its texts.

    Raises:
        Refusal: Redshift does not run it, or the sandbox does not.
    """
    refusals.check(draft)
    expressions.rewrite(draft)
    made = select.rewrite(draft)
    old_catalog.rewrite(draft)
    if draft.word(0) == "merge":
        merge.rewrite(draft)
    elif draft.word(0) == "delete" and draft.word(1) != "from":
        draft.after(0, " FROM")
    return [call("count_bytes", made)] if made else ()
