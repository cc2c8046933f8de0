"""Commands that Redshift has and the sandbox does not, by the words they begin with."""

from dataclasses import dataclass

from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

_SKIPPED = words("or replace if not exists")
_LONGEST = 4


@dataclass(frozen=True)
class AbsentCommand:
    """Commands that are refused by name.

    Args:
        name: What docs/sandbox-refusals.md calls them.
        beginnings: The words they begin with, without OR REPLACE, IF NOT EXISTS and the like.
        source: Their pages of Amazon's guide.
        hint: What to do instead.
    """

    name: str
    beginnings: tuple[str, ...]
    source: str
    hint: str

    def refusal(self, what: str) -> Refusal:
        """The error for this much of the command."""
        return Refusal(f"{what} is not in the sandbox", hint=self.hint)


def _with_verbs(objects: str, verbs: str = "create alter drop") -> tuple[str, ...]:
    return tuple(f"{verb} {kind}" for kind in objects.split(", ") for verb in verbs.split())


TABLE = (
    AbsentCommand(
        "external schemas, tables, views and functions",
        _with_verbs("external"),
        "r_CREATE_EXTERNAL_SCHEMA, r_CREATE_EXTERNAL_TABLE, r_CREATE_EXTERNAL_VIEW,"
        " r_CREATE_EXTERNAL_FUNCTION",
        "COPY the files into a table.",
    ),
    AbsentCommand(
        "user-defined functions and libraries",
        _with_verbs("function, library"),
        "user-defined-functions, r_CREATE_LIBRARY",
        "Write the expression where it is used, or a view.",
    ),
    AbsentCommand(
        "stored procedures",
        (*_with_verbs("procedure"), "call", "show procedure"),
        "stored-procedure-overview",
        "Run the statements from the client, in one transaction.",
    ),
    AbsentCommand(
        "models",
        (*_with_verbs("model"), "show model", "explain_model"),
        "machine_learning",
        "There is no SageMaker here.",
    ),
    AbsentCommand(
        "datashares",
        (*_with_verbs("datashare"), "desc datashare", "show datashares"),
        "data_sharing_intro",
        "There is one warehouse here.",
    ),
    AbsentCommand(
        "identity providers",
        (*_with_verbs("identity"), "desc identity"),
        "r_CREATE_IDENTITY_PROVIDER",
        "Users log in with a password or by IAM.",
    ),
    AbsentCommand(
        "masking and row-level security policies",
        (
            *_with_verbs("masking, rls", "create alter drop attach detach"),
            "show rls",
            "show masking",
            "show policies",
        ),
        "t_ddm, t_rls",
        "Grant SELECT on a view.",
    ),
    AbsentCommand(
        "`CREATE DATABASE`, `DROP DATABASE`",
        _with_verbs("database", "create drop"),
        "r_CREATE_DATABASE, r_DROP_DATABASE",
        "There is one database, called as SANDBOX_REDSHIFT_DATABASE says when the sandbox is made.",
    ),
    AbsentCommand(
        "templates", _with_verbs("template"), "r_CREATE_TEMPLATE", "Write the options behind each COPY."
    ),
    AbsentCommand("`ALTER SYSTEM`", ("alter system",), "r_ALTER_SYSTEM", "Settings are of sessions: SET."),
    AbsentCommand("`CANCEL`", ("cancel",), "r_CANCEL", "SELECT PG_CANCEL_BACKEND(pid)."),
    AbsentCommand("`USE`", ("use",), "r_USE_command", "There is one database."),
    AbsentCommand(
        "`SHOW` of parameters, definitions of tables and views, external tables, templates",
        tuple(
            f"show {kind}"
            for kind in (
                "external",
                "parameters",
                "table",
                "template",
                "templates",
                "view",
            )
        ),
        "r_SHOW_TABLE, r_SHOW_VIEW, r_SHOW_EXTERNAL_TABLE and the pages beside them",
        "PG_TABLE_DEF, SVV_COLUMNS and INFORMATION_SCHEMA have what a definition is made of.",
    ),
    AbsentCommand(
        "`GRANT` and `REVOKE` of `EXPLAIN RLS`, `IGNORE RLS`",
        tuple(f"{verb} {what} rls" for verb in ("grant", "revoke") for what in ("explain", "ignore")),
        "r_GRANT",
        "There are no such policies.",
    ),
    AbsentCommand(
        "`ANALYZE COMPRESSION`", ("analyze compression",), "r_ANALYZE_COMPRESSION", "Write ENCODE AUTO."
    ),
)
# Those that are recognised where their commands are rewritten.
APPEND = AbsentCommand(
    "`ALTER TABLE APPEND`",
    (),
    "r_ALTER_TABLE_APPEND",
    "INSERT INTO … SELECT and DELETE move rows in a transaction.",
)
ASSUMEROLE = AbsentCommand(
    "`GRANT` and `REVOKE` of `ASSUMEROLE`",
    (),
    "r_GRANT",
    "Say in the role's trust policy, by sts:ExternalId, which database users may take it.",
)
TOP_OF_SETS = AbsentCommand(
    "`TOP` together with `UNION`, `INTERSECT` or `EXCEPT`",
    (),
    "r_SELECT_list",
    "Write LIMIT behind the last query.",
)
QUALIFY_USING = AbsentCommand(
    "`SELECT *` with `JOIN … USING` and `QUALIFY`", (), "r_QUALIFY_clause", "Name the columns."
)
COLLATION = AbsentCommand(
    "`COLLATE CASE_INSENSITIVE` of a column or a database",
    (),
    "r_CREATE_TABLE_NEW, r_CREATE_DATABASE",
    "Compare LOWER of both.",
)
QUOTA = AbsentCommand(
    "`QUOTA` of a schema", (), "r_CREATE_SCHEMA, r_ALTER_SCHEMA", "Leave it out: nothing is limited."
)
# Those that change what a statement means or gives; the others are accepted, and change nothing.
_SETTINGS = (
    "cast_super_null_on_error default_geometry_encoding describe_field_name_in_uppercase"
    " downcase_delimited_identifier enable_case_sensitive_identifier enable_case_sensitive_super_attribute"
    " enable_numeric_rounding error_on_nondeterministic_update interval_forbid_composite_literals"
    " json_serialization_enable json_serialization_parse_nested_strings max_cursor_result_set_size"
    " navigate_super_null_on_error parse_super_null_on_error pg_federation_repeatable_read"
    " spectrum_enable_pseudo_columns spectrum_query_maxerror stored_proc_log_min_messages"
)
SETTINGS = AbsentCommand(
    "the settings " + ", ".join(f"`{name}`" for name in _SETTINGS.split()),
    (),
    "cm_chap_ConfigurationRef",
    "The sandbox behaves as with their defaults.",
)
SETTING_NAMES = words(_SETTINGS)
COLUMN_TYPES = AbsentCommand(
    "columns of `SUPER`, `HLLSKETCH`, `GEOMETRY`, `GEOGRAPHY`, `VARBYTE`",
    (),
    "c_Supported_data_types",
    "The sandbox's types are numbers, text, BOOLEAN, dates and times.",
)
SYSTEM_ROLES = AbsentCommand(
    "the roles `sys:operator`, `sys:dba`, `sys:superuser`, `sys:secadmin`",
    (),
    "r_roles-default",
    "sys:monitor is here; the master user has most of the rights of the others.",
)
SYSTEM_PERMISSIONS = AbsentCommand(
    "`GRANT` and `REVOKE` of system permissions (`CREATE TABLE`, `DROP USER`, `ACCESS SYSTEM TABLE`, …)",
    (),
    "r_roles-system-privileges, r_GRANT",
    "Grant on schemas and tables; sys:monitor reads the system views.",
)
PRIVILEGES = AbsentCommand(
    "`GRANT` and `REVOKE` of `ALTER`, `DROP`, `EXECUTE`, `SHARE` on objects",
    (),
    "r_GRANT",
    "Who owns an object alters and drops it.",
)
SCOPED = AbsentCommand(
    "`GRANT … FOR TABLES IN` and other scoped permissions",
    (),
    "t_scoped-permissions",
    "GRANT … ON ALL TABLES IN SCHEMA, and ALTER DEFAULT PRIVILEGES for those to come.",
)
AUTO_REFRESH = AbsentCommand(
    "`AUTO REFRESH YES` of a materialized view",
    (),
    "materialized-view-create-sql-command, r_ALTER_MATERIALIZED_VIEW",
    "Write AUTO REFRESH NO, and REFRESH MATERIALIZED VIEW where the view is to follow its tables.",
)
COMPUTED_OFFSET = AbsentCommand(
    "`LAG` and `LEAD` with `IGNORE NULLS` and a computed offset",
    (),
    "r_WF_LAG, r_WF_LEAD",
    "Write the offset as a number.",
)
EXTERNAL_ID = AbsentCommand(
    "`EXTERNALID` of a user or role",
    (),
    "r_CREATE_USER, r_CREATE_ROLE",
    "Users log in with a password or by IAM.",
)
ROLE_OWNER = AbsentCommand("`ALTER ROLE … OWNER TO`", (), "r_ALTER_ROLE", "GRANT ROLE … WITH ADMIN OPTION.")
SUPERUSERS = AbsentCommand(
    "users with `CREATEUSER` (superusers) or `CREATEDB`",
    (),
    "r_CREATE_USER",
    "The master user is the nearest.",
)
HASHED_PASSWORDS = AbsentCommand(
    "`PASSWORD` as an MD5 or SHA-256 hash", (), "r_CREATE_USER", "Write the password, or PASSWORD DISABLE."
)
ELSEWHERE = (
    APPEND,
    ASSUMEROLE,
    AUTO_REFRESH,
    COLLATION,
    COLUMN_TYPES,
    COMPUTED_OFFSET,
    EXTERNAL_ID,
    HASHED_PASSWORDS,
    PRIVILEGES,
    QUALIFY_USING,
    QUOTA,
    ROLE_OWNER,
    SCOPED,
    SETTINGS,
    SUPERUSERS,
    SYSTEM_PERMISSIONS,
    SYSTEM_ROLES,
    TOP_OF_SETS,
)
_ALL = {beginning: command for command in TABLE for beginning in command.beginnings}


def check(draft: Draft) -> None:
    """Refuse a command that is not here.

    Raises:
        Refusal: It is one (0A000).
    """
    given = [draft.word(at) for at in range(len(draft)) if draft.word(at) not in _SKIPPED][:_LONGEST]
    for length in range(1, len(given) + 1):
        beginning = " ".join(given[:length])
        if beginning in _ALL:
            raise _ALL[beginning].refusal(beginning.upper())


VERBS = frozenset(beginning.split()[0] for beginning in _ALL)
