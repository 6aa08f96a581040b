"""What a start or a reload sets in motion once the new site stands: admissions of models."""

from .compose import UPSTREAM, Overrides
from .plant import Plant
from .site import Site


def prepare(plant: Plant, site: Site, overrides: Overrides) -> None:
    """Admit what the workload file declares, and what the operator attached by hand. On the ledger."""
    outcomes = site.admissions.admit_declared()
    if overrides.upstream or overrides.model_file:
        by_hand = [name for name, route in site.model.routes.items() if route.provider == UPSTREAM]
        outcomes += [site.admissions.admit_route(name, "command line") for name in by_hand]
    for outcome in outcomes:
        plant.note(
            f"model.{outcome.state}",
            what=outcome.kind,
            name=outcome.name,
            digest=outcome.digest,
            reason=outcome.reason,
        )
