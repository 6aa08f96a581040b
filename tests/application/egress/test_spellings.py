"""No spelling of a private address gets out, whatever the list says."""

import ipaddress
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from ringwall.boundaries.application.addresses import host_of, refused
from ringwall.boundaries.application.egress import EgressList
from ringwall.boundaries.application.egress_settings import EgressRule

from .spellings import ALLOWED, PRIVATE_4, PRIVATE_6, differential, embedded, legacy, schemes, urls

URLS = urls()
OPEN = EgressList([EgressRule(host=ALLOWED, schemes=frozenset({"http", "https"}))])
INSIDE = EgressList(
    [
        EgressRule(host=ALLOWED, schemes=frozenset({"http", "https"}), private=True),
        EgressRule(host="*.example", schemes=frozenset({"http", "https"}), private=True),
    ]
)


def test_there_are_many() -> None:
    assert len(URLS) > 1000


def test_all_are_refused_by_the_reading_of_the_host() -> None:
    """What ``application.destination`` goes by, where no list stands between."""
    other = set(schemes())
    assert [url for url in URLS if url not in other and not host_of(url).problem] == []


@pytest.mark.parametrize("rules", [OPEN, INSIDE])
def test_all_are_refused_by_the_list(rules: EgressList) -> None:
    assert [url for url in URLS if not rules.judge(url, "GET", "").problem] == []
    assert [
        url for url in URLS if not rules.judge_tunnel(url.partition("//")[2].rstrip("/") + ":443", "").problem
    ] == []


def test_no_rule_can_list_a_private_address_by_accident() -> None:
    for url in URLS:
        host = url.partition("//")[2].rstrip("/")
        if host and ALLOWED not in host:
            with pytest.raises(ValidationError):
                EgressRule(host=host)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "::ffff:a9fe:a9fe", "fe80::1"])
def test_metadata_can_be_opened_by_nobody(address: str) -> None:
    with pytest.raises(ValidationError, match="no rule opens"):
        EgressRule(host=address, private=True)


def test_two_hosts_in_one_address_are_refused_or_read_as_they_are_sent() -> None:
    for url in differential():
        given = OPEN.judge(url, "GET", "")
        if not given.problem:
            assert given.name == ALLOWED
            assert {urlsplit(given.url).hostname, URL(given.url).host, httpx2.URL(given.url).host} == {
                ALLOWED
            }, url


@settings(max_examples=300, deadline=None)
@given(
    st.text("shop.example:80@/\\#?%2fa0127\t[]", max_size=30),
    st.sampled_from(["http://", "https://", "http:", ""]),
)
def test_what_is_sent_is_what_was_judged(rest: str, scheme: str) -> None:
    given = OPEN.judge(scheme + rest, "GET", "")
    if not given.problem:
        for host in (urlsplit(given.url).hostname, URL(given.url).host, httpx2.URL(given.url).host):
            assert host == ALLOWED


private_4 = st.one_of(
    *(
        st.integers(int(net[0]), int(net[-1])).map(ipaddress.IPv4Address)
        for net in map(
            ipaddress.ip_network,
            (
                "127.0.0.0/8",
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "169.254.0.0/16",
                "100.64.0.0/10",
                "0.0.0.0/8",
            ),
        )
    )
)


@settings(max_examples=100, deadline=None)
@given(private_4, st.data())
def test_any_private_address_in_any_spelling_is_refused(
    address: ipaddress.IPv4Address, data: st.DataObject
) -> None:
    plain = data.draw(st.sampled_from([*legacy(str(address))]))
    inside = data.draw(st.sampled_from([*embedded(str(address))]))
    dots = data.draw(st.sampled_from(["", "."]))
    for host in (plain + dots, f"[{inside}]"):
        assert host_of(f"http://{host}/").problem, host
        assert host_of(host).problem, host


