"""What a session remembers of its prepared statements and portals."""

from sandbox.redshift.dialect.statement import Statement

# PostgreSQL tells names apart by their first 63 bytes (NAMEDATALEN); two that it takes for one are one here.
_NAME_BYTES = 63
_MOST_BYTES = 64 << 20
_ENTRY_BYTES = 1_000


class Names:
    """Statements by the name of a prepared statement or portal.

    When there are too many, those that were named first are forgotten and fail when they are executed.
    """

    def __init__(self) -> None:
        self._statements: dict[bytes, Statement] = {}
        self._bytes = 0

    def put(self, name: bytes, statement: Statement) -> None:
        """Remember it in place of what had the name."""
        self.pop(name)
        self._statements[name[:_NAME_BYTES]] = statement
        self._bytes += _size(statement)
        while self._bytes > _MOST_BYTES and len(self._statements) > 1:
            self.pop(next(iter(self._statements)))

    def get(self, name: bytes) -> Statement | None:
        """What has the name."""
        return self._statements.get(name[:_NAME_BYTES]) if self._statements else None

    def pop(self, name: bytes) -> None:
        """Forget the name."""
        if self._statements and (statement := self._statements.pop(name[:_NAME_BYTES], None)):
            self._bytes -= _size(statement)

    def copy(self, name: bytes, source_name: bytes, source: "Names") -> None:
        """Give the name what `source_name` is in `source`, maybe nothing."""
        statement = source.get(source_name)
        if statement:
            self.put(name, statement)
        else:
            self.pop(name)


def _size(statement: Statement) -> int:
    return _ENTRY_BYTES + len(statement.sql) + sum(map(len, statement.after))
