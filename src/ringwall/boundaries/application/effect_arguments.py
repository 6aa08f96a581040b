"""What the arguments of a tool say about it: addresses, money, code, and where the effect goes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .effect_words import CHOICE, singular, word_set, words
from .settings import Effect

_DEPTH = 4
_MOST = 200

_URL = word_set("url uri link href website webpage")
_HOST = word_set("host hostname domain ip endpoint server")
_CALLED_BACK = word_set("webhook callback")
_PEOPLE = word_set("recipient participant attendee invitee addressee audience cc bcc")
_REACHED = word_set("to address email mail phone channel chat room conversation mailbox inbox list group")
_PERSON = word_set("user username member contact person friend customer handle mention")
_PAYEE = word_set(
    "to recipient payee beneficiary iban bic account destination wallet merchant address receiver"
)
_MONEY = word_set("amount sum price currency fee tip")
_PATH = word_set(
    "path file filename filepath directory dir folder destination dest repo repository branch bucket table"
)
_CODE = word_set("command cmd sql script code shell program expression statement bash javascript")
_RUN = word_set("query input task instruction arg argument")
_STORES = word_set("repo repository bucket branch")
_ID = word_set("id ids uuid key name slug number")
_SOURCE = word_set("from source sender origin src old")
_CONTENT = word_set("body subject title text content message description note comment reason limit page")
_MAIL_FORMATS = frozenset({"email", "idn-email"})
_URL_FORMATS = frozenset({"uri", "url", "iri", "uri-reference"})
_HOST_FORMATS = frozenset({"hostname", "idn-hostname", "ipv4", "ipv6"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument as its schema tells it."""

    name: str
    words: frozenset[str]
    """Of its name, in the singular, those of inner names included."""
    own: frozenset[str]
    """Of its own name alone."""
    said: frozenset[str]
    """Of its description."""
    formats: frozenset[str]
    choices: tuple[str, ...]
    """Strings of its ``enum``."""
    required: bool
    text: bool
    """Whether it can hold text."""

    @property
    def url(self) -> bool:
        return bool(self.words & _URL) or bool(self.formats & _URL_FORMATS)

    @property
    def host(self) -> bool:
        return bool(self.words & _HOST) or bool(self.formats & _HOST_FORMATS)

    @property
    def called_back(self) -> bool:
        return bool(self.words & _CALLED_BACK)

    @property
    def people(self) -> bool:
        """Names who will be told: nothing else has a carbon copy."""
        return bool(self.words & _PEOPLE)

    @property
    def money(self) -> bool:
        return bool(self.own & _MONEY)

    @property
    def payee(self) -> bool:
        return bool(self.words & _PAYEE) and not self.source

    @property
    def code(self) -> bool:
        return bool(self.own & _CODE) and self.text and not self.choices and len(self.own) == 1

    @property
    def sql(self) -> bool:
        return "sql" in self.words or ("query" in self.own and "sql" in self.said)

    @property
    def path(self) -> bool:
        return bool(self.own & _PATH) and not self.source

    @property
    def source(self) -> bool:
        return bool(self.own & _SOURCE) and "to" not in self.own

    @property
    def does(self) -> bool:
        """Whether it chooses what the tool does."""
        return bool(self.own & CHOICE) and bool(self.choices)

    @property
    def identifies(self) -> bool:
        return bool(self.own & _ID)

    @property
    def names_something(self) -> bool:
        """Whether it may say what is destroyed, paid or run, where nothing says it better."""
        return self.required and self.text and not self.choices and not self.own & (_CONTENT | _MONEY)

    def is_target(self, effect: Effect) -> bool:
        """Whether it says where an effect of this class goes."""
        if self.does or (self.choices and not self.people):
            return False
        match effect:
            case Effect.READ:
                return False
            case Effect.FETCH:
                return self.url or self.host
            case Effect.EXECUTE:
                return self.code or self.sql or self.url or self.host or self.path or bool(self.own & _RUN)
            case Effect.PAY:
                return self.payee or self.people
            case Effect.SEND:
                return self._reached or (
                    (self.host or bool(self.words & (_PERSON | _STORES))) and not self.source
                )
            case Effect.DELETE:
                named = (self.path or self._reached) and not self.own & _CONTENT
                return self.text and (named or self.identifies)
            case Effect.WRITE:
                return self.path or self.url or self._reached

    @property
    def _reached(self) -> bool:
        named = self.url or self.people or self.called_back or bool(self.words & _REACHED)
        return (named or bool(self.formats & _MAIL_FORMATS)) and not self.source and self.text


def arguments(parameters: Mapping[str, Any]) -> tuple[Argument, ...]:
    """The arguments of a JSON Schema, as far as it can be read. Never raises."""
    properties = parameters.get("properties")
    if not isinstance(properties, Mapping):
        return ()
    required = parameters.get("required")
    needed = frozenset(map(str, required)) if isinstance(required, list) else frozenset()
    found = list(properties.items())[:_MOST]
    return tuple(_argument(str(name), schema, str(name) in needed, parameters) for name, schema in found)


def _argument(name: str, schema: Any, required: bool, root: Mapping[str, Any]) -> Argument:
    inner: set[str] = set()
    formats: set[str] = set()
    choices: list[str] = []
    said: set[str] = set()
    kinds: set[str] = set()
    for node in islice(_nodes(schema, root, _DEPTH), _MOST):
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            inner.update(word for key in list(properties)[:_MOST] for word in words(str(key)))
        if isinstance(node.get("format"), str):
            formats.add(node["format"])
        if isinstance(node.get("enum"), list):
            choices += [choice for choice in node["enum"][:_MOST] if isinstance(choice, str)]
        if isinstance(node.get("const"), str):
            choices.append(node["const"])
        if isinstance(node.get("description"), str):
            said.update(words(node["description"]))
        kind = node.get("type")
        kinds.update(kind if isinstance(kind, list) else [kind] if isinstance(kind, str) else ())
    own = frozenset(map(singular, words(name)))
    text = not kinds or bool(kinds & {"string", "integer", "object"})
    every = own | frozenset(map(singular, inner))
    return Argument(
        name, every, own, frozenset(said), frozenset(formats), () if inner else tuple(choices), required, text
    )


def _nodes(schema: Any, root: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """The schema and those that it is made of: alternatives, items, properties, local references."""
    if not isinstance(schema, Mapping) or depth < 0:
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        yield from _nodes(_resolved(reference, root), root, depth - 1)
    for key in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(key)
        for branch in branches[:_MOST] if isinstance(branches, list) else ():
            yield from _nodes(branch, root, depth - 1)
    yield from _nodes(schema.get("items"), root, depth - 1)
    properties = schema.get("properties")
    for inner in list(properties.values())[:_MOST] if isinstance(properties, Mapping) else ():
        yield from _nodes(inner, root, depth - 1)


def _resolved(reference: str, root: Mapping[str, Any]) -> Any:
    node: Any = root
    for step in reference[2:].split("/"):
        node = node.get(step) if isinstance(node, Mapping) else None
    return node
