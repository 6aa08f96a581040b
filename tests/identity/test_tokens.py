"""What makes a token good, and the ways in which forgers try."""

import asyncio
import base64
import contextlib
import hashlib
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface.sign_in.fetch import Unreachable
from ringwall.boundaries.interface.sign_in.jose import TokenRefused, read, strict_object
from ringwall.boundaries.interface.sign_in.settings import IdentitySettings, IssuerSettings

SECRET = b"a shared secret of more than thirty-two bytes"


async def reason(desk: Any, token: str, **more: Any) -> str:
    with pytest.raises(TokenRefused) as refused:
        await desk.issuers.verify(token, **more)
    return refused.value.reason


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_good_token_proves_its_subject(desk: Any, provider: Any) -> None:
    made = desk(claims={"attributes": {"customer_id": "cid", "vip": "vip"}}, tenant="shop")
    verified = await made.issuers.verify(provider.token(cid=1001, vip=True, groups=["support", "agents"]))
    principal = verified.principal
    assert (principal.subject, principal.tenant) == ("u-1", "shop")
    assert principal.roles == {"agent", "customer"}
    assert principal.attributes == {"customer_id": "1001", "vip": "true"}
    assert principal.authenticated
    assert "u-1" not in principal.credential


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": 1_000}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": "9999999999"}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": 9_999_999_999}, "not valid yet"),
        ({"nbf": 9_999_999_999}, "not valid yet"),
        ({"nbf": []}, "nbf"),
        ({"iat": 1_000}, "too old"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["ringwall", 5]}, "audience"),
        ({"aud": {"ringwall": 1}}, "audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": ["x"]}, "issuer"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": "a b"}, "subject"),
        ({"sub": "anonymous"}, "subject"),
        ({"sub": "system"}, "subject"),
        ({"sub": "x" * 201}, "subject"),
        ({"nonce": "n"}, "no access token"),
        ({"at_hash": "h"}, "no access token"),
        ({"events": {}}, "no access token"),
        ({"cnf": {"jkt": "x"}}, "bound to another key"),
        ({"cnf": 5}, "bound to another key"),
    ],
)
async def test_claims_that_are_not_good(desk: Any, provider: Any, claims: Any, why: str) -> None:
    if isinstance(claims.get("iss"), list) or isinstance(claims.get("sub"), list):
        token = ".".join([b64({"alg": "RS256", "kid": "k1"}), b64({**claims}), "AAAA"])
    else:
        token = provider.token(**claims)
    assert await reason(desk(), token) == why


async def test_clocks_may_differ_a_little(desk: Any, provider: Any) -> None:
    now = int(time.time())
    late = provider.token(exp=now - 20)
    assert (await desk().issuers.verify(late)).principal.subject == "u-1"
    assert await reason(desk(clock_skew_s=0), late) == "expired"


async def test_id_tokens_are_no_credentials(desk: Any, provider: Any) -> None:
    plain = {"typ": "JWT"}
    id_token = provider.token(scope=None, client_id=None, headers=plain)
    assert await reason(desk(), id_token) == "no access token"
    assert await reason(desk(), provider.token(headers={"typ": "logout+jwt"})) == "type"
    assert (await desk().issuers.verify(provider.token(headers=plain))).principal.subject == "u-1"


