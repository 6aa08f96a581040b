"""The egress list as stateful rules of AWS Network Firewall: Suricata syntax, strict order.

A firewall sees packets, not tools: a destination that one tool may reach is open to all behind it. Of TLS it
sees the server name and the port, of plain HTTP also method and path. So these rules are never narrower than
the list, and stand behind it.

Sources: Suricata user guide (rules, tls and http keywords), AWS Network Firewall developer guide (strict
order, caveats: no ``priority``, ``pcre`` not with ``http.uri``; so paths are matched by content alone).
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from .egress_outbound import PORTS
from .egress_settings import ANY, EgressRule

FIRST_SID, LAST_SID = 1_000_000, 1_998_999
"""Numbers for local use; those after them are the closing rules'."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
_TO_SERVER = "flow:to_server, established"
_CLOSING = (
    # A hello may come in pieces (post-quantum keys are large): its hash is there once it was read whole, when
    # the rules above have seen its name.
    (
        "tls",
        'ssl_state:client_hello; ja4.hash; content:"_"; flow:to_server',
        "TLS to a host that is not on the egress list",
    ),
    (
        "http",
        f'http.header_names; content:"|0d 0a|"; startswith; {_TO_SERVER}',
        "HTTP that is not on the egress list",
    ),
    ("tcp", f"app-layer-protocol:!tls; app-layer-protocol:!http; {_TO_SERVER}", "neither TLS nor HTTP"),
    ("udp", "flow:to_server", "UDP, QUIC and foreign name servers included"),
    ("icmp", "flow:to_server", "ICMP"),
    ("ip", "ip_proto:!TCP; ip_proto:!UDP; ip_proto:!ICMP; flow:to_server", "another protocol"),
)
HEAD = """\
# Written by `ringwall egress export` from the egress list of a workload: change the list, then write anew.
# For a stateful rule group with STRICT_ORDER; the last rules take the place of the policy's default actions.
# Rules are never narrower than the list: tools can't be told apart, and of TLS only name and port are seen.
# Names: queries to the resolver of the VPC do not pass the firewall. Bind the same names to a DNS Firewall
# rule group (allow these, block `*`), or any name that is looked up can carry data out:
"""


def suricata(rules: Sequence[EgressRule]) -> str:
    """A file of rules: what may pass, then everything else dropped (which alerts)."""
    names = "".join(f"#   {name}\n" for name in domains(rules))
    return HEAD + names + "\n".join(_lines(rules)) + "\n"


def network_firewall(rules: Sequence[EgressRule], name: str) -> dict[str, Any]:
    """A CloudFormation template with one ``AWS::NetworkFirewall::RuleGroup``, as plain data."""
    text = suricata(rules)
    count = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    group = {
        "RulesSource": {"RulesString": text},
        "StatefulRuleOptions": {"RuleOrder": "STRICT_ORDER"},
    }
    properties = {
        "RuleGroupName": f"ringwall-egress-{name}"[:128],
        "Description": "Egress list of a Ringwall workload",
        "Type": "STATEFUL",
        "Capacity": max(100, 2 * count),
        "RuleGroup": group,
    }
    resource = {"Type": "AWS::NetworkFirewall::RuleGroup", "Properties": properties}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"RingwallEgress": resource}}


def domains(rules: Sequence[EgressRule]) -> list[str]:
    """The names that may be looked up, for a DNS firewall."""
    return sorted({_domain(rule) for rule in rules if rule.known_host.name})


def _lines(rules: Sequence[EgressRule]) -> Iterator[str]:
    taken: set[int] = set()
    for number, rule in enumerate(rules, 1):
        yield f"# Rule {number}: {_domain(rule) or rule.known_host.address}{_seen_less(rule)}"
        for protocol, header, matches in _passes(rule):
            body = f"{header} ({matches}; {_TO_SERVER}"
            sid = _sid(body, taken)
            yield f'pass {protocol} {body}; msg:"Ringwall: egress rule {number}"; sid:{sid}; rev:1;)'
    yield "# Everything else"
    for offset, (protocol, matches, what) in enumerate(_CLOSING, 1):
        sid = LAST_SID + offset
        options = f'{matches}; msg:"Ringwall: {what}"; sid:{sid}; rev:1;'
        yield f"drop {protocol} $HOME_NET any -> any any ({options})"


def _passes(rule: EgressRule) -> Iterator[tuple[str, str, str]]:
    """(protocol, header, matches) of the rules that let this one's requests pass."""
    for scheme in sorted(rule.schemes):
        ports = sorted(rule.ports) or [PORTS[scheme]]
        header = f"$HOME_NET any -> {_network(rule)} [{','.join(map(str, ports))}]"
        if scheme == "https":
            yield "tls", header, _named(rule, "tls.sni", "; nocase") or "ssl_state:client_hello"
            continue
        host = _named(rule, "http.host", "") or f"http.host; {_content(str(rule.known_host.address), True)}"
        for method in sorted(rule.methods):
            asked = f"{host}; http.method; {_content(method, True)}"
            for path in _paths(rule):
                yield "http", header, f"{asked}; {path}" if path else asked


def _named(rule: EgressRule, buffer: str, nocase: str) -> str:
    """``http.host`` is in lower case already; ``nocase`` on it is an error."""
    name = rule.known_host.name
    if not name:
        return ""
    if rule.host.startswith("*."):
        return f'{buffer}; dotprefix; content:"{_escaped("." + name)}"{nocase}; endswith'
    return f'{buffer}; content:"{_escaped(name)}"; startswith{nocase}; endswith'


def _paths(rule: EgressRule) -> Iterator[str]:
    """Each of them an alternative. A ``*`` can't be said, so what comes before it is matched."""
    before, star, _ = rule.path.partition(f"/{ANY}")
    if star:
        yield f"http.uri; {_content(before + '/', False)}"
    elif rule.path == "/" and not rule.exact:
        yield ""
    else:
        path = rule.path if rule.exact else rule.path.rstrip("/")
        yield f"http.uri; {_content(path, True)}"
        yield f"http.uri; {_content(path + '?', False)}"
        if not rule.exact:
            yield f"http.uri; {_content(path + '/', False)}"


def _content(text: str, whole: bool) -> str:
    return f'content:"{_escaped(text)}"; startswith' + ("; endswith" if whole else "")


def _escaped(text: str) -> str:
    """All that could mean something to the parser, as bytes in hexadecimal."""
    return "".join(
        sign if sign in _PLAIN else "|" + " ".join(f"{byte:02x}" for byte in sign.encode()) + "|"
        for sign in text
    )


def _network(rule: EgressRule) -> str:
    if rule.known_host.address is not None:
        return str(rule.known_host.address)
    return "any" if rule.private else "$EXTERNAL_NET"


def _domain(rule: EgressRule) -> str:
    name = rule.known_host.name
    return f"*.{name}" if name and rule.host.startswith("*.") else name


def _seen_less(rule: EgressRule) -> str:
    return ", of TLS only the name is seen" if "https" in rule.schemes and rule.narrows else ""


def _sid(body: str, taken: set[int]) -> int:
    """The same for the same rule, wherever it stands."""
    digest = int.from_bytes(hashlib.sha256(body.encode()).digest()[:8])
    sid = FIRST_SID + digest % (LAST_SID - FIRST_SID)
    while sid in taken:
        sid = FIRST_SID + (sid + 1 - FIRST_SID) % (LAST_SID - FIRST_SID)
    taken.add(sid)
    return sid
