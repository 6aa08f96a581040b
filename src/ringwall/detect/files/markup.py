"""XML without entities and external references."""

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError

from .reading import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse_xml(data: bytes) -> Element:
    """The root. Raises Refused for entities, a few bytes of which can unfold without bound, and for what is
    no XML."""
    from defusedxml import DefusedXmlException  # noqa: PLC0415 - an extra
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root: Element = fromstring(data)
    except DefusedXmlException:
        raise Refused("entities") from None
    except (ParseError, ValueError, LookupError):
        raise Refused("damaged") from None
    return root


def local(node: Element) -> str:
    """The element's name without its namespace."""
    return str(node.tag).rpartition("}")[2]


def attribute(node: Element, name: str) -> str:
    """The value of an attribute, whatever its namespace."""
    for key, value in node.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return ""


def texts(root: Element) -> "Iterator[str]":
    """Every text in it, blanks taken off."""
    for text in root.itertext():
        if text.strip():
            yield text.strip()
