"""``interface.tls``: the listener's own certificate, and whose client certificates it takes."""

from enum import StrEnum

from pydantic import Field, model_validator

from ringwall.core import Settings


class ClientCertificates(StrEnum):
    OPTIONAL = "optional"
    """A caller may present one; one that doesn't verify ends the connection."""
    REQUIRED = "required"
    """No connection without one."""


class TlsSettings(Settings):
    """TLS on the listener. Takes effect at the next start; renewed certificate files within seconds."""

    certificate: str = Field(min_length=1)
    """The server's certificate and chain (PEM), relative to the workload file."""
    key: str = Field(min_length=1)
    """Its private key (PEM, without a password)."""
    client_ca: str = ""
    """Certificates (PEM) of the authorities that sign client certificates; left out: none are asked for."""
    clients: ClientCertificates = ClientCertificates.OPTIONAL
    """``optional`` or ``required``."""

    @model_validator(mode="after")
    def _somebody_signs(self) -> "TlsSettings":
        if self.clients is ClientCertificates.REQUIRED and not self.client_ca:
            raise ValueError("client certificates can be required only where client_ca says who signs them")
        return self
