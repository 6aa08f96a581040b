"""Reading a workload file: parse, validate, cross-check; every mistake at once, each with its place."""

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
from pydantic import ValidationError

from ringwall.core import ConfigError, Problem, Settings

from .catalogue import Catalogue, catalogue
from .identity_names import identity_files, named_in_identity
from .mcp_names import is_server_tool, mcp_problems
from .schema import Workload
from .source import Path_, Source, read

_BOUNDARIES = ("interface", "application", "model", "data", "organization")
COMMON_KEYS = {"mode", "required"}
"""Keys that every control's block takes beside the control's own settings."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid workload file."""

    workload: Workload
    path: Path
    version: str
    """Hash of the file, of the files that it names, and of approved tools of MCP servers: the policy version
    on every decision."""
    pinned: bool = False
    """Whether approved tools of MCP servers are in the version."""

    @property
    def folder(self) -> Path:
        return self.path.parent


def load(path: Path) -> Loaded:
    """Read and check. Raises ConfigError with all problems found."""
    source = read(path)
    try:
        workload = Workload.model_validate(source.data)
    except ValidationError as error:
        raise ConfigError(*_problems(error, source)) from None
    problems = list(_cross_checks(workload, source, catalogue(), path.parent))
    if problems:
        raise ConfigError(*problems)
    return Loaded(workload, path.resolve(), _version(workload, path.parent))


def _problems(error: ValidationError, source: Source) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        path = _real_path(item["loc"], source)
        if item["type"] == "extra_forbidden":
            known = _known_keys(path)
            yield source.problem(_unknown(str(path[-1]), known), path, key=True)
        elif item["type"] == "missing":
            yield source.problem(f"the key {item['loc'][-1]!r} is missing", path[:-1])
        else:
            message = item["msg"].removeprefix("Value error, ")
            yield source.problem(f"{'.'.join(map(str, path)) or 'file'}: {message}", path)


def _real_path(loc: tuple[str | int, ...], source: Source) -> Path_:
    """The error's location without the tags that unions put between the keys."""
    path: Path_ = ()
    for step in loc:
        longer = (*path, step)
        if longer in source.values or longer in source.keys or step == loc[-1]:
            path = longer
    return path


def _known_keys(path: Path_) -> list[str]:
    """Names that may stand where the last step of ``path`` stands."""
    schema: Any = Workload.model_json_schema()
    definitions = schema.get("$defs", {})
    spots = [schema]
    for step in path[:-1]:
        spots = [below for spot in spots for below in _below(spot, step, definitions)]
    return sorted({name for spot in spots for name in spot.get("properties", {})})


def _below(spot: Mapping[str, Any], step: str | int, definitions: Mapping[str, Any]) -> Iterator[Any]:
    found = spot.get("items") if isinstance(step, int) else spot.get("properties", {}).get(step)
    if found is None and isinstance(spot.get("additionalProperties"), dict):
        found = spot["additionalProperties"]
    yield from _resolved(found, definitions)


def _resolved(spot: Any, definitions: Mapping[str, Any]) -> Iterator[Any]:
    if not isinstance(spot, dict):
        return
    if "$ref" in spot:
        yield from _resolved(definitions.get(spot["$ref"].rsplit("/", 1)[-1]), definitions)
    elif "anyOf" in spot or "oneOf" in spot or "allOf" in spot:
        for choice in (*spot.get("anyOf", ()), *spot.get("oneOf", ()), *spot.get("allOf", ())):
            yield from _resolved(choice, definitions)
    else:
        yield spot


def _unknown(name: str, known: Iterable[str], what: str = "key") -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"unknown {what} {name!r}: did you mean {near[0]!r}?"
    return f"unknown {what} {name!r}" + (f": known are {', '.join(sorted(known)[:12])}" if known else "")


def _cross_checks(workload: Workload, source: Source, known: Catalogue, folder: Path) -> Iterator[Problem]:
    roles = {*workload.principals.roles, "operator"}
    for name, app in workload.applications.items():
        at: Path_ = ("applications", name)
        lists = (
            ("roles", app.roles, roles, "role"),
            ("models", app.models, set(workload.model.routes), "route"),
            ("tools", app.tools, set(workload.application.tools), "tool"),
            ("collections", app.collections, set(workload.data.collections), "collection"),
            (
                "accept",
                app.accept,
                {"text", "tool_call", "tool_result", "image", "file", "audio"},
                "kind of part",
            ),
        )
        for key, given, allowed, what in lists:
            for index, item in enumerate(given):
                if item not in allowed and not (key == "tools" and is_server_tool(workload, item)):
                    yield source.problem(_unknown(item, allowed, what), (*at, key, index))
        if app.system_prompt and not (folder / app.system_prompt).is_file():
            yield source.problem(f"there is no file {app.system_prompt!r}", (*at, "system_prompt"))
        yield from _control_blocks(app.controls, (*at, "controls"), source, known)
    yield from _identity_checks(workload, source, folder, roles)
    yield from _training_checks(workload, source)
    yield from _tool_checks(workload, source)
    for message, place in mcp_problems(workload, roles):
        yield source.problem(message, place)
    for boundary in _BOUNDARIES:
        blocks = getattr(workload, boundary).controls
        yield from _control_blocks(blocks, (boundary, "controls"), source, known, boundary)


