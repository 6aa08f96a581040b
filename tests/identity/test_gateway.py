"""Tokens, delegated tokens and scoped keys at the running gateway."""

import json
from typing import Any

import httpx2 as httpx
import openai
import pytest

ASK: Any = [{"role": "user", "content": "Which lamp is good for reading?"}]
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture(scope="module")
def shop(serve: Any, _provider: Any) -> Any:
    _provider.reset()
    return serve(
        applications={"second": {"roles": ["customer"], "models": ["default"]}},
        principals={
            "roles": {"backend": {}},
            "starter_keys": [
                {"subject": "casey", "roles": ["customer"]},
                {"subject": "robin", "roles": ["customer"], "scopes": ["models"]},
                {"subject": "eddy", "roles": ["editor"], "scopes": ["contribute"]},
                {"subject": "ops", "roles": ["operator"]},
                {"subject": "svc", "roles": ["backend", "manager"], "scopes": ["exchange"]},
                {"subject": "other-svc", "roles": ["manager"]},
            ],
        },
        interface={
            "identity": {
                "oidc": [
                    {"issuer": _provider.url, "audience": "ringwall", "roles": {"support": "customer"},
                     "tenant": "shop", "claims": {"attributes": {"customer_id": "cid"}}}
                ],
                "on_behalf_of": {"services": [{"role": "backend", "applications": ["assistant"]}]},
            },
            "routes": [
                {"path": "/v1/collections/**", "max_body": 2000},
                {"path": "/v1/models", "headers": {"refuse": {"user-agent": "(?i)scanner"}}},
                {"path": "/apps/second/**", "methods": ["POST"], "max_body": 400, "rate": "4/min",
                 "headers": {"required": ["x-tenant"], "forbidden": ["x-debug"],
                             "match": {"x-tenant": "^[a-z]+$"}},
                 "content_types": ["application/json"], "body": {"refuse": ["(?i)drop\\s+table"]}},
            ],
        },
    )  # fmt: skip


def event(shop: Any, got: Any) -> Any:
    return shop.record(got.headers["x-ringwall-decision"]).event


def ask(shop: Any, credential: str, path: str = "/v1/chat/completions", **headers: str) -> httpx.Response:
    given = {"authorization": f"Bearer {credential}"} if credential else {}
    body = {"model": "default", "messages": ASK}
    return httpx.post(shop.url + path, json=body, headers={**given, **headers}, timeout=60)


def exchanged(shop: Any, service: str, token: str, **fields: str) -> httpx.Response:
    sent = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS, **fields}
    headers = {"authorization": f"Bearer {shop.keys[service]}"} if service else {}
    return httpx.post(f"{shop.url}/oauth/token", data=sent, headers=headers, timeout=60)


def test_the_sdk_takes_a_token_for_its_key(shop: Any, provider: Any, model_server: Any) -> None:
    with openai.OpenAI(base_url=f"{shop.url}/v1", api_key=provider.token(), max_retries=0) as client:
        got = client.chat.completions.with_raw_response.create(model="default", messages=ASK)
        assert "Echo" in str(got.parse().choices[0].message.content)
        seen = event(shop, got)
        assert (seen["subject"], seen["tenant"], seen["actor"]) == ("u-1", "shop", "")
    for bad in (provider.token(exp=1_000), provider.token(aud="x"), "eyJ.eyJ.x", provider.token()[:-4]):
        with (
            openai.OpenAI(base_url=f"{shop.url}/v1", api_key=bad, max_retries=0) as client,
            pytest.raises(openai.AuthenticationError) as refused,
        ):
            client.models.list()
        assert refused.value.code == "invalid_token"
        assert refused.value.response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_the_caller_is_not_told_what_was_wrong_but_the_ledger_is(shop: Any, provider: Any) -> None:
    answers = {
        why: ask(shop, token)
        for why, token in {
            "expired": provider.token(exp=1_000),
            "audience": provider.token(aud="x"),
            "signature": provider.token()[:-5] + "AAAAA",
        }.items()
    }
    assert len({got.text for got in answers.values()}) == 1
    for why, got in answers.items():
        assert got.status_code == 401
        seen = event(shop, got)
        assert seen["lines"][0]["rules"] == [f"credential: {why}"]
        assert seen["subject"] == "anonymous"
    ask(shop, shop.keys["casey"])  # a good one forgets the failures


