"""The exported firewall rules, read back with a parser of the language and with a grammar of our own."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from suricataparser import parse_rules

from ringwall.boundaries.application.egress_export import domains, network_firewall, suricata
from ringwall.boundaries.application.egress_settings import EgressRule

RULES = [
    EgressRule(host="api.shop.example", methods=frozenset({"GET", "POST"}), path="/v1/orders"),
    EgressRule(host="*.cdn.example", ports=frozenset({443, 8443})),
    EgressRule(host="legacy.example", schemes=frozenset({"http"}), path="/v1/*/items", private=True),
    EgressRule(host="exact.example", schemes=frozenset({"http"}), path='/a;b"c:d|e', exact=True),
    EgressRule(host="8.8.8.8", schemes=frozenset({"https", "http"})),
    EgressRule(host="root.example", schemes=frozenset({"http"}), methods=frozenset({"HEAD"})),
]

# What the language allows, as far as these rules use it.
_CONTENT = r'content:"(?:[A-Za-z0-9._~/-]|\|[0-9a-f]{2}(?: [0-9a-f]{2})*\|)+"'
_OPTION = "|".join(
    [
        *(r"tls\.sni", r"http\.host", r"http\.method", r"http\.uri", r"http\.header_names", _CONTENT),
        *("dotprefix", "startswith", "endswith", "nocase", "ssl_state:client_hello", r"ja4\.hash"),
        *("flow:to_server(?:, established)?", "app-layer-protocol:!(?:tls|http)"),
        "ip_proto:!(?:TCP|UDP|ICMP)",
        *('msg:"[A-Za-z0-9 :,.-]+"', "sid:[0-9]{7}", "rev:1"),
    ]
)
_NETWORK = r"(?:any|\$EXTERNAL_NET|[0-9a-f.:]+) (?:any|\[[0-9]+(?:,[0-9]+)*\])"
_RULE = re.compile(
    r"(?:pass|drop) (?:tls|http|tcp|udp|icmp|ip) \$HOME_NET any -> "
    rf"{_NETWORK} \((?:(?:{_OPTION}); )*(?:{_OPTION});\)"
)


def lines(rules: list[EgressRule]) -> list[str]:
    return [line for line in suricata(rules).splitlines() if line and not line.startswith("#")]


def options(line: str) -> list[tuple[str, Any]]:
    (rule,) = parse_rules(line)
    return [(option.name, option.value) for option in rule.options]


def test_a_parser_and_a_grammar_read_every_rule() -> None:
    written = lines(RULES)
    read = parse_rules(suricata(RULES))
    assert [rule.raw for rule in read if rule.enabled] == written
    assert [line for line in written if not _RULE.fullmatch(line)] == []


def test_what_passes_is_what_the_list_says() -> None:
    passes = [line for line in lines(RULES) if line.startswith("pass")]
    tls = [line for line in passes if line.startswith("pass tls")]
    assert len(tls) == 3
    sni = 'tls.sni; content:"api.shop.example"; startswith; nocase; endswith'
    assert f"pass tls $HOME_NET any -> $EXTERNAL_NET [443] ({sni}; flow:to_server, established;" in tls[0]
    assert 'tls.sni; dotprefix; content:".cdn.example"; nocase; endswith' in tls[1]
    assert "$EXTERNAL_NET [443,8443]" in tls[1]
    assert "-> 8.8.8.8 [443] (ssl_state:client_hello;" in tls[2]
    (legacy,) = (line for line in passes if "legacy.example" in line)
    assert "-> any [80]" in legacy, "an internal service is inside"
    assert 'http.host; content:"legacy.example"; startswith; endswith; http.method; content:"GET"' in legacy
    assert 'http.uri; content:"/v1/"; startswith;' in legacy
    exact = [line for line in passes if "exact.example" in line]
    assert ['content:"/a|3b|b|22|c|3a|d|7c|e"; startswith; endswith' in line for line in exact] == [
        True,
        False,
    ]
    assert 'content:"/a|3b|b|22|c|3a|d|7c|e|3f|"; startswith;' in exact[1]
    (root,) = (line for line in passes if "root.example" in line)
    assert "http.uri" not in root
    assert 'content:"HEAD"' in root


def test_everything_else_is_dropped_last() -> None:
    for rules in (RULES, []):
        actions = [line.split(" ")[:2] for line in lines(rules)]
        assert [one for one in actions if one[0] == "drop"] == actions[-6:]
        assert [one[1] for one in actions[-6:]] == ["tls", "http", "tcp", "udp", "icmp", "ip"]


def test_numbers_are_unique_and_stay_when_the_order_changes() -> None:
    def numbers(rules: list[EgressRule]) -> dict[str, str]:
        return {line.partition("; msg:")[0]: dict(options(line))["sid"] for line in lines(rules)}

    one, other = numbers(RULES), numbers(RULES[::-1])
    assert one == other
    assert len(set(one.values())) == len(one)


def test_twins_get_numbers_of_their_own() -> None:
    found = [dict(options(line))["sid"] for line in lines([RULES[1], RULES[1]])]
    assert len(set(found)) == len(found)


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=20).map(lambda text: "/" + text),
    st.booleans(),
    st.sampled_from(["a.example", "*.b.example"]),
)
def test_no_path_breaks_out_of_its_rule(path: str, exact: bool, host: str) -> None:
    try:
        rule = EgressRule(host=host, schemes=frozenset({"http"}), path=path, exact=exact)
    except ValueError:
        return
    for line in lines([rule]):
        assert _RULE.fullmatch(line), line
        assert dict(options(line))["rev"] == "1"


def test_the_template_of_the_firewall() -> None:
    template = network_firewall(RULES, "shop")
    resource = template["Resources"]["RingwallEgress"]
    assert resource["Type"] == "AWS::NetworkFirewall::RuleGroup"
    properties = resource["Properties"]
    assert set(properties) == {"RuleGroupName", "Description", "Type", "Capacity", "RuleGroup"}
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,128}", properties["RuleGroupName"])
    assert properties["Type"] == "STATEFUL"
    assert properties["Capacity"] >= len(lines(RULES))
    assert properties["RuleGroup"]["StatefulRuleOptions"] == {"RuleOrder": "STRICT_ORDER"}
    assert properties["RuleGroup"]["RulesSource"] == {"RulesString": suricata(RULES)}


@pytest.mark.parametrize(
    ("rules", "names"), [([], []), (RULES[:2] * 2, ["*.cdn.example", "api.shop.example"])]
)
def test_names_for_the_dns_firewall(rules: list[EgressRule], names: list[str]) -> None:
    assert domains(rules) == names
