"""What the pages say of an application."""

from ringwall.boundaries.model.settings import (
    ExtractiveSettings,
    LocalSettings,
    ModelSection,
    ScriptedSettings,
)
from ringwall.workload.site import ApplicationSite

from .shown import ApplicationInfo


def info(app: ApplicationSite, models: ModelSection) -> ApplicationInfo:
    note, attached = _model_note(app, models)
    return ApplicationInfo(
        name=app.application.name,
        model_note=note,
        model_attached=attached,
        greeting=app.settings.greeting,
        suggestions=tuple(app.settings.suggestions),
        mode=str(app.gate.mode),
    )


def _model_note(app: ApplicationSite, models: ModelSection) -> tuple[str, bool]:
    """What answers, said plainly, and whether it is a language model."""
    name = app.application.models[0]
    route = models.routes[name]
    provider = models.providers[route.provider]
    match provider:
        case ExtractiveSettings():
            return "Answers are extracted from the documents that you may read.", False
        case ScriptedSettings():
            return "A scripted model for drills is attached: it does what any text tells it.", False
        case LocalSettings():
            return f"A local model file answers ({provider.artifact}, {route.snapshot[:12]}).", True
        case _:
            return f"{route.model or 'A model'} behind {provider.base_url} answers.", True