def test_a_role_that_no_group_brings_opens_nothing(shop: Any, provider: Any) -> None:
    got = ask(shop, provider.token(groups=["manager", "operator", "customer"]))
    assert (got.status_code, got.json()["error"]["code"]) == (403, "interface.identity")


def test_two_credentials_are_none(shop: Any, provider: Any) -> None:
    good = f"Bearer {shop.keys['casey']}"
    got = httpx.post(
        f"{shop.url}/v1/chat/completions",
        json={},
        headers=[("authorization", good), ("authorization", good)],
        timeout=60,
    )
    assert got.status_code == 401
    assert ask(shop, "", authorization=good.replace("Bearer", "Basic")).status_code == 401
    ask(shop, shop.keys["casey"])


def test_scopes_hold_at_every_endpoint(shop: Any, model_server: Any) -> None:
    robin, eddy = shop.keys["robin"], shop.keys["eddy"]
    got = ask(shop, robin)
    assert got.status_code == 403
    assert got.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="chat"'
    assert got.json()["error"]["code"] == "insufficient_scope"
    assert event(shop, got)["subject"] == "robin"
    bearer = {"authorization": f"Bearer {robin}"}
    assert httpx.get(f"{shop.url}/v1/models", headers=bearer, timeout=60).status_code == 200
    decision = got.headers["x-ringwall-decision"]
    look = f"{shop.url}/v1/ringwall/decisions/{decision}"
    assert httpx.get(look, headers=bearer, timeout=60).status_code == 403
    document = {"title": "Lamps", "text": "A lamp gives light."}
    add = f"{shop.url}/v1/collections/handbook/documents"
    assert httpx.post(add, json=document, headers=bearer, timeout=60).status_code == 403
    added = httpx.post(add, json=document, headers={"authorization": f"Bearer {eddy}"}, timeout=60)
    assert added.status_code in (200, 201, 202)
    assert ask(shop, eddy).status_code == 403


def test_every_endpoint_of_the_api_has_a_scope(shop: Any) -> None:
    """A key for something else opens none of them: also not one that is added later."""
    nothing = shop.plant.keys.create("nobody", ["operator", "customer"], scopes=[]).secret
    paths = httpx.get(f"{shop.url}/openapi.json", timeout=60).json()["paths"]
    for path, operations in paths.items():
        for method in operations:
            url = shop.url + path.replace("{", "").replace("}", "").replace(
                "collections/collection", "collections/handbook"
            )
            got = httpx.request(
                method.upper(), url, headers={"authorization": f"Bearer {nothing}"}, timeout=60
            )
            assert got.status_code == 403, path


def test_exchange_makes_the_user_the_principal(shop: Any, provider: Any, model_server: Any) -> None:
    answer = exchanged(shop, "svc", provider.token(cid="1001"), audience="assistant")
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert given["issued_token_type"] == ACCESS
    assert given["token_type"] == "Bearer"
    assert given["expires_in"] <= 300
    got = ask(shop, given["access_token"])
    assert got.status_code == 200, got.text
    seen = event(shop, got)
    assert (seen["subject"], seen["tenant"], seen["actor"]) == ("u-1", "shop", "default/svc")
    noted = shop.plant.ledger.latest(1, type="token.exchanged")[0].event
    assert (noted["subject"], noted["actor"]) == ("u-1", "default/svc")
    # Good where the rule says, for what is done in an application, and for nobody in turn.
    assert (
        ask(shop, given["access_token"], "/apps/second/v1/chat/completions", **{"x-tenant": "a"}).status_code
        == 403
    )
    bearer = {"authorization": f"Bearer {given['access_token']}"}
    decision = got.headers["x-ringwall-decision"]
    assert (
        httpx.get(f"{shop.url}/v1/ringwall/decisions/{decision}", headers=bearer, timeout=60).status_code
        == 403
    )
    again = httpx.post(f"{shop.url}/oauth/token", headers=bearer, data={"grant_type": EXCHANGE}, timeout=60)
    assert again.status_code == 403
    head, body, signature = given["access_token"].split(".")
    for forged in (f"{head}.{body}.{'A' * 86}", f"{body}.{head}.{signature}", f"{head}.{body}x.{signature}"):
        assert ask(shop, forged).status_code == 401
    ask(shop, shop.keys["casey"])


