from typing import Any

import pytest
from pydantic import ValidationError

from ringwall.boundaries.model import Admissions, ModelSection, build_providers
from ringwall.boundaries.model.settings import OpenAISettings
from ringwall.core import ConfigError


def test_an_empty_section_serves_the_embedded_stand_in() -> None:
    section = ModelSection.model_validate({})
    assert section.routes["default"].provider == "embedded"
    assert section.providers["embedded"].kind == "extractive"


def test_all_kinds_are_built(tmp_path: Any) -> None:
    providers = {
        "sample": {"kind": "extractive"},
        "remote": {"kind": "openai", "base_url": "http://127.0.0.1:8000/v1"},
        "drill": {"kind": "scripted"},
    }
    section = ModelSection.model_validate({"providers": providers})
    assert set(build_providers(section, lambda _: pytest.fail("nothing is loaded"))) == set(providers)


def test_a_missing_key_is_said(tmp_path: Any) -> None:
    remote = {"kind": "openai", "base_url": "http://a.example/v1", "api_key_env": "NO_SUCH_KEY_1"}
    section = ModelSection.model_validate({"providers": {"r": remote}})
    with pytest.raises(ConfigError, match="NO_SUCH_KEY_1"):
        build_providers(section, lambda _: pytest.fail("nothing is loaded"))


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"routes": {"d": {"provider": "x"}}}, "'x'"),
        (
            {"providers": {"a": {"kind": "scripted"}}, "routes": {"d": {"provider": "a", "fallback": "d"}}},
            "'d'",
        ),
        (
            {"providers": {"a": {"kind": "scripted"}}, "routes": {"d": {"provider": "a", "fallback": "e"}}},
            "'e'",
        ),
        ({"providers": {"a": {"kind": "local", "artifact": "m"}}}, "'m'"),
        ({"providers": {"a": {"kind": "magic"}}}, "kind"),
        ({"providers": {"a": {"kind": "scripted", "extra": 1}}}, "extra"),
        ({"providers": {"../a": {"kind": "scripted"}}}, "pattern"),
        ({"artifacts": {"m": {"path": "x", "sha256": "abc"}}}, "sha256"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_does_not_fit_together_is_refused(section: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ModelSection.model_validate(section)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "http://user:pass@a.example/v1",
        "http://a.example/v1?key=1",
        "http://a.example/#x",
        "file:///etc/passwd",
        "http://a.example/v1\r\nX: y",
        "a.example",
    ],
)
def test_addresses_are_plain(url: str) -> None:
    with pytest.raises(ValidationError):
        OpenAISettings(kind="openai", base_url=url)


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Bearer x"}, {"X-Api-Key": "x"}, {"X": "a\r\nb"}, {"X Y": "a"}, {"Cookie": "a"}],
)
def test_secrets_and_broken_headers_stay_out_of_the_file(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        OpenAISettings(kind="openai", base_url="http://a.example/v1", headers=headers)


def test_every_setting_is_described() -> None:
    def undescribed(schema: dict[str, Any]) -> list[str]:
        return [name for name, spec in schema.get("properties", {}).items() if "description" not in spec]

    schema = ModelSection.model_json_schema()
    assert not undescribed(schema)
    for name, definition in schema["$defs"].items():
        assert not undescribed(definition), name
    assert Admissions.__doc__


def test_a_provider_that_is_replaced_is_not_built():
    """A drill puts its own model in the place of every provider: their extras need not be there."""
    section = ModelSection.model_validate(
        {
            "providers": {"own": {"kind": "local", "artifact": "file"}},
            "artifacts": {"file": {"path": "m.gguf", "sha256": "0" * 64}},
            "routes": {"default": {"provider": "own", "model": "m"}},
        }
    )
    assert build_providers(section, lambda _: pytest.fail("nothing is loaded"), {"own"}) == {}
