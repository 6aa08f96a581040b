"""Names that the credentials of a workload file use: roles, applications, files."""

from collections.abc import Iterable, Iterator

from .schema import Workload
from .source import Path_


def identity_files(workload: Workload) -> list[str]:
    """Files named there whose change counts at once."""
    issuers = workload.interface.identity.oidc
    return [name for issuer in issuers for name in (issuer.secret_file, issuer.ca_file) if name]


Named = tuple[str, Iterable[str], Path_]
"""A kind of name, the names, and where they stand."""


def named_in_identity(workload: Workload) -> Iterator[Named]:
    """Roles, applications and files that the credentials name, to be checked against those there are."""
    identity = workload.interface.identity
    at: Path_ = ("interface", "identity")
    for index, issuer in enumerate(identity.oidc):
        place = (*at, "oidc", index)
        yield "role", issuer.default_roles, (*place, "default_roles")
        for group, roles in issuer.roles.items():
            yield "role", roles, (*place, "roles", group)
        yield "application", issuer.applications, (*place, "applications")
        yield "file", filter(None, [issuer.ca_file]), (*place, "ca_file")
        yield "file", filter(None, [issuer.secret_file]), (*place, "secret_file")
    for index, rule in enumerate(identity.certificates.principals):
        place = (*at, "certificates", "principals", index)
        yield "role", rule.roles, (*place, "roles")
        yield "application", rule.applications, (*place, "applications")
    for index, service in enumerate(identity.on_behalf_of.services):
        place = (*at, "on_behalf_of", "services", index)
        yield "role", [service.role], (*place, "role")
        yield "application", service.applications, (*place, "applications")
    for index, key in enumerate(workload.principals.starter_keys):
        yield "application", key.applications, ("principals", "starter_keys", index, "applications")
    if tls := workload.interface.tls:
        for name in ("certificate", "key", "client_ca"):
            yield "file", filter(None, [getattr(tls, name)]), ("interface", "tls", name)
