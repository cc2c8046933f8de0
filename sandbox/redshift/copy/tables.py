"""The rows of one file that is a table: text with a row on each line, or Parquet."""

from collections.abc import Iterable, Iterator

from sandbox.redshift.copy.columnar import ParquetRows
from sandbox.redshift.copy.delimited import TextReader
from sandbox.redshift.copy.documents import BadDocument
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.rows import Rows
from sandbox.redshift.copy.text_rows import TextRows


class TableReader:
    """Rows of one file, in order.

    Args:
        blocks: Its bytes, decompressed, and UTF-8 where it is text.
        builder: Makes rows of them.
        url: Its address.
        options: The COPY's.
    """

    def __init__(
        self, blocks: Iterable[bytes], builder: TextRows | ParquetRows, url: str, options: Options
    ) -> None:
        self._blocks = blocks
        self._builder = builder
        self._url = url
        self._options = options
        self.lines = 0

    def __iter__(self) -> Iterator[Rows | BadDocument]:
        """Yield the rows in pieces, and a row that is too large to be looked at.

        Raises:
            CopyError: A Parquet file does not fit.
        """
        if isinstance(self._builder, ParquetRows):
            for rows in self._builder.load(self._blocks, self._url):
                self.lines += rows.count
                yield rows
            return
        reader = TextReader(self._blocks, self._options)
        for records in reader:
            self.lines = reader.lines
            last = records[-1]
            if last.fatal and last.problem:
                raw = last.text.encode(errors="surrogateescape")
                yield BadDocument(last.line, raw, last.problem.reason, fatal=True)
                return
            yield from self._builder.build(records, self._url)
        self.lines = reader.lines
