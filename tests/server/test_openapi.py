"""Property tests of the published OpenAPI description: what fits it, or nearly, is answered without a 5xx."""

import contextlib
from typing import Any

import httpx2 as httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from ringwall.server.openapi import document

SCHEMA = schemathesis.openapi.from_dict(document())
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


def test_it_is_served(gateway: Any) -> None:
    got = httpx.get(f"{gateway.url}/openapi.json", timeout=60)
    assert got.status_code == 200
    assert got.json() == document()


@pytest.mark.parametrize("subject", ["casey", "eddy", "ops", ""])
@pytest.mark.parametrize("mode", MODES, ids=["fits", "does-not"])
def test_no_operation_fails(gateway: Any, model_server: Any, subject: str, mode: Any) -> None:
    config = settings(
        max_examples=8,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    headers = {"authorization": f"Bearer {gateway.keys[subject]}"} if subject else {}
    answers: list[int] = []
    for operation in SCHEMA.get_all_operations():
        strategy = operation.ok().as_strategy(generation_mode=mode)

        def check(case: Any) -> None:
            got = case.call(base_url=gateway.url, headers=headers, timeout=60)
            answers.append(got.status_code)
            assert got.status_code < 500, (case.body, got.text)
            if got.status_code >= 400 and case.path.startswith("/v1"):
                assert "error" in got.json() or got.status_code in (404, 405)
                assert "Traceback" not in got.text

        with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with an operation that takes nothing
            config(given(case=strategy)(check))()
    assert len(answers) > 20
    assert len(set(answers)) > 1
