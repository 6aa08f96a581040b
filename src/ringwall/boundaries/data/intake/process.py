"""Through which program something came: beside the person, who may use several."""

from collections.abc import Mapping, Sequence

from ringwall.core import Principal


def process_of(principal: Principal, jobs: Mapping[str, Sequence[str]]) -> str:
    """Name of the job that the credential is declared for; else the credential itself (never its secret), or
    that of the service that acts for the person. A credential of two jobs is of the first by name."""
    used = _used(principal)
    return next((name for name in sorted(jobs) if used in jobs[name]), used)


def same_credential(one: str, principal: Principal) -> bool:
    """Whether a principal came by the credential that ``credential_of`` gave for another."""
    return bool(one) and one == credential_of(principal)


def credential_of(principal: Principal) -> str:
    """What was presented to the gateway: a service's own credential where one acts for the person."""
    return _used(principal)


def _used(principal: Principal) -> str:
    return principal.actor.credential if principal.actor else principal.credential
