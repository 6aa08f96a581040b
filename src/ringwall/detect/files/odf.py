"""OpenDocument text, sheets and slides (OASIS ODF 1.3)."""

import re
import zipfile
from xml.etree.ElementTree import Element

from .archive import entries, inflate
from .flow import Flow, nearly_white, walk
from .markup import attribute, local, parse_xml, texts
from .office import ReadInner
from .reading import Job, Refused, place

_MAIN = {"text": "odt", "spreadsheet": "ods", "presentation": "odp"}
_TYPE = "application/vnd.oasis.opendocument."
_SIZE = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)pt")
_TINY = 2.0
_READ = ("content.xml", "styles.xml", "meta.xml", "settings.xml", "manifest.xml")


def odf_kind(archive: zipfile.ZipFile, job: Job) -> str:
    """``odt``, ``ods``, ``odp``, or empty when it is no such package."""
    if "mimetype" not in archive.namelist():
        return ""
    declared = inflate(archive, archive.getinfo("mimetype"), job)[:200].decode("ascii", "replace").strip()
    return _MAIN.get(declared.removeprefix(_TYPE).removesuffix("-template"), "")


def read_odf(archive: zipfile.ZipFile, job: Job, inner: ReadInner) -> None:
    roots: dict[str, Element] = {}
    for info in entries(archive):
        name = info.filename
        data = inflate(archive, info, job)
        if name.startswith(("Basic/", "Scripts/")):
            job.mark("macros")
        if name.endswith(".xml"):
            roots[name] = parse_xml(data)
        elif name != "mimetype" and not name.startswith("Configurations2/"):
            inner(name.rpartition("/")[2], data)
    if "content.xml" not in roots:
        raise Refused("damaged")
    if any(
        local(node) == "encryption-data" for node in roots.get("META-INF/manifest.xml", Element("x")).iter()
    ):
        raise Refused("encrypted")
    styles = {
        attribute(node, "name"): why
        for name in ("styles.xml", "content.xml")
        if name in roots
        for node in roots[name].iter()
        if local(node) == "style" and (why := _style(node))
    }
    for name, root in roots.items():
        if name in ("content.xml", "styles.xml"):
            _content(root, "text" if name == "content.xml" else "header", styles, job)
        elif name.rpartition("/")[2] == "meta.xml" or name.rpartition("/")[2] not in _READ:
            job.say("properties", "\n".join(texts(root)), metadata=True)


def _content(root: Element, where: str, styles: dict[str, str], job: Job) -> None:
    flow = Flow()

    def judge(node: Element) -> str:
        name = local(node)
        if name in ("deletion", "tracked-changes"):
            return "deleted"
        if name in ("hidden-text", "hidden-paragraph"):
            flow.add(attribute(node, "string-value"), "invisible")
            return "invisible"
        if name in ("desc", "title"):
            return "alt"
        if attribute(node, "visibility") in ("collapse", "filter", "hidden"):
            return "row"
        return styles.get(attribute(node, "style-name"), "")

    walk(
        root,
        flow,
        judge,
        carriers={"p", "h", "desc", "title"},
        lines={"p", "h", "table-row"},
        cells={"table-cell"},
    )
    flow.tell(job, where)
    _marks(root, job)


def _marks(root: Element, job: Job) -> None:
    pages = 0
    for node in root.iter():
        name = local(node)
        pages += name in ("page", "table")
        if name in ("script", "event-listener"):
            job.mark("macros")
        target = attribute(node, "href")
        if name in ("image", "object", "table-source", "section-source", "dde-source") and "://" in target:
            job.mark("external-link", place(name))
        if name == "dde-connection-decl":
            job.mark("active-content", "dde")
    if pages > job.limits.pages:
        raise Refused("limit")


def _style(style: Element) -> str:
    for node in style:
        if attribute(node, "display") in ("none", "false"):
            return "invisible"
        size = _SIZE.fullmatch(attribute(node, "font-size"))
        if size and float(size[1]) <= _TINY:
            return "tiny"
        ground = attribute(node, "background-color")
        if nearly_white(attribute(node, "color")) and ground in ("", "transparent"):
            return "white"
    return ""
