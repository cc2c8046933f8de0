"""GRANT and REVOKE, roles and groups in Redshift's grammar (r_GRANT, r_CREATE_ROLE, r_CREATE_GROUP, …).

PostgreSQL's users, groups and roles are one kind, told apart by their right to log in and, groups, by a
comment.
"""

from collections.abc import Sequence

from sandbox.redshift.dialect import absent_commands
from sandbox.redshift.dialect.draft import Draft
from sandbox.redshift.dialect.names import quote, read_name, syntax_error
from sandbox.redshift.dialect.statement import Refusal
from sandbox.redshift.sql.tokens import words

_MONITOR = "monitor"
_SYSTEM_PERMISSIONS = words("access all alter analyze cancel create drop truncate vacuum")
_NO_PRIVILEGES = words("alter drop execute share")


def rewrite_grant(draft: Draft, _in_transaction: bool) -> Sequence[str]:
    """Rewrite GRANT or REVOKE.

    Raises:
        Refusal: It is of what Redshift, or the sandbox, has not.
    """
    at = _behind_option_for(draft)
    if draft.word(at) == "assumerole":
        raise absent_commands.ASSUMEROLE.refusal(f"{draft.word(0).upper()} ASSUMEROLE")
    on = next((index for index in range(at, len(draft)) if draft.word(index) == "on"), None)
    to = next((index for index in range(at, len(draft)) if draft.word(index) in ("to", "from")), len(draft))
    if draft.word(at) == "role":
        _grant_roles(draft, at, to)
    elif on is None or on > to:
        _refuse_without_object(draft, at, to)
    else:
        _check_privileges(draft, at, on)
    _grantees(draft, to, takes_groups=draft.word(at) != "role")
    return ()


def _behind_option_for(draft: Draft) -> int:
    """Where what is granted or revoked begins: behind GRANT OPTION FOR, ADMIN OPTION FOR."""
    return 4 if draft.word(1) in ("grant", "admin") and draft.words_at(2, "option", "for") else 1


def _grant_roles(draft: Draft, at: int, to: int) -> None:
    """``GRANT ROLE a, ROLE b TO …``: PostgreSQL has no such word, and knows no sys:monitor without quotes."""
    for item in draft.split(at, to - 1):
        if draft.word(item.first) != "role":
            raise syntax_error(draft, item.first)
        draft.remove(item.first, item.first)
        if draft.word(item.first + 1) == "sys" and draft.is_operator(item.first + 2, ":"):
            role = draft.word(item.first + 3)
            if role != _MONITOR:
                raise absent_commands.SYSTEM_ROLES.refusal(f"The role sys:{role}")
            draft.remove(item.first + 1, item.first + 3)
            draft.after(item.first + 1, f'"sys:{_MONITOR}"')


def _refuse_without_object(draft: Draft, at: int, to: int) -> None:
    _refuse_scope(draft, at, to)
    if draft.word(at) in _SYSTEM_PERMISSIONS:
        given = " ".join(draft.word(index) for index in range(at, to)).upper()
        raise absent_commands.SYSTEM_PERMISSIONS.refusal(f"{draft.word(0).upper()} {given}")
    raise syntax_error(draft, at, hint="Write GRANT ROLE role TO user.")


def _check_privileges(draft: Draft, at: int, on: int) -> None:
    for item in draft.split(at, on - 1):
        if draft.word(item.first) in _NO_PRIVILEGES:
            raise absent_commands.PRIVILEGES.refusal(f"GRANT {draft.word(item.first).upper()}")


def _refuse_scope(draft: Draft, at: int, to: int) -> None:
    for index in range(at, to):
        if draft.word(index) == "for" and draft.word(index + 2) == "in":
            raise absent_commands.SCOPED.refusal(f"GRANT … FOR {draft.word(index + 1).upper()} IN")


def rewrite_default(draft: Draft) -> Sequence[str]:
    """``ALTER DEFAULT PRIVILEGES … GRANT … TO ROLE role``, and its REVOKE.

    Raises:
        Refusal: It gives a group the right to grant.
    """
    to = (index for index in range(2, len(draft)) if draft.word(index) in ("to", "from"))
    _grantees(draft, next(to, len(draft)), takes_groups=True)
    return ()


def _grantees(draft: Draft, to: int, *, takes_groups: bool) -> None:
    """``TO user, ROLE role, GROUP group, PUBLIC``: a role is no other than a user to PostgreSQL."""
    with_option = any(draft.words_at(index, "with", "grant", "option") for index in range(to, len(draft)))
    for index in range(to + 1, len(draft) - 1):
        begins = index == to + 1 or draft.is_operator(index - 1, ",")
        word = draft.word(index)
        if not begins or word not in ("role", "group") or not draft.tokens[index + 1].is_name:
            continue
        if word == "role":
            draft.remove(index, index)
        elif not takes_groups:
            raise syntax_error(draft, index, hint="Roles are granted to users and roles.")
        elif with_option:
            # "You can't grant WITH GRANT OPTION to a group or to PUBLIC" (GRANT, parameters).
            raise Refusal("WITH GRANT OPTION cannot be given to a group", "0LP01")


def rewrite_role(draft: Draft) -> Sequence[str]:
    """CREATE, ALTER and DROP ROLE.

    Raises:
        Refusal: It is of an identity provider, or of an owner.
    """
    for index in range(2, len(draft)):
        if draft.word(index) == "externalid":
            raise absent_commands.EXTERNAL_ID.refusal("EXTERNALID")
    if draft.word(0) == "alter" and "owner" in (draft.word(3), draft.word(4)):
        raise absent_commands.ROLE_OWNER.refusal("ALTER ROLE … OWNER TO")
    if draft.word(0) == "drop" and draft.word(len(draft) - 1) in ("force", "restrict") and len(draft) > 3:
        draft.remove(len(draft) - 1, len(draft) - 1)
    return ()


def rewrite_group(draft: Draft) -> Sequence[str]:
    """CREATE, ALTER and DROP GROUP; what follows marks a new one as a group."""
    if draft.word(0) != "create":
        return ()
    return [f"COMMENT ON ROLE {quote(read_name(draft, 2).parts[-1])} IS 'group'"]
