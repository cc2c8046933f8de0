"""How long a client's messages may be."""

from sandbox.redshift.dialect.statement import Refusal

# PostgreSQL's limits of each message's body (PQ_LARGE_MESSAGE_LIMIT, PQ_SMALL_MESSAGE_LIMIT in libpq.h, which
# count the length word, too). It knows no other messages after the login.
_LARGE, _SMALL = 0x3FFFFFFE - 4, 10_000 - 4
LONGEST = {**dict.fromkeys("QPBFd", _LARGE), **dict.fromkeys("CDEHSXcf", _SMALL)}

# "The maximum size for a single SQL statement is 16 MB" (Database Developer Guide, "Using SQL").
LONGEST_STATEMENT_BYTES = 16_777_216
# Beside its statement a Parse holds a name, and the types of as many parameters as 16 bits can count.
LONGEST_PARSE_REST_BYTES = 4 * 65_535 + 1_000

# A longer Bind passes in pieces; what it names stands at its beginning.
WHOLE_BIND_BYTES = 1 << 20
BIND_NAMES_BYTES = 1 << 16


def refusal(kind: str, size: int) -> tuple[str, Refusal] | None:
    """What a message that is not taken into memory is answered as, and with; None for one that is taken.

    Args:
        kind: The message's type letter.
        size: Bytes of its body.
    """
    if kind == "F":
        return "Q", Refusal("function calls by number (fastpath) are not supported")
    if kind == "Q" and size - 1 > LONGEST_STATEMENT_BYTES:
        return "Q", too_large(size - 1)
    if kind == "P" and size > LONGEST_STATEMENT_BYTES + LONGEST_PARSE_REST_BYTES:
        return "P", too_large(size)
    return None


def too_large(size: int) -> Refusal:
    """Redshift's error for a statement of this many bytes."""
    return Refusal(
        f"Statement is too large. Statement Size: {size} bytes. "
        f"Maximum Allowed: {LONGEST_STATEMENT_BYTES} bytes",
        "42601",
    )
