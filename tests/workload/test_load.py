"""Reading workload files: every mistake has a place, nothing that is written in one is a traceback."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ringwall.core import ConfigError, Mode
from ringwall.workload.live import rehearse
from ringwall.workload.load import load
from ringwall.workload.source import MAX_BYTES, parse

ROOT = Path(__file__).parents[2]
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as wrong:
        load(path)
    return [str(problem) for problem in wrong.value.problems]


def test_names_and_secrets_of_credentials_are_checked(file: Any, small: str, monkeypatch: Any) -> None:
    section = """
interface:
  tls: {certificate: none.pem, key: none.pem}
  routes: [{path: /v1/**, headers: {refuse: {user-agent: "(a"}}}]
  identity:
    oidc:
      - issuer: https://id.example
        audience: x
        default_roles: [usr]
        roles: {team: [user, bos]}
        applications: [assistent]
        ca_file: none.pem
    certificates: {principals: [{subject: x, san: "dns:x", roles: [usr]}]}
    on_behalf_of: {services: [{role: servce, applications: [nowhere]}]}
"""
    assert any("RE2" in one for one in problems(file(small + section)))
    found = problems(file(small + section.replace("(a", "a")))
    for wanted in (
        "'usr'",
        "'bos'",
        "'assistent': did you mean",
        "'servce'",
        "'nowhere'",
        "no file 'none.pem'",
    ):
        assert any(wanted in one for one in found), wanted
    assert sum("'usr'" in one for one in found) == 2
    assert all("ringwall.yaml:" in one for one in found)
    shared = """
interface:
  identity:
    oidc: [{issuer: "https://id.example", audience: x, algorithms: [HS256], secret_env: TEST_ISSUER_SECRET}]
"""
    path = file(small + shared)
    for secret in ("", "short"):
        monkeypatch.setenv("TEST_ISSUER_SECRET", secret)
        with pytest.raises(ConfigError, match="shorter than 32 bytes"):
            rehearse(path)
    monkeypatch.setenv("TEST_ISSUER_SECRET", "x" * 32)
    rehearse(path)


def test_the_sample_and_the_smallest_load(file: Any, small: str) -> None:
    assert load(ROOT / "examples/support-assistant/ringwall.yaml").workload.workload == "support-assistant"
    loaded = load(file(small))
    assert loaded.workload.mode_of("assistant") is Mode.ENFORCE


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("roles: [user]", "rols: [user]", "ringwall.yaml:4:5: unknown key 'rols': did you mean 'roles'?"),
        (
            "workload: small\n",
            "workload: small\nmoed: enforce\n",
            "2:1: unknown key 'moed': did you mean 'mode'?",
        ),
        ("workload: small\n", "workload: small\nmode: off\n", "ringwall.yaml:2:7: mode"),
        ("roles: [user]", "roles: [usr]", "4:13: unknown role 'usr': did you mean 'user'?"),
        ("roles: [user]", "roles: [user]\n    models: [defualt]", "unknown route 'defualt': did you mean"),
        ("roles: [user]", "roles: [user]\n    accept: [pictures]", "unknown kind of part 'pictures'"),
        ("roles: [user]", "roles: [user]\n    system_prompt: ./none.md", "there is no file './none.md'"),
        (
            "roles: [user]",
            "roles: [user]\n    controls: {interface.injektion: {mode: monitor}}",
            "5:16: unknown control 'interface.injektion': did you mean 'interface.injection'?",
        ),
        (
            "roles: [user]",
            "roles: [user]\n    controls: {interface.injection: {mode: off}}",
            "mode must be 'enforce' or 'monitor'",
        ),
        (
            "roles: [user]",
            "roles: [user]\n    controls: {interface.secrets: {minimun: 0.5}}",
            "unknown key 'minimun': did you mean 'minimum'?",
        ),
        ("workload: small\n", "workload: Small Shop\n", "1:11: workload"),
        ("workload: small\n", "", "the key 'workload' is missing"),
        (
            "workload: small\n",
            "workload: small\nworkload: two\n",
            "2:1: the key 'workload' stands here twice",
        ),
        ("workload: small\n", "workload: [\n", "is not valid YAML"),
    ],
)
def test_mistakes_have_a_place(file: Any, small: str, old: str, new: str, expected: str) -> None:
    assert old in small
    found = problems(file(small.replace(old, new)))
    assert any(expected in line for line in found), found


def test_all_mistakes_at_once(file: Any, small: str) -> None:
    found = problems(
        file(small + "interface: {quotas: {requests: many}, allowed_hosts: ['http://x/']}\nextra: 1\n")
    )
    assert len(found) == 3
    assert all(line.startswith("ringwall.yaml:") for line in found)


@pytest.mark.parametrize(
    "content",
    [
        BOMB.encode(),
        b"a: &x 1\nb: *x\n",
        b"&a a: *a\n",
        b"a: !!python/object/apply:os.system [echo]\n",
        b"a: !!python/name:os.system\n",
        b"a: !!bool maybe\n",
        b'a: !!int ""\n',
        b"a: !!int x\n",
        b"a: !!float x\n",
        b"a: !!binary '***'\n",
        b"a: !!timestamp x\n",
        b"? [1, 2]\n: x\n",
        b"? {a: b}\n: x\n",
        b"[" * 50_000,
        b"{a: " * 3000,
        b"- " * 3000 + b"x",
        b"a: b\n" * 3 + b"\x00",
        b"\xff\xfe\x00",
        b"\xc3\x28",
        b'workload: "\\ud800"\n',
        b"---\na: 1\n---\nb: 2\n",
        b"%YAML 9.9\n---\na: 1\n",
        b"\t\ta: 1\n",
        b"a: '\n",
        b"- a\n- b\n",
        b"just words",
        b"42",
        b"",
        b"null",
        b"!!set {a, b}\n",
        b"<<: {a: 1}\n",
        b"workload: x\napplications: {a: {roles: 5, tools: {}, models: null}}\n",
        b"applications: 5\n",
        b"workload: x\napplications: {a: {}}\ninterface: {limits: {body_bytes: " + b"9" * 6000 + b"}}\n",
        b"workload: x\napplications: {a: {}}\napplication: {tools: {t: {parameters: {type: string}}}}\n",
        b"workload: x\napplications: {a: {}}\napplication: {tools: {t: {run: {python: ../../x}}}}\n",
        b"x" * (MAX_BYTES + 1),
    ],
)
def test_hostile_files_are_complaints(file: Any, content: bytes) -> None:
    begun = time.process_time()
    assert problems(file(content))
    assert time.process_time() - begun < 20


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "can't be read" in problems(tmp_path / "none.yaml")[0]
    assert "can't be read" in problems(tmp_path)[0]


_words = st.sampled_from(
    [
        "workload", "applications", "mode", "enforce", "monitor", "principals", "roles", "interface",
        "controls", "interface.secrets", "tools", "model", "routes", "default", "x", "", "~", "true", "12",
        "0x1F", "1:30", "!!bool", "!!int", "!!float", "!!binary", "!!str", "!!null", "!!map", "!!omap",
        "!x", "&a", "*a", "<<", ": ", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ",", "#", "|", ">",
        "'", '"', "\\", "%", "@", "?",
        "2026-01-01", ".nan", ".inf", "=", "\u2028", "\x85", "\ufeff", "é",
    ]
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(_words, max_size=40).map("".join))
@example("a: !!bool x")
@example('!!int ""')
@example("!!float ''")
@example("!!binary é")
def test_any_text_is_yaml_or_a_complaint(text: str) -> None:
    try:
        source = parse(text.encode(), "f.yaml")
    except ConfigError as error:
        assert all(problem.file == "f.yaml" for problem in error.problems)
        return
    assert source.data is None or isinstance(
        source.data, (dict, list, str, int, float, bool, bytes, type(None))
    )


_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
_SECTIONS = (
    "mode",
    "principals",
    "interface",
    "application",
    "model",
    "data",
    "organization",
    "applications",
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(section=st.sampled_from(_SECTIONS), key=st.none() | st.text(max_size=10), value=_value)
def test_any_section_is_read_or_a_complaint(
    tmp_path_factory: pytest.TempPathFactory, section: str, key: str | None, value: Any
) -> None:
    import json

    whole: dict[str, Any] = {"workload": "x", "applications": {"a": {}}}
    whole[section] = value if key is None else {**(whole.get(section) or {}), key: value}
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(whole), "utf-8")
    try:
        load(path)
    except ConfigError as error:
        assert error.problems
        assert all(problem.line for problem in error.problems)
