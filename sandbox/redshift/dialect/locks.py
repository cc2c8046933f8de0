"""The lock that a writing statement takes on its table until its transaction ends.

Redshift locks tables, not rows. "ShareRowExclusiveLock blocks AccessExclusiveLock and other
ShareRowExclusiveLock attempts, but doesn't block AccessShareLock attempts. A transaction obtains
ShareRowExclusiveLock during COPY, INSERT, UPDATE, or DELETE operations" (re:Post, "How do I find and release
locks in Amazon Redshift?"). Under SNAPSHOT isolation, the default, COPY and INSERT share the lock until they
write, which they do one transaction after the other (Database Developer Guide, "Concurrent write examples",
"Write and read/write operations").
"""

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import read_name
from sandbox.redshift.dialect.statement import TableLock
from sandbox.redshift.sql.tokens import words

_WRITES = words("insert update delete merge")
_BEFORE_NAME = words("into from only")


def lock_of(draft: Draft) -> TableLock | None:
    """The lock of INSERT, UPDATE, DELETE and MERGE, None for other statements."""
    verb = _verb(draft)
    if verb is None:
        return None
    at = verb + 1
    while draft.word(at) in _BEFORE_NAME:
        at += 1
    if at >= len(draft) or not draft.tokens[at].is_name:
        return None  # PostgreSQL has the error
    name = read_name(draft, at)
    if name.is_temporary:
        return None  # nobody else has it
    return TableLock(name.sql, is_shared=draft.word(verb) == "insert")


def _verb(draft: Draft) -> int | None:
    """Where the statement says what it does; behind its common tables there may be UPDATE and DELETE."""
    if draft.word(0) != "with":
        return 0 if draft.word(0) in _WRITES else None
    behind = (at for at in draft.same_level(1, len(draft) - 1) if draft.is_operator(at - 1, ")"))
    return next((at for at in behind if draft.word(at) in _WRITES), None)
