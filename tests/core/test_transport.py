import pytest

from ringwall.core.transport import tls_problem


@pytest.mark.parametrize(
    "url", ["https://s3.example.com", "http://127.0.0.1:9000", "http://[::1]:1", "http://localhost/x"]
)
def test_tls_or_this_machine(url: str) -> None:
    assert tls_problem(url, "It") == ""


@pytest.mark.parametrize(
    "url",
    [
        "", "http://s3.example.com", "http://127.0.0.1.example.com", "http://0.0.0.0:1", "ftp://127.0.0.1",
        "https://", "https://u:p@h", "https://h:99999", "http://localhost.example", "//h", "http://10.0.0.1",
        "https://[::1",
    ],
)  # fmt: skip
def test_anything_else_is_refused(url: str) -> None:
    told = tls_problem(url, "It")
    assert told.startswith("It ")
    assert "u:p" not in told