async def test_algorithms_are_pinned(desk: Any, provider: Any, rsa_keys: Any, ec_key: Any, jwk: Any) -> None:
    made = desk()
    body = provider.token().split(".")[1]
    for none in ("none", "None", "NONE", "nOnE", ""):
        assert await reason(made, f"{b64({'alg': none})}.{body}.AAAA") == "algorithm"
        assert await reason(made, f"{b64({'alg': none})}.{body}.") == "form"
    # The published key, taken for an HMAC secret: the classic confusion, in both spellings of the key.
    pem = rsa_keys[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, json.dumps(jwk(rsa_keys[0], "k1")).encode()):
        signed = f"{b64({'alg': 'HS256', 'kid': 'k1', 'typ': 'at+jwt'})}.{body}"
        forged = (
            f"{signed}.{b64(jwt.algorithms.get_default_algorithms()['HS256'].sign(signed.encode(), secret))}"
        )
        assert await reason(made, forged) == "algorithm"
    # A key of another kind under the same id.
    provider.keys = [jwk(ec_key, "k1")]
    assert await reason(desk(), provider.token()) == "key"
    assert (await desk().issuers.verify(provider.token(ec_key, algorithm="ES256"))).principal
    assert await reason(desk(algorithms=["RS256"]), provider.token(ec_key, algorithm="ES256")) == "algorithm"


async def test_every_pinned_algorithm_verifies(
    desk: Any, provider: Any, rsa_keys: Any, ec_key: Any, ed_key: Any, jwk: Any
) -> None:
    provider.keys = [jwk(rsa_keys[0], "r"), jwk(ec_key, "e", use="sig"), jwk(ed_key, "d", alg="EdDSA")]
    made = desk()
    for kid, key, name in (
        ("r", rsa_keys[0], "RS256"),
        ("r", rsa_keys[0], "PS256"),
        ("e", ec_key, "ES256"),
        ("d", ed_key, "EdDSA"),
    ):
        token = provider.token(key, algorithm=name, headers={"kid": kid})
        assert (await made.issuers.verify(token)).principal.subject == "u-1"
    assert provider.asked.count("/jwks") == 1


async def test_a_shared_secret_stands_alone(desk: Any, provider: Any) -> None:
    made = desk(SECRET, algorithms=["HS256"], secret_env="X")
    assert (await made.issuers.verify(provider.token(SECRET, algorithm="HS256"))).principal
    assert await reason(made, provider.token(SECRET + b"!", algorithm="HS256")) == "signature"
    assert await reason(made, provider.token()) == "algorithm"
    assert provider.asked == []


async def test_keys_that_a_token_brings_are_not_looked_at(
    desk: Any, provider: Any, rsa_keys: Any, jwk: Any
) -> None:
    made, forger = desk(), rsa_keys[1]
    for extra in (
        {"jwk": jwk(forger)},
        {"jku": f"{provider.url}/evil"},
        {"x5u": f"{provider.url}/evil"},
        {"x5c": ["MIIB"]},
    ):
        assert await reason(made, provider.token(forger, headers=extra)) == "signature"
    assert "/evil" not in provider.asked
    for bad in ({"crit": ["exp"]}, {"b64": False}, {"zip": "DEF"}):
        head = b64({"alg": "RS256", "kid": "k1", **bad})
        assert await reason(made, ".".join([head, *provider.token().split(".")[1:]])) == "header"


async def test_the_key_id_decides(desk: Any, provider: Any, rsa_keys: Any, jwk: Any) -> None:
    no_id = provider.token(headers={"kid": None})
    assert (await desk().issuers.verify(no_id)).principal  # one key: no doubt which
    provider.keys = [jwk(rsa_keys[0], "k1"), jwk(rsa_keys[1], "k2")]
    assert await reason(desk(), no_id) == "key"
    assert await reason(desk(), provider.token(headers={"kid": "k2"})) == "signature"
    provider.keys = [jwk(rsa_keys[0], "k1"), jwk(rsa_keys[1], "k1")]
    assert await reason(desk(), provider.token()) == "key"
    odd = ".".join([b64({"alg": "RS256", "kid": 5}), *no_id.split(".")[1:]])
    assert await reason(desk(), odd) == "key id"


async def test_unfit_keys_are_no_keys(desk: Any, provider: Any, rsa_keys: Any, jwk: Any) -> None:
    good = jwk(rsa_keys[0], "k1")
    weak = rsa.generate_private_key(65537, 1024)
    for unfit in (
        {**good, "use": "enc"},
        {**good, "key_ops": ["encrypt"]},
        {**good, "alg": "RS512"},
        {**good, "d": "AQAB"},
        {**good, "n": "AQAB"},
        {**good, "kty": "oct", "k": "AAAA"},
        {**good, "kid": 5},
        jwk(weak, "k1"),
        5,
    ):
        provider.keys = [unfit, jwk(rsa_keys[1], "other")]
        assert await reason(desk(), provider.token()) == "key"


