"""A bucket's own configuration, held against the perimeter."""

from ringwall.core import DataError
from ringwall.storage.s3_bucket import BucketState, Unread

from .check import Check, State, check
from .claims import claimed, foreign, outsiders, sent
from .policy import Policy
from .probes import FOREIGN_ACCOUNT, Probes


def bucket_checks(state: BucketState, probes: Probes) -> list[Check]:
    """Every check, in order."""
    return [
        _flag("versioning", state.versioning, "Versioning is on.", "Versioning is off.", _VERSIONING),
        _flag(
            "object-lock", state.object_lock, "Object Lock is enabled.", "Object Lock is not there.", _LOCK
        ),
        _default_lock(state.default_lock),
        _flag("public-access", state.public_blocked, "Public access is blocked.", _PUBLIC, _PUBLIC_ADVICE),
        _encryption(state),
        *_policy(state.policy, probes),
    ]


def policy_checks(text: str, probes: Probes) -> list[Check]:
    """The checks of a bucket policy alone. DataError when it is none."""
    policy = Policy.parse(text)
    said, theirs = sent(policy), foreign(policy, FOREIGN_ACCOUNT)
    strangers = list(claimed(probes.strangers(), theirs))
    named = [out for one in probes.outside() for out in outsiders(policy, probes.settings.account, one)]
    return [
        check(
            "tls",
            all(map(policy.denies, claimed(probes.plain(), said))),
            "Requests without TLS are denied.",
            "The policy does not deny every request without TLS.",
            "Add a Deny for Principal * and s3:* on bucket and objects with Bool aws:SecureTransport false.",
        ),
        check(
            "identity",
            all(map(policy.denies, strangers)),
            "Principals outside of the organisation are denied.",
            "The policy does not deny every principal outside of the organisation.",
            "Add a Deny for Principal * and s3:* with StringNotEqualsIfExists aws:PrincipalOrgID.",
        ),
        _network(policy, probes),
        check(
            "grants",
            not any(map(policy.allows, [*strangers, *named])),
            "No statement opens the bucket to strangers.",
            "A statement allows what a principal outside of the organisation asks for.",
            "Name roles of your own in Principal instead of *, or add the condition aws:PrincipalOrgID "
            "to the Allow (for a service: aws:SourceAccount). What a caller says of itself is no condition.",
        ),
        _usable(policy, probes),
    ]


def _policy(given: str | Unread, probes: Probes) -> list[Check]:
    if isinstance(given, Unread):
        return [_unread("policy", given)]
    if not given:
        return [
            Check(
                "policy", State.FAILED, "The bucket has no policy.", "Attach one that denies what is outside."
            )
        ]
    try:
        return policy_checks(given, probes)
    except DataError as error:
        return [Check("policy", State.UNREAD, str(error), "Look at the bucket policy.")]


def _network(policy: Policy, probes: Probes) -> Check:
    if not probes.settings.endpoints:
        advice = "Name the VPC endpoints under data.perimeter.endpoints."
        return Check("network", State.UNREAD, "Which networks are expected is not said.", advice)
    return check(
        "network",
        all(map(policy.denies, claimed(probes.elsewhere(), sent(policy)))),
        "Requests from other networks are denied.",
        "The policy does not deny every request from another network.",
        "Add a Deny for Principal * and s3:* with StringNotEqualsIfExists aws:SourceVpce; exempt services "
        "with BoolIfExists aws:PrincipalIsAWSService false and aws:ViaAWSService false.",
    )


def _usable(policy: Policy, probes: Probes) -> Check:
    if not probes.settings.organization:
        advice = "Name the organisation under data.perimeter.organization."
        return Check("usable", State.UNREAD, "Which organisation is one's own is not said.", advice)
    return check(
        "usable",
        not any(map(policy.denies, probes.own())),
        "One's own requests are not denied.",
        "The policy denies what one's own principals ask for from the right network.",
        "Compare the organisation, account and endpoints in the policy with data.perimeter.",
    )


def _flag(name: str, value: bool | Unread, good: str, bad: str, advice: str) -> Check:
    return _unread(name, value) if isinstance(value, Unread) else check(name, value, good, bad, advice)


def _default_lock(value: str | Unread) -> Check:
    if isinstance(value, Unread):
        return _unread("default-lock", value)
    return check(
        "default-lock",
        value.startswith("COMPLIANCE "),
        f"New objects are locked by default ({value}).",
        f"New objects are not locked in compliance mode by default ({value or 'no default'}).",
        "Set a default retention in compliance mode: it also holds for what others write there.",
    )


def _encryption(state: BucketState) -> Check:
    kind, key = state.encryption, state.kms_key
    if isinstance(kind, Unread) or isinstance(key, Unread):
        return _unread("encryption", kind if isinstance(kind, Unread) else Unread("unknown"))
    return check(
        "encryption",
        kind.startswith("aws:kms") and bool(key),
        "New objects are encrypted with a KMS key of one's own.",
        f"The default encryption names no KMS key of one's own ({kind or 'none'}).",
        "Set default encryption to aws:kms with a key of your own: its policy is a second lock.",
    )


def _unread(name: str, value: Unread) -> Check:
    return Check(
        name, State.UNREAD, f"It could not be read ({value.code}).", "Allow reading it, and look again."
    )


_VERSIONING = "Switch versioning on."
_LOCK = "Enable Object Lock: without it nothing can be locked."
_PUBLIC = "Public access is not blocked in all four ways."
_PUBLIC_ADVICE = "Switch all four blocks of public access on."