def _tool_checks(workload: Workload, source: Source) -> Iterator[Problem]:
    for name, tool in workload.application.tools.items():
        try:
            jsonschema_rs.meta.validate(tool.parameters)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            wrong = str(error).partition("\n")[0][:200]
            place: Path_ = ("application", "tools", name, "parameters")
            yield source.problem(f"the parameters of {name!r} are no JSON Schema: {wrong}", place)


def _training_checks(workload: Workload, source: Source) -> Iterator[Problem]:
    known = set(workload.data.collections)
    for key, entries in (("artifacts", workload.model.artifacts), ("routes", workload.model.routes)):
        for name, entry in entries.items():
            for index, trained in enumerate(entry.trained_on):
                collection = trained.partition("@")[0]
                if collection not in known:
                    place: Path_ = ("model", key, name, "trained_on", index)
                    yield source.problem(_unknown(collection, known, "collection"), place)


def _identity_checks(workload: Workload, source: Source, folder: Path, roles: set[str]) -> Iterator[Problem]:
    there = {"role": roles, "application": set(workload.applications)}
    for what, names, place in named_in_identity(workload):
        for item in names:
            if what == "file" and not (folder / item).is_file():
                yield source.problem(f"there is no file {item!r}", place)
            elif what != "file" and item not in there[what]:
                yield source.problem(_unknown(item, there[what], what), place)


def _control_blocks(
    blocks: Mapping[str, dict[str, Any]], at: Path_, source: Source, known: Catalogue, boundary: str = ""
) -> Iterator[Problem]:
    for control, block in blocks.items():
        place = (*at, control)
        factory = known.factories.get(control)
        if factory is None:
            yield source.problem(_unknown(control, known.factories, "control"), place, key=True)
            continue
        if boundary and not control.startswith(boundary + "."):
            yield source.problem(f"{control!r} belongs under {control.split('.')[0]!r}", place, key=True)
        if block.get("mode", "enforce") not in ("enforce", "monitor"):
            yield source.problem("mode must be 'enforce' or 'monitor'", (*place, "mode"))
        if not isinstance(block.get("required", False), bool):
            yield source.problem("required must be true or false", (*place, "required"))
        yield from _own_settings(factory.settings, block, place, source)


def _own_settings(
    settings: type[Settings], block: Mapping[str, Any], place: Path_, source: Source
) -> Iterator[Problem]:
    try:
        settings.model_validate({key: value for key, value in block.items() if key not in COMMON_KEYS})
    except ValidationError as error:
        for item in error.errors(include_url=False):
            path = (*place, *item["loc"])
            if item["type"] == "extra_forbidden":
                names = {*settings.model_fields, *COMMON_KEYS}
                yield source.problem(_unknown(str(item["loc"][-1]), names), path, key=True)
            else:
                yield source.problem(f"{item['loc'][-1]}: {item['msg']}", path)


def _version(workload: Workload, folder: Path) -> str:
    digest = hashlib.sha256(orjson.dumps(workload.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS))
    for path in named_files(workload, folder):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def named_files(workload: Workload, folder: Path) -> list[Path]:
    """Files that the workload file names and that are part of its configuration."""
    prompts = [app.system_prompt for app in workload.applications.values()]
    tools = [tool.run.python.rpartition(":")[0] for tool in workload.application.tools.values() if tool.run]
    named = [
        *prompts,
        *tools,
        *identity_files(workload),
        workload.application.policies,
        workload.organization.threats,
    ]
    return [folder / name for name in (*named, *_files_of_controls(workload)) if name]


def _files_of_controls(workload: Workload) -> Iterator[str]:
    """What the settings of controls name, those of single applications included."""
    known = catalogue().factories
    general = {
        name: block
        for boundary in _BOUNDARIES
        for name, block in getattr(workload, boundary).controls.items()
    }
    for blocks in (general, *(app.controls for app in workload.applications.values())):
        for name, block in blocks.items():
            own = {key: value for key, value in block.items() if key not in COMMON_KEYS}
            yield from known[name].settings.model_validate(own).named_files()