async def test_new_keys_are_fetched_and_made_up_ones_do_not_flood(
    desk: Any, provider: Any, rsa_keys: Any, jwk: Any
) -> None:
    made = desk()
    await made.issuers.verify(provider.token())
    new = provider.token(rsa_keys[1], headers={"kid": "k2"})
    provider.keys = [jwk(rsa_keys[1], "k2")]
    assert (await made.issuers.verify(new)).principal
    assert await reason(made, provider.token()) == "key"  # the old key is gone with the set that had it
    fetched = provider.asked.count("/jwks")
    for number in range(20):
        assert await reason(made, provider.token(headers={"kid": f"made-up-{number}"})) == "key"
    assert provider.asked.count("/jwks") == fetched
    made.clock[0] += 11
    assert await reason(made, provider.token(headers={"kid": "made-up"})) == "key"
    assert provider.asked.count("/jwks") == fetched + 1


@pytest.mark.parametrize("mode", ["huge", "redirect", "other_issuer", "elsewhere", "broken", "twice"])
async def test_a_provider_that_misbehaves_proves_nothing(desk: Any, provider: Any, mode: str) -> None:
    provider.mode = mode
    made = desk()
    with pytest.raises(Unreachable):
        await made.issuers.verify(provider.token())
    asked = len(provider.asked)
    provider.mode = ""
    with pytest.raises(Unreachable):  # there is a pause after a failure
        await made.issuers.verify(provider.token())
    assert len(provider.asked) == asked
    assert "/moved" not in provider.asked
    made.clock[0] += 11
    assert (await made.issuers.verify(provider.token(exp=int(time.time()) + 900))).principal


