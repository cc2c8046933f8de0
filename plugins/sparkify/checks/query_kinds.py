"""The checks that bring their own SQL: queries_equal and custom_sql."""

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Literal

from pydantic import Field

from sparkify.checks.model import EXAMPLES, Answer, Check, Constant, Row, Sql, Verdict

_DIVIDER = "sparkify_divider"


class QueryCheck(Check):
    """A check whose SQL comes from the file, so that only its author can name it."""

    name: str = Field(min_length=1, max_length=200, description="name in reports")

    @property
    def default_name(self) -> str:
        """The given name: there are no parts to make one from."""
        return self.name


class QueriesEqual(QueryCheck):
    """Two queries, of one row each, give the same values."""

    kind: Literal["queries_equal"]
    sql: Sql = Field(description="query for the observed values")
    expected_sql: Sql = Field(description="query for the values they must equal")

    def question(self) -> str:
        """Ask both in one statement, which sees one state of the tables."""
        observed, expected = subquery(self.sql), subquery(self.expected_sql)
        both = f"{observed} AS observed CROSS JOIN {expected} AS expected"
        return f"SELECT observed.*, 0 AS {_DIVIDER}, expected.* FROM {both} LIMIT 2"

    def judge(self, answer: Answer) -> Verdict:
        """Pass when each value equals its counterpart; NULL equals NULL."""
        if len(answer.rows) != 1:
            raise ValueError("sql and expected_sql must give exactly one row each; one gave none or several")
        middle = list(answer.columns).index(_DIVIDER)
        observed, expected = answer.rows[0][:middle], answer.rows[0][middle + 1 :]
        if len(observed) != len(expected):
            raise ValueError(f"sql gives {len(observed)} columns and expected_sql {len(expected)}")
        passed = all(same(left, right) for left, right in zip(observed, expected, strict=True))
        return Verdict(
            passed,
            _listed(answer.columns[:middle], observed),
            _listed(answer.columns[middle + 1 :], expected),
        )


class CustomSql(QueryCheck):
    """The query returns no row, each row being a failure; or, with `expect`, that one value."""

    kind: Literal["custom_sql"]
    sql: Sql = Field(description="query for the failures or, with `expect`, for one value")
    expect: Constant | None = Field(None, description="the value that the query must give")

    def question(self) -> str:
        """Count the failures, or ask for the value."""
        if self.expect is None:
            return f"SELECT COUNT(*) AS failures FROM {subquery(self.sql)} AS failing"
        return f"SELECT * FROM {subquery(self.sql)} AS answer LIMIT 2"

    def judge(self, answer: Answer) -> Verdict:
        """Pass when there is no failure, or the value is the expected one."""
        if self.expect is not None and (len(answer.rows) != 1 or len(answer.columns) != 1):
            raise ValueError("with expect the sql must give one row of one column")
        (value,) = answer.rows[0]
        if self.expect is None:
            return Verdict(value == 0, f"{value} rows", "no rows")
        wanted = self.expect
        passed = str(value) == wanted if isinstance(wanted, str) else same(value, wanted)
        return Verdict(passed, shown(value), str(wanted))

    def examples(self) -> str | None:
        """Return failures as the query gives them."""
        if self.expect is not None:
            return None
        return f"SELECT * FROM {subquery(self.sql)} AS failures LIMIT {EXAMPLES}"


def subquery(sql: str) -> str:
    """Return `sql` in parentheses, without its closing semicolon; it may end in a comment."""
    return f"(\n{sql.strip().rstrip(';')}\n)"


def same(left: object, right: object) -> bool:
    """Say whether two values from a database are the same, whatever numeric types they arrived in."""
    if isinstance(left, Real | Decimal) and isinstance(right, Real | Decimal):
        # 0.1 as float and as DECIMAL are the same answer; Python compares their exact binary values.
        return left == right or Decimal(str(left)) == Decimal(str(right))
    return bool(left == right)


def shown(value: object) -> str:
    """Return a value as SQL would show it."""
    return "NULL" if value is None else str(value)


def _listed(names: Sequence[str], values: Row) -> str:
    if len(values) == 1:
        return shown(values[0])
    return ", ".join(f"{name}={shown(value)}" for name, value in zip(names, values, strict=True))
