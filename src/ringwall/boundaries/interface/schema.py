"""``interface.schema``: an answer that was asked for as JSON keeps to its schema, or does not leave.

The schema is the request's ``response_format``, or the one that the workload file declares for the
application.
A stream is held until the whole answer is there: half a JSON value can't be checked.
"""

import asyncio
import json
from functools import lru_cache
from typing import Any

from pydantic import Field

from ringwall.core import (
    ALLOW,
    END_OF_STREAM,
    Action,
    Boundary,
    Buffer,
    ConfigError,
    ControlFactory,
    Crossing,
    CrossingKind,
    Declaration,
    Finding,
    PartKind,
    Problem,
    Services,
    Settings,
    StreamNeed,
    Verdict,
    verdict,
)

from .answer_schema import AnswerSchema, UnusableSchema
from .response import finished

ID = "interface.schema"
FORMAT_PART = "response_format"
"""Name of the part of a request that carries the client's schema."""
_KEPT = 64


class SchemaSettings(Settings):
    """What answers must be."""

    requested: bool = True
    """Hold answers to the request's ``response_format``, where it is ``json_object`` or ``json_schema``."""
    output: dict[str, Any] | None = None
    """JSON Schema (2020-12) of every answer of the application, whatever the request says."""
    limit: int = Field(default=262_144, ge=1024, le=16 * 1_048_576)
    """Characters of the longest answer that is held to be checked; a longer one is stopped."""


class Schema:
    """Checks in a thread: a client's schema may be slow, and then meets the deadline."""

    def __init__(self, settings: SchemaSettings) -> None:
        self._requested = settings.requested
        self._need = Buffer(settings.limit)
        self._own: AnswerSchema | None = None
        if settings.output is not None:
            try:
                self._own = AnswerSchema(settings.output)
            except UnusableSchema as error:
                raise ConfigError(Problem(f"interface.controls.{ID}.output: {error}")) from error
        self._compiled = lru_cache(maxsize=_KEPT)(_compiled)
        self.declaration = Declaration(
            id=ID,
            boundary=Boundary.INTERFACE,
            summary="Stops an answer that was asked for as JSON and does not keep to its schema.",
            crossings=frozenset({CrossingKind.REQUEST, CrossingKind.RESPONSE}),
            parts=frozenset({PartKind.TEXT}),
            threats=("LLM02@2023", "LLM05@2025"),
            csf=("PR.DS-02", "DE.CM-09"),
            need=self._need if self._own else END_OF_STREAM,
            deadline=5.0,
        )

    def need_of(self, crossing: Crossing) -> StreamNeed:
        """The whole answer, where this one is held to a schema."""
        return self._need if self._own or self._wanted(crossing) else END_OF_STREAM

    async def inspect(self, crossing: Crossing) -> Verdict:
        if crossing.kind is CrossingKind.REQUEST:
            return await self._request(crossing)
        if not finished(crossing) or not (self._own or self._wanted(crossing)):
            return ALLOW
        text = "".join(part.text for part in crossing.parts if part.kind is PartKind.TEXT)
        if len(text) > self._need.limit:
            return _stopped("size", f"it is longer than {self._need.limit} characters", len(text))
        wanted = self._wanted(crossing)
        try:
            rule, problem = await asyncio.to_thread(self._problem, wanted, text)
        except UnusableSchema as error:
            rule, problem = "unusable", str(error)
        return _stopped(rule, problem, len(text)) if rule else ALLOW

    async def _request(self, crossing: Crossing) -> Verdict:
        """A schema that answers can't be held to is refused before the model is asked."""
        if not self._requested:
            return ALLOW
        for index, part in enumerate(crossing.parts):
            if part.kind is not PartKind.TEXT or part.name != FORMAT_PART:
                continue
            try:
                asked = _asked(json.loads(part.text))
                if asked is not None:
                    await asyncio.to_thread(self._compiled, asked)
            except (ValueError, RecursionError) as error:
                why = str(error) if isinstance(error, UnusableSchema) else "it is no JSON"
                finding = Finding(
                    ID, "unusable", f"The response format can't be used: {why}.", index, cls="schema"
                )
                return verdict(Action.BLOCK, f"The response format can't be used: {why}.", [finding])
        return ALLOW

    def _wanted(self, crossing: Crossing) -> str | None:
        return _asked(crossing.context.get(FORMAT_PART)) if self._requested else None

    def _problem(self, wanted: str | None, text: str) -> tuple[str, str]:
        for schema in (self._own, self._compiled(wanted) if wanted is not None else None):
            rule, problem = schema.problem(text) if schema else ("", "")
            if rule:
                return rule, problem
        return "", ""


def _asked(wanted: object) -> str | None:
    """The schema that a response format asks for, as JSON; ``null`` for any object; None when it asks for no
    JSON."""
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if not isinstance(wanted, dict) or kind not in ("json_object", "json_schema"):
        return None
    inner = wanted.get("json_schema") if kind == "json_schema" else None
    schema = inner.get("schema") if isinstance(inner, dict) else None
    try:
        return json.dumps(schema, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return "null"


def _compiled(schema: str) -> AnswerSchema:
    return AnswerSchema(json.loads(schema))


def _stopped(rule: str, problem: str, length: int) -> Verdict:
    finding = Finding(ID, rule, f"The answer is not what was asked for: {problem}.", 0, 0, length, "schema")
    return verdict(Action.BLOCK, "The answer was not in the form that was asked for.", [finding])


def build(settings: SchemaSettings, _services: Services) -> Schema:
    return Schema(settings)


CONTROL = ControlFactory(ID, SchemaSettings, build)
