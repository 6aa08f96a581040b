"""The listener's TLS: its own certificate, and client certificates that verify or end the connection."""

import logging
import ssl
from pathlib import Path

from ringwall.boundaries.interface.tls_settings import ClientCertificates, TlsSettings
from ringwall.core import ConfigError, Problem

log = logging.getLogger("ringwall")

_MODES = {ClientCertificates.OPTIONAL: ssl.CERT_OPTIONAL, ClientCertificates.REQUIRED: ssl.CERT_REQUIRED}


class ListenerTls:
    """A context that follows its certificate file: certificates are renewed more often than servers restart.

    Raises ConfigError for files that are no certificates or don't belong together.
    """

    def __init__(self, settings: TlsSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._seen = self._fingerprint()
        self.context = server_context(settings, folder)

    def refresh(self) -> bool:
        """Take over a certificate and key that were replaced, for connections from now on; True when it was
        done. Files that don't fit together (yet) change nothing. The client CA is read at the start only."""
        seen = self._fingerprint()
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            server_context(self._settings, self._folder)
            _load(self.context, self._settings, self._folder)
        except ConfigError as error:
            log.error("the new certificate of the listener was not taken over: %s", error)
            return False
        return True

    def _fingerprint(self) -> tuple[tuple[int, int], ...]:
        names = (self._settings.certificate, self._settings.key)
        return tuple(_stat(self._folder / name) for name in names)


def server_context(settings: TlsSettings, folder: Path) -> ssl.SSLContext:
    """TLS 1.2 and later."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load(context, settings, folder)
    if settings.client_ca:
        try:
            context.load_verify_locations(folder / settings.client_ca)
        except OSError as error:  # SSLError is one
            raise _problem("client_ca", error) from None
    context.verify_mode = _MODES[settings.clients] if settings.client_ca else ssl.CERT_NONE
    return context


def _load(context: ssl.SSLContext, settings: TlsSettings, folder: Path) -> None:
    try:
        # A key with a password would be asked for on the terminal: the empty one refuses it instead.
        context.load_cert_chain(folder / settings.certificate, folder / settings.key, password="")
    except OSError as error:
        raise _problem("certificate and key", error) from None


def _problem(what: str, error: OSError) -> ConfigError:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return ConfigError(Problem(f"interface.tls: {what} can't be used: {reason}"))


def _stat(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)
