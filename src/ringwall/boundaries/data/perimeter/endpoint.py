"""The policy of a VPC endpoint: what may leave the network through it, and with whose credentials."""

from .check import Check, State, check
from .policy import Policy
from .probes import Probes


def endpoint_checks(text: str, probes: Probes, name: str = "endpoint") -> list[Check]:
    """DataError when it is no policy."""
    policy = Policy.parse(text)
    return [
        check(
            f"{name}-resources",
            not any(map(policy.allows, probes.carried_out())),
            "Buckets of other organisations can't be reached through it.",
            "Data can be carried to a bucket of another organisation through it.",
            "Allow s3:* only with StringEquals aws:ResourceOrgID (and the buckets of AWS that you need).",
        ),
        check(
            f"{name}-principals",
            not any(map(policy.allows, probes.strangers())),
            "Credentials of other organisations don't work through it.",
            "Credentials that an attacker brings along work through it.",
            "Allow s3:* only with StringEquals aws:PrincipalOrgID.",
        ),
        _usable(policy, probes, name),
    ]


def _usable(policy: Policy, probes: Probes, name: str) -> Check:
    if not probes.settings.organization:
        advice = "Name the organisation under data.perimeter.organization."
        return Check(f"{name}-usable", State.UNREAD, "Which organisation is one's own is not said.", advice)
    return check(
        f"{name}-usable",
        all(map(policy.allows, probes.own())),
        "One's own requests are allowed.",
        "It does not allow what one's own principals ask for.",
        "Compare the organisation in the policy with data.perimeter.",
    )
