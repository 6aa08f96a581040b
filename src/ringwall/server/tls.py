"""The listener's TLS: its own certificate, and client certificates that verify or end the connection."""

import ssl
from pathlib import Path

from ringwall.boundaries.interface.tls_settings import ClientCertificates, TlsSettings
from ringwall.core import ConfigError, Problem


def server_context(settings: TlsSettings, folder: Path) -> ssl.SSLContext:
    """TLS 1.2 and later. Raises ConfigError for files that are no certificates or don't belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key with a password would be asked for on the terminal: the empty one refuses it instead.
        context.load_cert_chain(folder / settings.certificate, folder / settings.key, password="")
        if settings.client_ca:
            context.load_verify_locations(folder / settings.client_ca)
    except (OSError, ssl.SSLError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(
            Problem(f"interface.tls: certificate, key or client_ca can't be used: {reason}")
        ) from None
    context.verify_mode = _MODES[settings.clients] if settings.client_ca else ssl.CERT_NONE
    return context


_MODES = {ClientCertificates.OPTIONAL: ssl.CERT_OPTIONAL, ClientCertificates.REQUIRED: ssl.CERT_REQUIRED}
