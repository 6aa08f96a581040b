"""Credentials of one version of the workload file, wired to the plant."""

import os
from pathlib import Path

from ringwall.boundaries.interface.principals import Roles
from ringwall.boundaries.interface.sign_in.certificates import Certificates
from ringwall.boundaries.interface.sign_in.delegation import Delegation
from ringwall.boundaries.interface.sign_in.gateway_tokens import GatewayTokens
from ringwall.boundaries.interface.sign_in.issuers import Issuers, TrustedIssuer, trust
from ringwall.boundaries.interface.sign_in.settings import IssuerSettings
from ringwall.boundaries.interface.sign_in.sign_in import SignIn
from ringwall.core import ConfigError, Problem

from .plant import Plant
from .schema import Workload

_SHORTEST_SECRET = 32
_PURPOSE = "gateway tokens, Ed25519"


def build_sign_in(workload: Workload, plant: Plant, roles: Roles, folder: Path) -> SignIn:
    """Raises ConfigError for a secret that isn't there or is too short."""
    identity = workload.interface.identity
    return SignIn(
        plant.keys,
        Issuers([_trusted(issuer, folder) for issuer in identity.oidc], roles, plant.key_cache),
        GatewayTokens(plant.master.derive(_PURPOSE), workload.workload, roles, plant.keys),
        Certificates(identity.certificates, roles),
        Delegation(identity.on_behalf_of),
    )


def _trusted(issuer: IssuerSettings, folder: Path) -> TrustedIssuer:
    if not issuer.shared_secret:
        return trust(issuer, folder)
    secret = _secret(issuer, folder)
    if len(secret) < _SHORTEST_SECRET:
        where = issuer.secret_env or issuer.secret_file
        raise ConfigError(
            Problem(f"the secret of {issuer.short_name} in {where!r} is missing or shorter than 32 bytes")
        )
    return trust(issuer, folder, secret)


def _secret(issuer: IssuerSettings, folder: Path) -> bytes:
    if issuer.secret_env:
        return os.environ.get(issuer.secret_env, "").encode()
    try:
        return (folder / issuer.secret_file).read_bytes().strip()
    except OSError:
        return b""
