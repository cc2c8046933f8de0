"""The WSGI layer that answers for the Data API; everything else goes on to the layer below."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.aws import lacking, wsgi
from sandbox.aws.clusters.models import ClusterBackend
from sandbox.aws.clusters.responses import LOCK
from sandbox.aws.data_api import parameters, tables, targets
from sandbox.aws.data_api.messages import API, NAME, Values, invalid, missing
from sandbox.aws.data_api.runner import Runner
from sandbox.aws.data_api.sessions import Login
from sandbox.aws.data_api.statements import Book, Request, Statement, matches
from sandbox.aws.json_api import send
from sandbox.aws.refusals import RefusalError, respond
from sandbox.aws.serverless.layer import caller_of
from sandbox.aws.wsgi import Application, Environ, StartResponse
from sandbox.parts.settings import Settings

# Management Guide, "Considerations when calling the Amazon Redshift Data API".
_SQL_BYTES = 100_000
# Parameters that would change what a call does, and that the sandbox has not; none is taken and ignored.
_LACKING = {
    "SessionId": "sessions that outlive a statement",
    "SessionKeepAliveSeconds": "sessions that outlive a statement",
    "WithEvent": "an EventBridge to send events to",
}
_PAGE = 100


@dataclass(frozen=True)
class Caller:
    """Whose call it is: the ARN of GetCallerIdentity, and that of the user or role, which owns statements."""

    arn: str
    region: str

    @property
    def owner(self) -> str:
        """The identity without a role's session.

        Management Guide, "Considerations when calling the Amazon Redshift Data API": statements are seen by
        the IAM role or user that ran them.
        """
        return self.arn.rpartition("/")[0] if ":assumed-role/" in self.arn else self.arn


class DataApi:
    """A WSGI layer before that of Serverless, whose workgroups it uses, and the clusters of the layer below.

    Args:
        application: The layer below.
        settings: The sandbox, on whose endpoint statements run.
    """

    def __init__(self, application: Application, settings: Settings) -> None:
        self._application = application
        self._settings = settings
        self._runner = Runner(settings)
        self._book = Book()
        self._operations: dict[str, Callable[[Values, Caller], Values]] = {
            "ExecuteStatement": self._execute,
            "BatchExecuteStatement": self._execute,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "CancelStatement": self._cancel,
            "ListStatements": self._list,
            "ListDatabases": self._look(tables.list_databases),
            "ListSchemas": self._look(tables.list_schemas),
            "ListTables": self._look(tables.list_tables),
            "DescribeTable": self._look(tables.describe_table),
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or pass the request on."""
        if environ.get(wsgi.SERVICE) != NAME:
            return self._application(environ, start_response)
        action = str(environ.get("HTTP_X_AMZ_TARGET", "")).removeprefix("RedshiftData.")
        try:
            values = API.read(action, wsgi.read_body(environ))
            if action not in self._operations:
                raise lacking.refusal(NAME, action)
            answer = self._operations[action](values, Caller(caller_of(environ), environ[wsgi.REGION]))
        except RefusalError as error:
            return respond(error, environ, start_response)
        return send(API.write(action, answer), start_response)

    def _execute(self, values: Values, caller: Caller) -> Values:
        texts = values.get("Sqls") or [values["Sql"]]
        _check(values, texts)
        target, login = self._log_in(values, caller)
        request = Request(
            caller.owner,
            caller.arn,
            caller.region,
            target,
            login.database,
            values.get("StatementName", ""),
            values.get("Parameters", []),
            values.get("ExecutionMode", "TRANSACTION") == "TRANSACTION" if "Sqls" in values else None,
        )
        new = Statement(request, texts)
        asked = {name: value for name, value in values.items() if name != "ClientToken"}
        statement = self._book.add(new, values.get("ClientToken", ""), asked)
        if statement is new:
            self._runner.submit(statement, login)
        _wait(statement, values)
        told = {"Id": statement.id, "CreatedAt": statement.run.created, "Database": request.database}
        if "WaitTimeSeconds" in values:
            told |= {
                "Status": statement.run.status,
                "RedshiftPid": statement.backend,
                "HasResultSet": statement.describe()["HasResultSet"],
            }
        return told | target

    def _log_in(self, values: Values, caller: Caller) -> tuple[Values, Login]:
        """How answers name where a call goes and as whom, and the login."""
        database = values.get("ConnectedDatabase") or values.get("Database")
        if not database:
            raise invalid("Database must be given.")
        with LOCK:
            ClusterBackend.surroundings.clock.tick()
            target = targets.find(values, caller.region)
            named, login = targets.log_in(values, database, caller.region, caller.arn)
        return target | named, login

    def _describe(self, values: Values, caller: Caller) -> Values:
        statement, part = self._book.find(values["Id"], caller.owner)
        _wait(statement, values)
        whole = statement.describe()
        # UNCONFIRMED: what one of a batch has besides what SubStatementData has.
        return whole if part is None else {**whole, "SubStatements": None, **part.describe()}

    def _result(self, values: Values, caller: Caller) -> Values:
        statement, part = self._book.find(values["Id"], caller.owner)
        _wait(statement, values)
        result = (part or statement.run).result
        if statement.run.status != "FINISHED" or result is None:  # the words are those of public reports
            raise missing("Query does not have result. Please check query status with DescribeStatement.")
        return result.page(values.get("NextToken", ""))

    def _cancel(self, values: Values, caller: Caller) -> Values:
        statement, _ = self._book.find(values["Id"], caller.owner)
        self._runner.cancel(statement)
        return {"Status": statement.run.status == "ABORTED"}

    def _list(self, values: Values, caller: Caller) -> Values:
        if "ClusterIdentifier" in values and "WorkgroupName" in values:
            raise invalid("ClusterIdentifier and WorkgroupName cannot be given together.")
        mine = values.get("RoleLevel", True)
        found = [
            one.summary()
            for one in self._book.of(caller.owner)
            if matches(one, values) and (mine or one.request.caller == caller.arn)
        ]
        page, token = tables.page(found, {"MaxResults": _PAGE, **values})
        return {"Statements": page, "NextToken": token}

    def _look(self, look: Callable[..., Values]) -> Callable[[Values, Caller], Values]:
        """An operation that looks into the catalog while its caller waits."""

        def answer(values: Values, caller: Caller) -> Values:
            _, login = self._log_in({"Database": self._settings.database, **values}, caller)
            return look(self._settings, login, values)

        return answer


def _check(values: Values, texts: list[str]) -> None:
    """Refuse what the sandbox has not, what is too long, and parameters that fit no statement."""
    for name, what in _LACKING.items():
        if values.get(name):
            raise invalid(f"{name}: the sandbox's Data API has not {what}.")
    if values.get("ResultFormat", "JSON") != "JSON":
        raise invalid("ResultFormat: the sandbox's Data API has results in JSON only.")
    if any(len(text.encode()) > _SQL_BYTES for text in texts):
        raise invalid(f"The maximum query statement size is {_SQL_BYTES // 1000} KB.")
    if not all(text.strip() for text in texts):
        raise invalid("A statement is empty.")
    parameters.check(texts, values.get("Parameters", []))


def _wait(statement: Statement, values: Values) -> None:
    """Let a statement end, as long as the call says."""
    if seconds := values.get("WaitTimeSeconds"):
        statement.ended.wait(seconds)