def test_the_service_lends_no_right(shop: Any, provider: Any, model_server: Any) -> None:
    """The service is a manager; its user, whose groups bring nothing, is not."""
    nobody = provider.token(groups=[])
    delegated = exchanged(shop, "svc", nobody).json()["access_token"]
    assert ask(shop, delegated).status_code == 403
    got = ask(shop, shop.keys["svc"], **{"x-ringwall-on-behalf-of": nobody})
    assert (got.status_code, got.json()["error"]["code"]) == (403, "interface.identity")


def test_the_header_does_the_same(shop: Any, provider: Any, model_server: Any) -> None:
    got = ask(shop, shop.keys["svc"], **{"x-ringwall-on-behalf-of": provider.token()})
    assert got.status_code == 200, got.text
    assert event(shop, got)["actor"] == "default/svc"
    assert event(shop, got)["subject"] == "u-1"
    by_key = ask(shop, shop.keys["svc"], **{"x-ringwall-on-behalf-of": shop.keys["casey"]})
    assert (by_key.status_code, event(shop, by_key)["subject"]) == (200, "casey")
    assert ask(shop, shop.keys["svc"]).status_code == 403  # itself it may only exchange
    for caller, user, status in (
        ("other-svc", provider.token(), 403),
        ("casey", provider.token(), 403),
        ("svc", provider.token(exp=1_000), 401),
        ("svc", shop.keys["robin"], 403),
        ("", provider.token(), 401),
    ):
        key = shop.keys[caller] if caller else ""
        refused = ask(shop, key, **{"x-ringwall-on-behalf-of": user})
        assert refused.status_code == status, (caller, refused.text)
    ask(shop, shop.keys["casey"])


