"""The sample workload: valid, with tools that keep to the caller's rights and with its planted attacks."""

import importlib.util
import json
import threading
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from ringwall.boundaries.application.cedar_policies import default_source, load_policies, read_source
from ringwall.boundaries.application.egress import Egress, EgressRefused
from ringwall.boundaries.application.registry import ToolRegistry
from ringwall.boundaries.data.read import read
from ringwall.boundaries.organization.drill import load
from ringwall.core import Principal
from ringwall.workload.load import load as load_workload

SAMPLE = Path(__file__).parents[2] / "examples" / "support-assistant"
WORKLOAD = load_workload(SAMPLE / "ringwall.yaml").workload
CASEY = Principal("casey", roles=frozenset({"customer"}), attributes={"customer_id": "1001"}, credential="k")
CLOSED = Egress([]).bound("fetch_page")
AVERY = Principal("avery", roles=frozenset({"agent", "customer"}), credential="k")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("BRIGHTLAMP_STATE", str(tmp_path / "state"))
    spec = importlib.util.spec_from_file_location("brightlamp_tools", SAMPLE / "tools.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_policies_fit_the_manifests() -> None:
    registry = ToolRegistry.of(WORKLOAD.application.tools)
    pack = load_policies(registry, [default_source(), read_source(SAMPLE / "policies.cedar")])
    assert {name for name in pack.policies if name.startswith("brightlamp.")} == {
        "brightlamp.pay-is-for-staff",
        "brightlamp.refund-over-100",
        "brightlamp.refund-over-1000",
        "brightlamp.mail-is-for-staff",
    }


def test_every_person_of_the_drill_has_a_starter_key() -> None:
    people = {key.subject for key in WORKLOAD.principals.starter_keys}
    needed = {one.principal for one in load()} | {
        step.principal for one in load() for step in one.steps if step.principal
    }
    assert needed <= people


def test_every_owasp_risk_is_in_the_threat_model() -> None:
    threats = yaml.safe_load((SAMPLE / "threats.yaml").read_text("utf-8"))["threats"]
    tags = {tag for threat in threats for tag in threat["tags"]}
    assert len(threats) >= 12
    assert {f"LLM{number:02}@2023" for number in range(1, 11)} <= tags
    assert {f"LLM{number:02}@2025" for number in range(1, 11)} <= tags
    boundaries = {name.partition(".")[0] for threat in threats for name in threat["mitigations"]}
    assert boundaries == {"interface", "application", "model", "data", "organization"}


def test_documents_have_different_readers_and_one_is_poisoned() -> None:
    readings = {path.stem: read(path.read_bytes(), path.name) for path in (SAMPLE / "documents").glob("*.md")}
    assert 10 <= len(readings) <= 14
    assert {tuple(one.front.readers) for one in readings.values()} == {
        ("customer",),
        ("agent",),
        ("manager",),
    }
    assert all(one.title for one in readings.values())
    assert "Ignore all previous instructions" in readings["supplier-notice"].text


def test_a_customer_sees_their_own_orders_only(tools: ModuleType) -> None:
    assert json.loads(tools.lookup_order("B-2041", principal=CASEY))["name"] == "Casey Lind"
    refused = tools.lookup_order("B-2042", principal=CASEY)
    assert refused == tools.lookup_order("B-9999", principal=CASEY).replace("B-9999", "B-2042")
    assert json.loads(tools.lookup_order("B-2042", principal=AVERY))["name"] == "Robin Okafor"


def test_somebody_without_a_customer_number_sees_nothing(tools: ModuleType) -> None:
    nobody = Principal("x", roles=frozenset({"customer"}), credential="k")
    assert "no order" in tools.lookup_order("B-2041", principal=nobody)


def test_sql_in_an_order_number_finds_nothing(tools: ModuleType) -> None:
    assert "no order" in tools.lookup_order("B-2041' OR '1'='1", principal=AVERY)


def test_no_more_is_paid_back_than_was_paid(tools: ModuleType, tmp_path: Path) -> None:
    assert tools.refund("B-2017", 20, "broken", principal=AVERY).startswith("Refunded")
    for amount in (20, -5, float("nan"), float("inf")):
        assert tools.refund("B-2017", amount, "again", principal=AVERY).startswith("Not refunded")
    assert json.loads(tools.lookup_order("B-2017", principal=CASEY))["refunded"] == 20
    assert len((tmp_path / "state" / "refunds.jsonl").read_text("utf-8").splitlines()) == 1


def test_refunds_at_the_same_time_pay_once(tools: ModuleType, tmp_path: Path) -> None:
    ready = threading.Barrier(8)

    def pay() -> None:
        ready.wait()
        tools.refund("B-2041", 189, "race", principal=AVERY)

    threads = [threading.Thread(target=pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((tmp_path / "state" / "refunds.jsonl").read_text("utf-8").splitlines()) == 1


def test_mail_lands_in_the_outbox(tools: ModuleType, tmp_path: Path) -> None:
    tools.send_email("a@b.example", "Hello\nBcc: all@x.example", "text", principal=AVERY)
    (line,) = (tmp_path / "state" / "outbox.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["by"] == "avery"


@pytest.mark.parametrize(
    "url",
    [
        "http://help.brightlamp.example/returns",
        "https://help.brightlamp.example.evil.example/returns",
        "https://user@evil.example/returns",
        "https://help.brightlamp.example/../data.sql",
        "https://help.brightlamp.example/%2e%2e/tools.py",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
async def test_only_pages_of_the_help_site_are_served(tools: ModuleType, url: str) -> None:
    try:
        page = await tools.fetch_page(url, egress=CLOSED)
    except EgressRefused:
        return
    assert "<html" not in page
    assert "CREATE TABLE" not in page


async def test_the_help_site_is_served(tools: ModuleType) -> None:
    assert "30 days" in await tools.fetch_page("https://help.brightlamp.example/returns", egress=CLOSED)
    guestbook = await tools.fetch_page("https://help.brightlamp.example/guestbook", egress=CLOSED)
    assert "collector.example" in guestbook


def test_a_guide_is_read_from_its_folder(tools: ModuleType) -> None:
    assert tools.read_guide("birk.txt").startswith("Birk, floor lamp")
    assert tools.read_guide("none.txt") == "There is no guide none.txt."
