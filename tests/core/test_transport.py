import pytest

from ringwall.core.transport import postgres_tls_problem, tls_problem


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


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("postgresql://db.example/x?sslmode=verify-full", True),
        ("postgresql://db.example/x?sslmode=verify-ca", True),
        ("postgresql://u:p@127.0.0.1:5432/x", True),
        ("postgresql:///x?host=/var/run/postgresql", True),
        ("postgresql://db.example/x", False),
        ("postgresql://db.example/x?sslmode=require", False),
        ("postgresql://db.example/x?sslmode=verify-full&sslmode=disable", False),
        ("postgresql://127.0.0.1/x?host=db.example", False),
        ("mysql://db.example/x?sslmode=verify-full", False),
        ("postgresql://[::1", False),
    ],
)
def test_postgres_checks_the_certificate(url: str, fine: bool) -> None:
    told = postgres_tls_problem(url, "It")
    assert (told == "") is fine
    assert "u:p" not in told