async def test_one_fetch_for_all_who_wait(desk: Any, provider: Any) -> None:
    provider.mode = "slow"
    made = desk()
    waiting = [asyncio.ensure_future(made.issuers.verify(provider.token())) for _ in range(20)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()  # whoever began the fetch may go away
    provider.gate.set()
    got = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(got[0], asyncio.CancelledError)
    assert all(not isinstance(one, BaseException) for one in got[1:])
    assert provider.asked == ["/.well-known/openid-configuration", "/jwks"]


async def test_keys_outlive_an_outage_but_not_for_ever(desk: Any, provider: Any) -> None:
    made = desk(cache_s=60, stale_s=100)
    token = provider.token(exp=int(time.time()) + 9_000)
    await made.issuers.verify(token)
    provider.mode = "broken"
    for later in (61, 80, 159):
        made.clock[0] = later
        assert (await made.issuers.verify(token)).principal
    made.clock[0] = 161
    with pytest.raises(Unreachable):
        await made.issuers.verify(token)
    provider.mode = ""
    made.clock[0] = 175
    assert (await made.issuers.verify(token)).principal


async def test_bound_tokens_need_their_certificate(desk: Any, provider: Any) -> None:
    mine = b"DER of a certificate"
    token = provider.token(cnf={"x5t#S256": b64(hashlib.sha256(mine).digest())})
    assert (await desk().issuers.verify(token, certificate=mine)).principal
    assert await reason(desk(), token) == "bound to another key"
    assert await reason(desk(), token, certificate=b"another") == "bound to another key"


async def test_required_claims_scopes_and_parties(desk: Any, provider: Any) -> None:
    made = desk(
        required_claims={"/org/unit": "sales"}, required_scopes=["chat"], authorized_parties=["web", "app"]
    )
    assert (await made.issuers.verify(provider.token(org={"unit": "sales"}))).principal
    assert await reason(made, provider.token(org={"unit": "it"})) == "required claim"
    assert await reason(made, provider.token(org=["sales"])) == "required claim"
    assert await reason(made, provider.token(org={"unit": "sales"}, scope="chatter")) == "required scope"
    assert await reason(made, provider.token(org={"unit": "sales"}, client_id="x")) == "authorized party"
    both = provider.token(org={"unit": "sales"}, azp="evil")
    assert await reason(made, both) == "authorized party"


async def test_scopes_bring_operations(desk: Any, provider: Any) -> None:
    made = desk(scope_grants={"talk": ["chat"], "look": ["models"]}, scopes=["chat"], applications=["shop"])
    grant = (await made.issuers.verify(provider.token(scope="talk look admin"))).principal.grant
    assert grant.scopes == {"chat"}
    assert grant.applications == {"shop"}
    assert (await made.issuers.verify(provider.token(scope="admin"))).principal.grant.scopes == frozenset()


@pytest.mark.parametrize(
    ("preset", "access", "identity", "settings_", "expected"),
    [
        (
            "cognito",
            {"aud": None, "token_use": "access", "client_id": "ringwall", "cognito:groups": ["support"],
             "groups": None, "username": "casey", "version": 2},
            {"token_use": "id", "aud": "ringwall", "client_id": None, "cognito:groups": ["support"]},
            {},
            ("u-1", "default"),
        ),
        (
            "entra",
            {"oid": "0f0f", "tid": "t-1", "azp": "web", "azpacr": "1", "scp": "chat", "ver": "2.0",
             "roles": ["support"], "groups": None, "scope": None, "client_id": None},
            {"oid": "0f0f", "tid": "t-1", "roles": ["support"], "scope": None, "client_id": None},
            {},
            ("0f0f", "t-1"),
        ),
        (
            "entra",  # v1
            {"oid": "0f0f", "tid": "t-1", "appid": "web", "appidacr": "1", "scp": "chat", "ver": "1.0",
             "roles": ["support"], "groups": None, "scope": None, "client_id": None},
            {"oid": "0f0f", "tid": None, "appidacr": "1"},
            {},
            ("0f0f", "t-1"),
        ),
        (
            "keycloak",
            {"typ": "Bearer", "azp": "web", "realm_access": {"roles": ["offline_access"]}, "groups": None,
             "resource_access": {"ringwall": {"roles": ["support"]}, "account": {"roles": ["x"]}}},
            {"typ": "ID", "azp": "web"},
            {},
            ("u-1", "default"),
        ),
        (
            "okta",
            {"cid": "web", "uid": "00u1", "scp": ["chat"], "scope": None, "client_id": None, "ver": 1},
            {"ver": 1, "scope": None, "client_id": None, "idp": "00o1"},
            {"required_scopes": ["chat"], "claims": {"subject": "uid"}},
            ("00u1", "default"),
        ),
    ],
)  # fmt: skip
async def test_presets_take_access_tokens_and_no_others(
    desk: Any, provider: Any, preset: str, access: Any, identity: Any, settings_: Any, expected: Any
) -> None:
    plain = {"typ": None}
    made = desk(preset=preset, **settings_)
    principal = (await made.issuers.verify(provider.token(headers=plain, **access))).principal
    assert (principal.subject, principal.tenant) == expected
    assert principal.roles == {"agent", "customer"}
    why = await reason(made, provider.token(headers=plain, **identity))
    assert why in ("no access token", "audience", "tenant")


async def test_groups_bring_only_what_the_workload_says(desk: Any, provider: Any) -> None:
    made = desk(default_roles=["customer"])
    for groups in (["operator", "agent"], "operator", [["support"]], {"support": 1}, [5], None):
        assert (await made.issuers.verify(provider.token(groups=groups))).principal.roles == {"customer"}


async def test_forms_that_are_read_two_ways_are_not_read(desk: Any, provider: Any) -> None:
    made = desk()
    head, body, signature = provider.token().split(".")
    twice = b'{"alg":"RS256","alg":"none","kid":"k1"}'
    assert await reason(made, f"{b64(twice)}.{body}.{signature}") == "json"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert base64.urlsafe_b64decode(same + "==") == base64.urlsafe_b64decode(signature + "==")
    assert await reason(made, f"{head}.{body}.{same}") == "encoding"
    claims = base64.urlsafe_b64decode(body + "==")
    assert await reason(made, f"{head}.{b64(claims[:-1] + b',' + claims[1:])}.{signature}") == "json"
    for bad, why in (
        (f"{head}.{body}.{signature}.x", "form"),
        (f"{head}.{body}", "form"),
        (f"{head}.{body}.{signature}=", "encoding"),
        (f"{head}.{body} .{signature}", "encoding"),
        (f"{head}.{body}.é", "form"),
        ("x" * 9000, "too long"),
        (f"{b64(b'[' * 3000)}.{body}.{signature}", "nesting"),
        (f"{b64(b'[1]')}.{body}.{signature}", "json"),
        (f"{b64(b'{}' + bytes(5000))}.{body}.{signature}", "header"),
    ):
        assert await reason(made, bad) == why
    for number in (b"NaN", b"Infinity", b"1e999", b"9" * 5000):
        with pytest.raises(TokenRefused):
            strict_object(b'{"exp": ' + number + b"}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_token_is_good(data: st.DataObject, desk: Any, provider: Any) -> None:
    token = provider.token()
    place = data.draw(st.integers(0, len(token) - 1))
    change = data.draw(
        st.one_of(
            st.sampled_from("ABCDEFabcdef0189-_.=+/ \n\0é").map(
                lambda c: token[:place] + c + token[place + 1 :]
            ),
            st.just(token[:place] + token[place + 1 :]),
            st.text(max_size=3).map(lambda t: token[:place] + t + token[place:]),
            st.just(token[:place]),
        )
    )
    if change == token:
        return
    with pytest.raises(TokenRefused):
        asyncio.run(desk().issuers.verify(change))


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda raw: f"{b64(raw)}.{b64(raw)}.AAAA")))
def test_reading_refuses_or_reads(text: str) -> None:
    with contextlib.suppress(TokenRefused):
        assert isinstance(read(text, 8192).claims, dict)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example"},
        {"issuer": "https://id.example/?x"},
        {"issuer": "https://u:p@id.example"},
        {"issuer": "ftp://id.example"},
        {"issuer": "id.example"},
        {"audience": []},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256"]},
        {"algorithms": ["HS256", "RS256"], "secret_env": "X"},
        {"secret_env": "X"},
        {"algorithms": ["HS256"], "secret_env": "X", "secret_file": "y"},
        {"jwks_url": "http://id.example/jwks"},
        {"jwks_url": "file:///etc/passwd"},
        {"claims": {"roles": "/bad~2"}},
    ],
)
def test_settings_that_would_open_a_door(wrong: Any) -> None:
    good = {"issuer": "https://id.example/realms/x", "audience": "ringwall"}
    IssuerSettings.model_validate(good)
    with pytest.raises(ValueError, match="error"):
        IssuerSettings.model_validate(good | wrong)


def test_issuers_can_not_speak_for_each_other() -> None:
    first = {"issuer": "https://a.example", "audience": "x"}
    second = {"issuer": "https://b.example", "audience": "x"}
    for left, right in (("", ""), ("", "b:"), ("b", "b:"), ("b:", "b:")):
        with pytest.raises(ValueError, match="subject_prefix"):
            IdentitySettings.model_validate(
                {"oidc": [first | {"subject_prefix": left}, second | {"subject_prefix": right}]}
            )
    IdentitySettings.model_validate(
        {"oidc": [first | {"subject_prefix": "a:"}, second | {"subject_prefix": "b:"}]}
    )
    with pytest.raises(ValueError, match="twice"):
        IdentitySettings.model_validate({"oidc": [first, first]})
