"""The keys that a workload begins with, made once and shown once."""

from .plant import Plant
from .site import Site


def starter_keys(site: Site, plant: Plant) -> dict[str, str]:
    """Secrets by subject of the starter keys that did not exist yet. On the ledger, without the secrets."""
    made = plant.keys.ensure(site.workload.principals.starter_keys)
    for starter, key in made:
        plant.note("key.created", starter.subject, starter.tenant, key=key.id, by="workload file")
    return {starter.subject: key.secret for starter, key in made}
