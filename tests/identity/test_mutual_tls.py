"""Client certificates on a real TLS listener, and told by a proxy."""

import asyncio
import base64
import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringwall.boundaries.interface.principals import Roles
from ringwall.boundaries.interface.sign_in.certificate_rules import CertificateSettings
from ringwall.boundaries.interface.sign_in.certificates import Certificates
from ringwall.boundaries.interface.tls_settings import TlsSettings
from ringwall.core import ConfigError
from ringwall.server.drill.ground import drill_range
from ringwall.server.tls import ListenerTls, server_context
from ringwall.workload.load import load

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
BODY = {"model": "default", "messages": [{"role": "user", "content": "Which lamp is good for reading?"}]}


class Authority:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        self.certificate = self._signed(
            self.name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=0)
        )

    def _signed(self, name: x509.Name, key: Any, *extensions: Any, ends: datetime.timedelta = DAY) -> Any:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 2 * DAY)
            .not_valid_after(NOW + ends)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self.key, SHA256())

    def issue(
        self,
        folder: Path,
        name: str,
        *names: x509.GeneralName,
        usage: Any = None,
        ends: datetime.timedelta = DAY,
    ) -> tuple[Path, x509.Certificate]:
        """A PEM file with key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        extensions = [x509.ExtendedKeyUsage([usage or ExtendedKeyUsageOID.CLIENT_AUTH])]
        if names:
            extensions.append(x509.SubjectAlternativeName(names))
        certificate = self._signed(subject, key.public_key(), *extensions, ends=ends)
        path = folder / f"{name}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        return path, certificate


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    authority.issue(folder, "server", local, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    return folder


@pytest.fixture(scope="module")
def shop(serve: Any, folder: Path, authority: Authority) -> Any:
    pinned = authority.issue(folder, "pinned")[1]
    return serve(
        folder,
        interface={
            "tls": {"certificate": "server.pem", "key": "server.pem", "client_ca": "ca.pem"},
            "identity": {
                "certificates": {
                    "principals": [
                        {"san": "uri:spiffe://shop/billing", "subject": "billing", "roles": "customer"},
                        {
                            "san": "dns:reports.internal",
                            "subject": "reports",
                            "roles": "customer",
                            "scopes": [],
                        },
                        {"fingerprint": pinned.fingerprint(SHA256()).hex(":"), "subject": "pinned"},
                    ]
                }
            },
        },
    )


async def post(
    shop: Any, folder: Path, certificate: Path | None = None, **headers: str
) -> tuple[int, Any, Any]:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if certificate:
        context.load_cert_chain(certificate)
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{shop.url}/v1/chat/completions",
            json=BODY,
            headers=headers,
            ssl=context,
            timeout=aiohttp.ClientTimeout(60),
        ) as got,
    ):
        return got.status, await got.json(), got.headers


async def test_a_certificate_proves_its_principal(
    shop: Any, folder: Path, authority: Authority, model_server: Any
) -> None:
    billing, _ = authority.issue(folder, "billing", x509.UniformResourceIdentifier("spiffe://shop/billing"))
    status, answer, headers = await post(shop, folder, billing)
    assert status == 200, answer
    assert shop.record(headers["x-ringwall-decision"]).event["subject"] == "billing"
    # A bearer credential goes first.
    bearer = {"authorization": f"Bearer {shop.keys['casey']}"}
    status, answer, headers = await post(shop, folder, billing, **bearer)
    assert shop.record(headers["x-ringwall-decision"]).event["subject"] == "casey"
    status, _, _ = await post(shop, folder, billing, authorization="Bearer rw_wrong")
    assert status == 401


async def test_certificates_that_prove_nothing(
    shop: Any, folder: Path, authority: Authority, model_server: Any
) -> None:
    assert (await post(shop, folder))[0] == 401  # none, and no key either
    unknown, _ = authority.issue(folder, "unknown", x509.DNSName("billing.internal"))
    status, answer, _ = await post(shop, folder, unknown)
    assert (status, answer["error"]["code"]) == (401, "invalid_token")
    scoped, _ = authority.issue(folder, "scoped", x509.DNSName("Reports.internal"))
    assert (await post(shop, folder, scoped))[0] == 403
    spiffe = x509.UniformResourceIdentifier("spiffe://shop/billing")
    forged, _ = Authority().issue(folder, "forged", spiffe)
    expired, _ = authority.issue(folder, "expired", spiffe, ends=-DAY)
    for_servers, _ = authority.issue(folder, "for-servers", spiffe, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    for bad in (forged, expired, for_servers):
        with pytest.raises((aiohttp.ClientError, OSError)):
            await post(shop, folder, bad)
    # Nobody here is a proxy: the header is anybody's invention.
    header = ":" + base64.b64encode(b"x").decode() + ":"
    assert (await post(shop, folder, **{"client-cert": header}))[0] == 401


def test_a_proxy_is_believed_only_from_its_address(authority: Authority, folder: Path) -> None:
    rules = {
        "principals": [{"san": "dns:a.internal", "subject": "a"}],
        "trusted_proxies": ["10.0.0.0/8", "::1"],
    }
    known = Certificates(CertificateSettings.model_validate(rules), Roles())
    der = authority.issue(folder, "a", x509.DNSName("a.internal"))[1].public_bytes(Encoding.DER)
    header = f":{base64.b64encode(der).decode()}:"
    for address in ("10.1.2.3", "::1", "::ffff:10.0.0.1"):
        assert known.of_proxy(address, [header]) == der
        assert known.of_proxy(address, []) == b""
        for bad in ([header, header], ["x"], ["::"], [":!:"], [header[:-1]], [":" + "A" * 99_999 + ":"]):
            assert known.of_proxy(address, bad) is None
    for address in ("11.0.0.1", "", "::2", "testclient"):
        assert known.of_proxy(address, [header]) == b""
    principal = known.principal(der)
    assert principal is not None
    assert principal.subject == "a"
    assert principal.credential.startswith("cert:")
    old = authority.issue(folder, "old", x509.DNSName("a.internal"), ends=-DAY)[1]
    assert known.principal(old.public_bytes(Encoding.DER)) is None
    for garbage in (b"", b"x", der[:-1], der + b"x", b"0" * 20_000):
        assert known.principal(garbage) is None


def test_a_rule_by_name_and_fingerprint_needs_both(authority: Authority, folder: Path) -> None:
    names = x509.DNSName("a.internal"), x509.DNSName("b.internal")
    one = authority.issue(folder, "one", *names)[1]
    other = authority.issue(folder, "other", *names)[1]
    pin = one.fingerprint(SHA256()).hex()
    rules = [{"san": "dns:a.internal", "fingerprint": pin, "subject": "a"}]
    known = Certificates(CertificateSettings.model_validate({"principals": rules}), Roles())
    assert known.principal(one.public_bytes(Encoding.DER))
    assert known.principal(other.public_bytes(Encoding.DER)) is None
    rules = [{"san": "dns:a.internal", "subject": "a"}, {"san": "dns:b.internal", "subject": "b"}]
    two = Certificates(CertificateSettings.model_validate({"principals": rules}), Roles())
    assert two.principal(one.public_bytes(Encoding.DER)) is None  # whom of them?


async def test_a_drill_listens_without_tls(folder: Path, shop: Any) -> None:
    async with (
        drill_range(load(shop.path)) as ground,
        aiohttp.ClientSession() as session,
        session.get(f"{ground.base_url}/readyz", timeout=aiohttp.ClientTimeout(60)) as got,
    ):
        assert got.status == 200


def test_files_that_are_no_certificates_stop_the_start(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "garbage.pem").write_text("no certificate", "utf-8")
    good = folder / "server.pem"
    for certificate, key, authority in (
        ("garbage.pem", good, ""),
        (good, folder / "billing.pem", ""),
        (good, good, "garbage.pem"),
        ("none.pem", good, ""),
    ):
        settings = TlsSettings(certificate=str(certificate), key=str(key), client_ca=authority)
        with pytest.raises(ConfigError, match=r"interface\.tls"):
            server_context(settings, tmp_path)
    with pytest.raises(ValueError, match="client_ca"):
        TlsSettings(certificate="a", key="b", clients="required")


async def test_a_renewed_certificate_is_taken_over(authority: Authority, tmp_path: Path) -> None:
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    path, first = authority.issue(tmp_path, "own", local, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    (tmp_path / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    tls = ListenerTls(TlsSettings(certificate=path.name, key=path.name), tmp_path)
    trust = ssl.create_default_context(cafile=tmp_path / "ca.pem")

    async def leave(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def shown(port: int) -> int:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return x509.load_der_x509_certificate(der).serial_number

    async with await asyncio.start_server(leave, "127.0.0.1", 0, ssl=tls.context) as server:
        port = server.sockets[0].getsockname()[1]
        assert not tls.refresh()
        assert await shown(port) == first.serial_number
        path.write_text("half written", "utf-8")
        assert not tls.refresh()
        assert await shown(port) == first.serial_number
        second = authority.issue(tmp_path, "own", local, usage=ExtendedKeyUsageOID.SERVER_AUTH)[1]
        assert tls.refresh()
        assert await shown(port) == second.serial_number


async def test_where_certificates_are_required_there_is_no_connection_without(
    serve: Any, folder: Path, authority: Authority, model_server: Any
) -> None:
    tls = {"certificate": "server.pem", "key": "server.pem", "client_ca": "ca.pem", "clients": "required"}
    for name in ("server.pem", "ca.pem"):
        (folder / "strict").mkdir(exist_ok=True)
        (folder / "strict" / name).write_bytes((folder / name).read_bytes())
    strict = serve(folder / "strict", interface={"tls": tls})
    with pytest.raises((aiohttp.ClientError, OSError)):
        await post(strict, folder, authorization=f"Bearer {strict.keys['casey']}")
    anybody, _ = authority.issue(folder, "anybody")
    status, answer, _ = await post(strict, folder, anybody, authorization=f"Bearer {strict.keys['casey']}")
    assert status == 200, answer
