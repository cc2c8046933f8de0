"""Text for logs and messages: tables, and what others have written."""

from collections.abc import Sequence


def printable(text: object, *, keep: str = "") -> str:
    """Return a text without what would steer the terminal or the log that shows it.

    Names of files and values of rows are whatever somebody has written. Control characters, marks of
    direction and bytes that are no UTF-8 are shown escaped.

    Args:
        text: the text, or a path.
        keep: characters that stay as they are, such as line ends.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else _escaped(letter) for letter in str(text)
    )


def _escaped(letter: str) -> str:
    # Python keeps a byte of a file's name that is no UTF-8 as such a letter (PEP 383).
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as one text table, a line each; the first row holds the headings and is underlined."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def cut(text: str, length: int) -> str:
    """Return `text` cut to `length` bytes of UTF-8, which is how Redshift measures VARCHAR; … marks a cut."""
    data = text.replace("\0", "").encode()
    if len(data) <= length:
        return data.decode()
    return data[: length - len("…".encode())].decode(errors="ignore") + "…"