@pytest.mark.parametrize("address", [*PRIVATE_4, *PRIVATE_6])
def test_as_an_answer_of_the_name_service_it_is_refused(address: str) -> None:
    assert refused(ipaddress.ip_address(address))
    if "." in address:
        assert [inside for inside in embedded(address) if not refused(ipaddress.ip_address(inside))] == []


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "1.1.1.1", "100.128.0.1", "172.32.0.1", "192.169.0.1", "::ffff:8.8.8.8"),
        *("2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::808:808"),
    ],
)
def test_public_addresses_are_not_refused(address: str) -> None:
    assert refused(ipaddress.ip_address(address)) == ""


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("/v1/orders", True),
        ("/v1/orders/", True),
        ("/v1/orders/17?a=b", True),
        ("/v1/orders/%C3%BC", True),
        ("/v1/ordersx", False),
        ("/v1", False),
        ("/V1/orders", False),
        ("//v1/orders", False),
        ("/v1//orders", False),
        ("/v1/orders/../admin", False),
        ("/v1/orders/%2e%2e/admin", False),
        ("/v1/orders/%252e%252e/admin", False),
        ("/v1/orders/..;/admin", False),
        ("/v1/orders/.%2e/admin", False),
        ("/v1/orders%2f..%2fadmin", False),
        ("/v1/orders/..%5cadmin", False),
        ("/v1%2forders", False),
        ("/v1/orders/%0d%0aHost:x", False),
        ("/%76%31/orders", True),
    ],
)
def test_paths_are_matched_as_the_most_generous_server_reads_them(path: str, fits: bool) -> None:
    rules = EgressList([EgressRule(host=ALLOWED, path="/v1/orders")])
    assert (rules.judge(f"https://{ALLOWED}{path}", "GET", "").problem == "") is fits


@pytest.mark.parametrize(
    ("rule", "path", "fits"),
    [
        ({"path": "/v1/*/items"}, "/v1/7/items/3", True),
        ({"path": "/v1/*/items"}, "/v1//items", False),
        ({"path": "/v1/*/items"}, "/v1/7/8/items", False),
        ({"path": "/v1/*", "exact": True}, "/v1/7", True),
        ({"path": "/v1/*", "exact": True}, "/v1/7/8", False),
        ({"path": "/v1", "exact": True}, "/v1", True),
        ({"path": "/v1", "exact": True}, "/v1/", False),
        ({"path": "/", "exact": True}, "", True),
        ({"path": "/", "exact": True}, "/a", False),
        ({"path": "/v1/"}, "/v1", True),
    ],
)
def test_a_path_may_be_exact_and_may_leave_a_segment_open(
    rule: dict[str, object], path: str, fits: bool
) -> None:
    rules = EgressList([EgressRule.model_validate({"host": ALLOWED, **rule})])
    assert (rules.judge(f"https://{ALLOWED}{path}", "GET", "").problem == "") is fits


@pytest.mark.parametrize(
    "rule",
    [
        {"host": "https://shop.example"},
        {"host": "shop.example/x"},
        {"host": "shop.example:443"},
        {"host": "*"},
        {"host": "*.*"},
        {"host": "*.10.0.0.1", "private": True},
        {"host": "*.8.8.8.8"},
        {"host": ALLOWED, "path": "/a\nb"},
        {"host": "shop .example"},
        {"host": "10.0.0.1"},
        {"host": "localhost"},
        {"host": ALLOWED, "ports": [0]},
        {"host": ALLOWED, "path": "v1"},
        {"host": ALLOWED, "path": "/a/../b"},
        {"host": ALLOWED, "path": "/a%2fb"},
        {"host": ALLOWED, "path": "/a?b"},
    ],
)
def test_rules_that_could_not_be_meant_are_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EgressRule.model_validate(rule)


@pytest.mark.parametrize(
    "step",
    [
        "%25252e%25252e",
        "%2525252e%2525252e",
        "%25252f",
        "%c0%ae%c0%ae",
        "%c0%af",
        "%e0%80%af..",
        "\uff0e\uff0e",
        "%ef%bc%8e%ef%bc%8e",
        "\u2025",
        "..%ef%bc%8f",
        "x%ef%bc%8fy",
    ],
)
def test_no_later_reading_of_a_segment_steps_up(step: str) -> None:
    """Servers decode more than once, take overlong UTF-8, or fold what looks like a dot."""
    judge = EgressList([EgressRule(host="shop.example", path="/v1")])
    assert judge.judge(f"https://shop.example/v1/{step}/admin", "GET", "t").problem
    assert not judge.judge("https://shop.example/v1/100%25/%C3%A9/a.b/..c", "GET", "t").problem
