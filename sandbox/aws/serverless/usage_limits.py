"""What can be asked of usage limits; the sandbox uses nothing, so none is ever reached."""

from sandbox.aws.serverless import arguments
from sandbox.aws.serverless.account import Account, page
from sandbox.aws.serverless.messages import Values, refuse
from sandbox.aws.serverless.resources import UsageLimit

# Management Guide, "Setting usage limits": one, and "up to 3 more".
_MOST = 4
# UNCONFIRMED: two limits that differ in none of these are one that exists already.
_SAME = ("resourceArn", "usageType", "period", "breachAction")


def create_usage_limit(account: Account, values: Values) -> Values:
    """Make a usage limit of a workgroup."""
    account.by_arn(values["resourceArn"])
    arguments.check_amount(values)
    made = UsageLimit(account.place, values)
    new, others = made.describe(), _of(account, values["resourceArn"], values["usageType"])
    if any(all(one.describe()[key] == new[key] for key in _SAME) for one in others):
        raise refuse("ConflictException", "A usage limit of that type, period and action already exists.")
    if len(others) >= _MOST:
        raise refuse("ServiceQuotaExceededException", f"A workgroup has at most {_MOST} of a type.")
    account.usage_limits[made.id] = made
    return {"usageLimit": new}


def get_usage_limit(account: Account, values: Values) -> Values:
    """A usage limit."""
    return {"usageLimit": _find(account, values).describe()}


def list_usage_limits(account: Account, values: Values) -> Values:
    """The usage limits, of a workgroup or a type if it is given."""
    return page("usageLimits", _of(account, values.get("resourceArn"), values.get("usageType")), values)


def update_usage_limit(account: Account, values: Values) -> Values:
    """Change the amount of a usage limit, or what happens at its breach."""
    found = _find(account, values)
    arguments.check_amount(values)
    found.settings |= {key: value for key, value in values.items() if key != "usageLimitId"}
    return {"usageLimit": found.describe()}


def delete_usage_limit(account: Account, values: Values) -> Values:
    """Remove a usage limit. UNCONFIRMED: that it outlives its workgroup unless it is."""
    found = _find(account, values)
    del account.usage_limits[found.id]
    return {"usageLimit": found.describe()}


def _of(account: Account, arn: str | None, kind: str | None) -> list[UsageLimit]:
    return [
        one
        for one in account.usage_limits.values()
        if arn in (None, one.settings["resourceArn"]) and kind in (None, one.settings["usageType"])
    ]


def _find(account: Account, values: Values) -> UsageLimit:
    found = account.usage_limits.get(values["usageLimitId"])
    if found is None:
        raise refuse("ResourceNotFoundException", "The usage limit was not found.")
    return found
