"""The workload as a drill sees it: the same, with a compromised model behind every route and two routes whose
models nobody admitted. No service is asked who is known, and blobs stay in the drill's own folder."""

from dataclasses import replace
from pathlib import Path

from ringwall.boundaries.model.settings import (
    ArtifactSettings,
    LocalSettings,
    RouteSettings,
    ScriptedSettings,
)
from ringwall.workload.load import Loaded
from ringwall.workload.store import in_local_store

UNADMITTED, TAMPERED = "drill-unadmitted", "drill-tampered"
_ACTOR = "drill-model"


def under_drill(loaded: Loaded, artifact: Path) -> Loaded:
    """``artifact`` is a file whose content is not what the route declares."""
    section = loaded.workload.model
    routes = {
        name: route.model_copy(
            update={"provider": _ACTOR, "model": "compromised", "fallback": "", "trained_on": ()}
        )
        for name, route in section.routes.items()
    }
    routes[UNADMITTED] = RouteSettings(provider=_ACTOR, model="unadmitted")
    routes[TAMPERED] = RouteSettings(provider=TAMPERED, model="tampered")
    model = section.model_copy(
        update={
            "providers": {
                _ACTOR: ScriptedSettings(kind="scripted"),
                TAMPERED: LocalSettings(kind="local", artifact=TAMPERED),
            },
            "artifacts": {TAMPERED: ArtifactSettings(path=str(artifact), sha256="0" * 64)},
            "routes": routes,
        }
    )
    applications = {
        name: app.model_copy(update={"models": (*app.models, UNADMITTED, TAMPERED)})
        for name, app in loaded.workload.applications.items()
    }
    plain = loaded.workload.interface.model_copy(update={"tls": None})  # the drill's listener is its own
    known = loaded.workload.application.known_entities.model_copy(update={"sources": ()})
    asking_nobody = loaded.workload.application.model_copy(update={"known_entities": known})
    update = {
        "model": model,
        "applications": applications,
        "interface": plain,
        "application": asking_nobody,
    }
    loaded = in_local_store(loaded)
    return replace(loaded, workload=loaded.workload.model_copy(update=update))


PROVIDERS = (_ACTOR, TAMPERED)
