"""Word, Excel and PowerPoint files (ECMA-376): what every part of the package says."""

import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from ringwall.detect.pages.html import prose

from .archive import entries, inflate
from .markup import attribute, local, parse_xml, texts
from .reading import Job, Refused, place
from .sheets import Workbook
from .slides import read_slide
from .word import read_styles, read_word

_MAIN = {"wordprocessingml": "docx", "spreadsheetml": "xlsx", "presentationml": "pptx"}
_ACTIVE = ("vbaproject", "activex/", "macrosheets/", "vbadata", "/customui")
_NUMBER = re.compile(r"(\d{1,6})\.xml$")
_DYNAMIC = re.compile(r"\b(?:DDEAUTO|DDE|INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK)\b")
_HARMLESS = ("hyperlink",)
_DESCRIBED = ("docPr", "cNvPr")
ReadInner = Callable[[str, bytes], None]


def office_kind(archive: zipfile.ZipFile, job: Job) -> str:
    """``docx``, ``xlsx``, ``pptx``, or empty when it is no such package."""
    if "[Content_Types].xml" not in archive.namelist():
        return ""
    types = parse_xml(inflate(archive, archive.getinfo("[Content_Types].xml"), job))
    declared = [attribute(node, "ContentType") for node in types]
    if any("macroEnabled" in kind or "vbaProject" in kind for kind in declared):
        job.mark("macros")
    for kind in declared:
        for family, name in _MAIN.items():
            if family in kind and ("main+xml" in kind):
                return name
    return ""


def read_office(archive: zipfile.ZipFile, kind: str, job: Job, inner: ReadInner) -> None:
    """All texts of the package; files inside it go to ``inner``."""
    roots: dict[str, Element] = {}
    others: list[tuple[str, bytes]] = []
    for info in entries(archive):
        name = info.filename.lower()
        data = inflate(archive, info, job)
        if any(sign in name for sign in _ACTIVE):
            job.mark("macros" if "vba" in name else "active-content", place(posixpath.basename(name)))
        if name.endswith((".xml", ".rels")):
            roots[name] = parse_xml(data)
        elif name.endswith(".vml"):
            _drawing(name, data, roots, job)
        elif not name.endswith(".bin") or "embeddings" in name:
            others.append((name, data))
    pages = sum(1 for name in roots if re.search(r"(?:slides/slide|worksheets/sheet)\d{1,6}\.xml$", name))
    if pages > job.limits.pages:
        raise Refused("limit")
    for name, root in roots.items():
        if name.endswith(".rels"):
            _relations(root, job)
    _CONTENTS[kind](roots, job)
    _asides(roots, job)
    for name, data in others:
        inner(posixpath.basename(name), data)


def _drawing(name: str, data: bytes, roots: dict[str, Element], job: Job) -> None:
    """VML of old versions is often no sound XML."""
    try:
        roots[name] = parse_xml(data)
    except Refused as refused:
        if refused.code != "damaged":
            raise
        job.mark("unread", "vml")


def _relations(root: Element, job: Job) -> None:
    links: list[str] = []
    for node in root:
        if attribute(node, "TargetMode") != "External":
            continue
        links.append(attribute(node, "Target"))
        if not attribute(node, "Type").endswith(_HARMLESS):
            job.mark("external-link", place(attribute(node, "Type").rpartition("/")[2]))
    job.say("links", "\n".join(links), metadata=True)


def _word(roots: Mapping[str, Element], job: Job) -> None:
    styles = read_styles(roots.get("word/styles.xml"))
    for name, root in roots.items():
        short = name.removeprefix("word/").removesuffix(".xml").rstrip("0123456789")
        if name == "word/document.xml":
            fields = read_word(root, "text", styles, job)
        elif name.startswith("word/") and short in ("header", "footer", "footnotes", "endnotes", "comments"):
            fields = read_word(root, short, styles, job)
        elif name.startswith("word/glossary/document"):
            fields = read_word(root, "glossary", styles, job, hidden="glossary")
        else:
            continue
        if _DYNAMIC.search(fields):
            job.mark("active-content" if "DDE" in fields else "external-link", "field")


def _slides(roots: Mapping[str, Element], job: Job) -> None:
    for name in sorted(roots, key=_number):
        number = _number(name)
        if name.startswith("ppt/slides/slide"):
            read_slide(roots[name], f"slide={number}", roots, job)
        elif name.startswith("ppt/notesslides/"):
            read_slide(roots[name], f"slide notes={number}", roots, job)
        elif name.startswith("ppt/comments/"):
            job.say("comments", "\n".join(texts(roots[name])))


def _number(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[1]) if found else 0


def _sheets(roots: Mapping[str, Element], job: Job) -> None:
    Workbook(roots, job).read()


_CONTENTS: Mapping[str, Callable[[Mapping[str, Element], Job], None]] = {
    "docx": _word,
    "xlsx": _sheets,
    "pptx": _slides,
}
_READ = re.compile(
    r"word/(?:document|(?:header|footer|footnotes|endnotes|comments)\d*|glossary/document)\.xml$"
    r"|ppt/(?:slides/slide|notesslides/|comments/)|xl/(?:worksheets/|sharedstrings|comments|threadedcomments)"
)


def _asides(roots: Mapping[str, Element], job: Job) -> None:
    """Properties, descriptions of pictures, custom XML, and whatever else a part says: not what a reader of
    the document sees, and no part of what is passed on as text."""
    for name, root in roots.items():
        if name.endswith(".rels") or name == "[content_types].xml":
            continue
        content = _READ.match(name) is not None
        found = [] if content else list(texts(root))
        for node in root.iter():
            described = local(node) in _DESCRIBED
            for value in node.attrib.values():
                spaced = not content and " " in value.strip() and len(value) >= 12
                if (described and len(value) >= 4) or spaced or prose(value):
                    found.append(value)
        prose_found = [text for text in found if any(letter.isalpha() for letter in text)]
        label = "properties" if name.startswith("docprops/") else "custom" if "customxml" in name else "other"
        job.say("descriptions" if content else label, "\n".join(prose_found), metadata=True)