@pytest.mark.parametrize(
    ("service", "fields", "status", "error"),
    [
        ("other-svc", {}, 403, "unauthorized_client"),
        ("", {}, 401, "invalid_client"),
        ("svc", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("svc", {"audience": "second"}, 400, "invalid_target"),
        ("svc", {"audience": "nowhere"}, 400, "invalid_target"),
        ("svc", {"scope": "read-decisions"}, 400, "invalid_scope"),
        ("svc", {"subject_token": "nonsense"}, 400, "invalid_request"),
        ("svc", {"subject_token_type": "urn:x"}, 400, "invalid_request"),
        ("svc", {"actor_token": "x"}, 400, "invalid_request"),
        ("svc", {"requested_token_type": "urn:x"}, 400, "invalid_request"),
        ("svc", {"junk": "x" * 40_000}, 413, "invalid_request"),
    ],
)
def test_exchanges_that_are_refused(
    shop: Any, provider: Any, service: str, fields: Any, status: int, error: str
) -> None:
    got = exchanged(shop, service, provider.token(), **fields)
    assert (got.status_code, got.json()["error"]) == (status, error)
    assert event(shop, got)["action"] == "block"


def test_a_revoked_key_takes_its_delegated_tokens_with_it(shop: Any, model_server: Any) -> None:
    keys = shop.plant.keys
    user, service = keys.create("gone", ["customer"]), keys.create("gone-svc", ["backend"])
    sent = {"grant_type": EXCHANGE, "subject_token": user.secret, "subject_token_type": ACCESS}
    headers = {"authorization": f"Bearer {service.secret}"}
    tokens = [
        httpx.post(f"{shop.url}/oauth/token", data=sent, headers=headers, timeout=60).json()["access_token"]
        for _ in range(2)
    ]
    assert ask(shop, tokens[0]).status_code == 200
    shop.plant.containment.quarantine("key", service.id, reason="lost", by="ops")
    assert ask(shop, tokens[0]).status_code == 403
    keys.revoke(user.id)
    assert ask(shop, tokens[1]).status_code == 401
    ask(shop, shop.keys["casey"])


def test_rules_of_a_route_come_first(shop: Any, model_server: Any) -> None:
    path, good = "/apps/second/v1/chat/completions", {"x-tenant": "shop"}
    key = shop.keys["casey"]
    assert ask(shop, key, path, **good).status_code == 200
    bad_body = {"model": "default", "messages": [{"role": "user", "content": "'; DROP  TABLE x"}]}
    bearer = {"authorization": f"Bearer {key}"}
    for status, sent in (
        (403, {"json": bad_body, "headers": {**bearer, **good}}),
        (400, {"json": {}, "headers": bearer}),
        (429, {"json": {}, "headers": good}),
    ):
        if status == 429:
            ask(shop, "", path, **good, **{"x-debug": "1"})
        got = httpx.post(shop.url + path, timeout=60, **sent)
        assert got.status_code == status, got.text
        seen = event(shop, got)
        assert seen["lines"][0]["control"] == "interface.protocol"
        assert seen["subject"] == "anonymous"  # nobody's credential was looked at
    assert int(got.headers["retry-after"]) >= 1
    pieces = (b'{"title": "' + b"x" * 500 for _ in range(8))  # chunked: no length is told
    chunked = httpx.post(
        f"{shop.url}/v1/collections/handbook/documents",
        content=pieces,
        headers={"authorization": f"Bearer {shop.keys['eddy']}", "content-type": "application/json"},
        timeout=60,
    )
    assert (chunked.status_code, chunked.json()["error"]["code"]) == (413, "body_too_large")
    listed = httpx.get(f"{shop.url}/v1/models", headers={**bearer, "user-agent": "Bad-Scanner/1"}, timeout=60)
    assert (listed.status_code, listed.json()["error"]["code"]) == (400, "route_rule")


def test_failed_tokens_are_guesses(shop: Any, provider: Any) -> None:
    statuses = [ask(shop, provider.token(exp=1_000)).status_code for _ in range(12)]
    assert statuses[:10] == [401] * 10
    assert statuses[-1] == 429
    locked = ask(shop, provider.token(aud="x"))
    assert int(locked.headers["retry-after"]) >= 1
    assert ask(shop, provider.token(), "/v1/models").status_code == 405  # a good one is let in
    assert ask(shop, shop.keys["casey"]).status_code == 200


def test_an_issuer_that_is_down_lets_nobody_in(start: Any, provider: Any) -> None:
    """Here and after a reload that brings it up: one at a time, without a restart."""
    provider.mode = "broken"
    oidc = [{"issuer": provider.url, "audience": "ringwall", "roles": {"support": "customer"}}]
    shop = start(applications={"assistant": {"anonymous": True}}, interface={"identity": {"oidc": oidc}})
    got = ask(shop, provider.token())
    assert (got.status_code, got.json()["error"]["code"]) == (503, "issuer_unreachable")
    assert got.headers["retry-after"]
    assert ask(shop, "").status_code == 200
    assert ask(shop, provider.token(exp=1_000)).status_code == 503  # and not anonymous
    provider.mode = ""
    content = json.loads(shop.path.read_text("utf-8"))
    content["interface"]["identity"]["oidc"][0]["cache_s"] = 300
    shop.path.write_text(json.dumps(content), "utf-8")
    assert shop.live.reload()
    assert ask(shop, provider.token()).status_code == 200
    content["interface"]["identity"]["oidc"] = []
    shop.path.write_text(json.dumps(content), "utf-8")
    assert shop.live.reload()
    assert ask(shop, provider.token()).status_code == 401
