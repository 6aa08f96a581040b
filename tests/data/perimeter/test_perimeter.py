"""Policies as people write them, what is missing in them, and what only looks like it is there."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.boundaries.data.perimeter import (
    PerimeterSettings,
    Policy,
    Probes,
    Request,
    State,
    bucket_checks,
    endpoint_checks,
    policy_checks,
)
from ringwall.boundaries.data.perimeter.conditions import holds
from ringwall.boundaries.data.perimeter.wildcard import fits
from ringwall.core import DataError
from ringwall.storage.s3_bucket import BucketState, Unread

ORG, ACCOUNT, VPCE = "o-abcdefghij", "111122223333", "vpce-0abc12345678"
SETTINGS = PerimeterSettings(organization=ORG, account=ACCOUNT, endpoints=(VPCE,))
PROBES = Probes("vault-bucket", "p/", SETTINGS)
BOTH = ["arn:aws:s3:::vault-bucket", "arn:aws:s3:::vault-bucket/*"]


def deny(condition: Any, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BOTH}
    return {**statement, "Condition": condition, **more}


TLS = deny({"Bool": {"aws:SecureTransport": "false"}})
SERVICE = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
IDENTITY = deny({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORG}, **SERVICE})
NETWORK = deny({"StringNotEqualsIfExists": {"aws:SourceVpce": [VPCE]}, **SERVICE})
GRANT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/ringwall"},
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::vault-bucket/*",
}


def states(*statements: dict[str, Any], probes: Probes = PROBES) -> dict[str, str]:
    return {
        one.id: str(one.state) for one in policy_checks(json.dumps({"Statement": list(statements)}), probes)
    }


ALL = {"tls": "passed", "identity": "passed", "network": "passed", "grants": "passed", "usable": "passed"}


def test_a_whole_perimeter() -> None:
    assert states(TLS, IDENTITY, NETWORK, GRANT) == ALL


@pytest.mark.parametrize(
    ("statements", "failed"),
    [
        ([IDENTITY, NETWORK], {"tls"}),
        ([TLS, NETWORK], {"identity"}),
        ([TLS, IDENTITY], {"network"}),
        ([TLS], {"identity", "network"}),
        ([{**TLS, "Effect": "Allow"}, IDENTITY, NETWORK], {"tls"}),
        ([{**TLS, "Action": "s3:GetObject"}, IDENTITY, NETWORK], {"tls"}),
        ([{**TLS, "Resource": BOTH[1]}, IDENTITY, NETWORK], {"tls"}),
        ([{**TLS, "Resource": "arn:aws:s3:::another/*"}, IDENTITY, NETWORK], {"tls"}),
        ([{**TLS, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, IDENTITY, NETWORK], {"tls"}),
        ([deny({"Bool": {"aws:SecureTransport": "true"}}), IDENTITY, NETWORK], {"tls", "usable"}),
        ([TLS, deny({"StringEquals": {"aws:PrincipalOrgID": ORG}}), NETWORK], {"identity", "usable"}),
        ([TLS, deny({"StringNotEquals": {"aws:PrincipalOrgID": "o-somebodyelse"}}), NETWORK], {"usable"}),
        ([TLS, deny({"StringNotLikeIfExists": {"aws:PrincipalOrgID": "o-*"}}), NETWORK], {"identity"}),
        ([TLS, deny({"StringEquals": {"aws:PrincipalOrgID": "o-0utsideperimeter2"}}), NETWORK], {"identity"}),
        ([TLS, IDENTITY, deny({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})], {"usable"}),
        ([TLS, IDENTITY, deny({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}})], {"network", "usable"}),
        ([TLS, IDENTITY, NETWORK, {**GRANT, "Principal": "*"}], set()),
        ([TLS, deny({"MadeUp": {"aws:PrincipalOrgID": ORG}}), NETWORK], {"identity"}),
    ],
)
def test_what_is_missing_is_told(statements: list[dict[str, Any]], failed: set[str]) -> None:
    found = states(*statements)
    assert {name for name, state in found.items() if state == "failed"} == failed


@pytest.mark.parametrize(
    "identity",
    [
        deny({"StringNotEquals": {"aws:PrincipalOrgID": [ORG]}, "Bool": {"aws:ViaAWSService": "false"}}),
        deny({"StringNotEqualsIgnoreCase": {"AWS:principalORGid": ORG.upper()}}),
        deny({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}),
        deny({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}),
        deny({"ForAllValues:StringNotEquals": {"aws:PrincipalOrgID": [ORG, "o-second00000"]}}),
        {**deny({}), "Principal": None, "NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {**IDENTITY, "Action": ["s3:Get*", "s3:Put*", "s3:List*", "s3:Delete*", "s3:Re*", "s3:?ypass*"]},
        deny({"StringNotEquals": {"aws:PrincipalOrgID": ORG}}, Resource="*", NotAction="iam:*", Action=None),
    ],
)
def test_ways_to_write_the_same(identity: dict[str, Any]) -> None:
    statement = {name: value for name, value in identity.items() if value is not None}
    assert states(TLS, statement, NETWORK)["identity"] == "passed"
    assert states(TLS, statement, NETWORK)["usable"] == "passed"


def test_an_open_grant_is_found_though_nothing_denies() -> None:
    found = states(TLS, {**GRANT, "Principal": "*"})
    assert found["grants"] == "failed"
    limited = {**GRANT, "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORG}}}
    assert states(TLS, limited)["grants"] == "passed"
    unknown = {**GRANT, "Principal": "*", "Condition": {"MadeUp": {"x": "y"}}}
    assert states(TLS, unknown)["grants"] == "failed", "what can't be told counts against safety"


OPEN = {**GRANT, "Principal": "*"}
NAMED = "arn:aws:iam::999999999999:root"


@pytest.mark.parametrize(
    "grant",
    [
        {**OPEN, "Action": "s3:PutBucketPolicy", "Resource": BOTH},
        {**OPEN, "Action": "s3:PutObjectAcl"},
        {**OPEN, "Action": None, "NotAction": ["s3:Get*", "s3:PutObject", "s3:List*"], "Resource": BOTH},
        {**OPEN, "Condition": {"StringLike": {"aws:Referer": "https://shop.example/*"}}},
        {**OPEN, "Condition": {"StringEquals": {"aws:UserAgent": "our-loader"}}},
        {**OPEN, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "data"}}},
        {**OPEN, "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}},
        {**OPEN, "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        {**OPEN, "Condition": {"DateLessThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}},
        {**GRANT, "Principal": {"AWS": NAMED}},
        {**GRANT, "Principal": {"AWS": "999999999999"}},
        {**GRANT, "Principal": {"CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}},
        {**GRANT, "Principal": {"Federated": "cognito-identity.amazonaws.com"}},
        {**GRANT, "Principal": {"Service": "logging.s3.amazonaws.com"}},
    ],
)
def test_grants_that_reach_strangers(grant: dict[str, Any]) -> None:
    statement = {name: value for name, value in grant.items() if value is not None}
    assert states(TLS, statement)["grants"] == "failed"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": ORG, "aws:PrincipalTag/team": "data"}},
        {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
    ],
)
def test_grants_that_do_not(condition: Any) -> None:
    assert states(TLS, {**OPEN, "Condition": condition})["grants"] == "passed"


def test_a_service_that_is_held_to_ones_own_account_is_no_stranger() -> None:
    service = {**GRANT, "Principal": {"Service": "logging.s3.amazonaws.com"}}
    held = {**service, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    assert states(TLS, held)["grants"] == "passed"


_ORG = {"aws:PrincipalOrgID": ORG}


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        ("identity", deny({"StringNotEqualsIfExists": {**_ORG, "aws:PrincipalTag/free": "yes"}})),
        (
            "identity",
            deny(
                {
                    "StringNotEqualsIfExists": _ORG,
                    "ArnNotLikeIfExists": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"},
                }
            ),
        ),
        ("network", deny({"StringNotEqualsIfExists": {"aws:SourceVpce": VPCE, "aws:Referer": "x"}})),
        ("network", deny({"StringNotLike": {"aws:SourceVpce": "vpce-*"}})),
        ("network", deny({"Null": {"aws:SourceVpce": "True"}})),
        ("tls", deny({"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": {"aws:UserAgent": "x"}})),
        ("tls", {**TLS, "Resource": [BOTH[0], f"{BOTH[0]}/p/0*"]}),
        ("tls", {**TLS, "Action": ["s3:GetObject*", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]}),
    ],
)
def test_ways_round_a_deny(check: str, statement: dict[str, Any]) -> None:
    whole = {"tls": TLS, "identity": IDENTITY, "network": NETWORK, check: statement}
    assert states(*whole.values())[check] == "failed"


def test_what_nobody_said_is_no_pass() -> None:
    found = states(TLS, IDENTITY, probes=Probes("vault-bucket", "", PerimeterSettings()))
    assert (found["network"], found["usable"]) == ("unread", "unread")
    assert (found["tls"], found["identity"]) == ("passed", "passed")


STATE = BucketState(
    versioning=True,
    object_lock=True,
    default_lock="COMPLIANCE 30 days",
    public_blocked=True,
    encryption="aws:kms",
    kms_key="arn:aws:kms:eu-central-1:111122223333:key/1",
    policy=json.dumps({"Statement": [TLS, IDENTITY, NETWORK]}),
)


def test_a_bucket() -> None:
    assert {one.state for one in bucket_checks(STATE, PROBES)} == {State.PASSED}
    bare = BucketState(False, False, "GOVERNANCE 30 days", False, "AES256", "", "")
    found = bucket_checks(bare, PROBES)
    assert {one.state for one in found} == {State.FAILED}
    assert all(one.advice for one in found)
    hidden = BucketState(*[Unread("AccessDenied")] * 7)
    assert {one.state for one in bucket_checks(hidden, PROBES)} == {State.UNREAD}


def endpoint(*statements: dict[str, Any]) -> dict[str, str]:
    text = json.dumps({"Statement": list(statements)})
    return {one.id: str(one.state) for one in endpoint_checks(text, PROBES)}


def test_an_endpoint() -> None:
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    assert endpoint(everything) == {
        "endpoint-resources": "failed",
        "endpoint-principals": "failed",
        "endpoint-usable": "passed",
    }
    ours = {"StringEquals": {"aws:PrincipalOrgID": ORG, "aws:ResourceOrgID": ORG}}
    assert set(endpoint({**everything, "Condition": ours}).values()) == {"passed"}
    same = {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
    assert endpoint({**everything, "Condition": same})["endpoint-resources"] == "passed"
    assert endpoint({**everything, "Condition": same})["endpoint-principals"] == "failed"


@pytest.mark.parametrize(
    ("block", "context", "expected"),
    [
        ({"StringEquals": {"k": "a"}}, {}, False),
        ({"StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
        ({"StringLike": {"k": "a*c?"}}, {"k": "abbcd"}, True),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "false"}}, {}, False),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "b"]}, True),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, False),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, {}, False),
        ({"ForAnyValue:StringNotEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, True),
        ({"ForAllValues:StringNotEquals": {"k": ["a"]}}, {"k": ["a", "b"]}, False),
        ({"Bool": {"k": False}}, {"k": "false"}, True),
        ({"IpAddress": {"k": "10.0.0.0/8"}}, {"k": "10.1.2.3"}, True),
        ({"NotIpAddress": {"k": ["10.0.0.0/8", "::/0"]}}, {"k": "10.1.2.3"}, False),
        ({"IpAddress": {"k": "not an address"}}, {"k": "10.1.2.3"}, False),
        ({"ArnLike": {"k": "arn:aws:iam::*:role/x*"}}, {"k": "arn:aws:iam::1:role/xy"}, True),
        ({"ArnNotEquals": {"k": "arn:aws:iam::1:role/x"}}, {"k": "arn:aws:iam::1:role/x"}, False),
        ({"NumericLessThan": {"k": "1.2"}}, {"k": "1.0"}, True),
        ({"DateGreaterThan": {"k": "2026-01-01T00:00:00Z"}}, {"k": "2026-06-01T00:00:00Z"}, True),
        ({"StringEquals": {"k": "${other}"}}, {"k": "x", "other": "x"}, True),
        ({"StringEquals": {"k": "${other}"}}, {"k": "x"}, None),
        ({"StringEquals": {"k": "${other, 'x'}"}}, {"k": "x"}, True),
        ({"Odd": {"k": "x"}}, {"k": "x"}, None),
        ({"Odd": {"k": "x"}, "Bool": {"t": "true"}}, {"t": "false"}, False),
        ({}, {}, True),
    ],
)
def test_conditions(block: Any, context: Any, expected: bool | None) -> None:
    assert holds(block, context) is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
OPERATORS = st.sampled_from(
    [
        "StringEquals",
        "StringNotLikeIfExists",
        "ForAllValues:ArnLike",
        "Bool",
        "Null",
        "DateLessThan",
        "Odd",
        "",
    ]
)


@given(
    JSON, st.dictionaries(OPERATORS, st.dictionaries(st.text(max_size=8), JSON, max_size=2), max_size=3), JSON
)
def test_whatever_is_in_a_policy_it_is_judged_or_refused(action: Any, condition: Any, principal: Any) -> None:
    statement = {"Effect": "Deny", "Action": action, "Principal": principal, "Condition": condition}
    text = json.dumps({"Statement": [statement, {"Effect": "Deny", "Action": "*", "Principal": "*"}]})
    request = Request("s3:GetObject", "arn:aws:s3:::b/k", "*", {"k": "v"})
    try:
        policy = Policy.parse(text)
    except DataError:
        return
    assert policy.denies(request)
    assert not policy.allows(request)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"Statement": 5}', '{"Statement": [{"Effect": "deny"}]}', "[" * 9999, " " * 70_000],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        Policy.parse(text)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_wildcards_as_fnmatch_reads_them(pattern: str, text: str) -> None:
    import fnmatch

    assert fits(pattern, text) == fnmatch.fnmatchcase(text, pattern)


def test_wildcards_take_no_exponential_time() -> None:
    assert not fits("*a" * 200 + "b", "a" * 3000)
