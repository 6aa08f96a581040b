"""Pixels: decoded under limits, made readable for an OCR engine, and encoded anew without anything else."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .pictures import inspect_picture
from .reading import Job, Refused

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 2048
"""Longest side of what is passed on. Models scale larger pictures down themselves, and a picture can be made
to show another text when it is: so it is scaled here, with a filter that averages, and read after that."""
_SMALL = 1200
"""Pictures with a shorter longest side are enlarged before they are read: small type."""
_OCR_SIDE = 2600
_FAINT = 2
"""Least difference from its surroundings (of 255) that counts as a stroke."""
_SPARSE = 4
"""Every so many pixels are looked at to tell the ground: the median of 36 by 36, which type does not fill."""
_FEW = 20
"""Letters and digits under which a picture may stand on its side, or upside down."""
_TURNED_SIDE = 1300


def read_picture(data: bytes, kind: str, job: Job, where: str = "") -> tuple[bytes, str]:
    """Texts in and about the picture into the job; its first frame encoded anew, with the media type."""
    found = inspect_picture(data, kind, job)
    frames = _frames(data, kind, found.frames, job)
    job.inflate(sum(frame.width * frame.height * 3 for frame in frames))
    for number, frame in enumerate(frames, 1):
        name = where or "picture"
        _recognise(frame, f"{name}" if number == 1 else f"{name} frame {number}", job)
    if found.frames > len(frames):
        job.mark("unread", "frames")
    return _encoded(frames[0], kind)


def _frames(data: bytes, kind: str, count: int, job: Job) -> "list[Image]":
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - an extra

    Image.MAX_IMAGE_PIXELS = job.limits.pixels
    frames: list[Image.Image] = []
    try:
        with Image.open(io.BytesIO(data), formats=[kind.upper()]) as picture:
            for number in range(min(count, job.limits.frames)):
                picture.seek(number)
                if picture.width * picture.height > job.limits.pixels:
                    raise Refused("pixels")
                frame = ImageOps.exif_transpose(picture)
                frames.append(_bounded(frame))
    except Refused:
        raise
    except EOFError:
        pass
    except MemoryError:
        raise Refused("limit") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise Refused("damaged") from None
    except Exception:  # noqa: BLE001 - decoders raise all sorts over damaged data; it is refused either way
        raise Refused("damaged") from None
    if not frames:
        raise Refused("damaged")
    return frames


def _bounded(frame: "Image") -> "Image":
    """RGBA where it is transparent, else RGB, at most ``SIDE`` to each side."""
    from PIL import Image  # noqa: PLC0415 - an extra

    if frame.mode in ("I", "F", "I;16", "I;16B", "I;16L"):
        frame = frame.convert("F").point(lambda value: value / 256).convert("L")
    transparent = "A" in frame.getbands() or "transparency" in frame.info
    fresh = frame.convert("RGBA" if transparent else "RGB")
    if max(fresh.size) > SIDE:
        fresh.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return fresh


def flattened(frame: "Image") -> "Image":
    """On white: what is transparent shows nothing."""
    from PIL import Image  # noqa: PLC0415 - an extra

    if frame.mode != "RGBA":
        return frame
    ground = Image.new("RGBA", frame.size, "white")
    return Image.alpha_composite(ground, frame).convert("RGB")


def _recognise(frame: "Image", where: str, job: Job) -> None:
    if job.ocr is None:
        job.mark("unread", where)
        return
    grey = _enlarged(flattened(frame).convert("L"))
    plain = job.ocr(grey)
    job.say(where, plain)
    known = set(plain.split())
    faint = job.ocr(_enlarged(strokes(frame)))
    lines = [line for line in faint.splitlines() if set(line.split()) - known]
    job.say(f"{where} contrast", "\n".join(lines))
    if _letters(plain) < _FEW and _letters(faint) < _FEW:
        turned = max((job.ocr(one) for one in _turned(grey)), key=_letters)
        job.say(f"{where} turned", turned if _letters(turned) >= _FEW else "")


def _letters(text: str) -> int:
    return sum(sign.isalnum() for sign in text)


def _turned(frame: "Image") -> "Iterator[Image]":
    """On either side and upside down; smaller, as most pictures without type are photographs."""
    from PIL import Image  # noqa: PLC0415 - an extra

    frame = frame.copy()
    frame.thumbnail((_TURNED_SIDE, _TURNED_SIDE), Image.Resampling.LANCZOS)
    ways = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return (frame.transpose(way) for way in ways)


def strokes(frame: "Image") -> "Image":
    """Dark where any channel, transparency included, differs from its surroundings, however little: brings up
    type of nearly the colour of its ground, or of equal brightness."""
    from PIL import Image, ImageChops, ImageFilter  # noqa: PLC0415 - an extra

    size = (-(-frame.width // _SPARSE), -(-frame.height // _SPARSE))
    sample = frame.resize(size, Image.Resampling.NEAREST).filter(ImageFilter.MedianFilter(9))
    ground = sample.resize(frame.size, Image.Resampling.BILINEAR)
    bands: list[Any] = list(ImageChops.difference(frame, ground).split())
    most = bands[0]
    for band in bands[1:]:
        most = ImageChops.lighter(most, band)
    faint: Image.Image = most.point(lambda value: 255 if value < _FAINT else max(0, 160 - value * 16))
    return faint


def _enlarged(frame: "Image") -> "Image":
    from PIL import Image, ImageOps  # noqa: PLC0415 - an extra

    stretched = ImageOps.autocontrast(frame)
    longest = max(stretched.size)
    if longest >= _SMALL:
        return stretched
    factor = min(3.0, _OCR_SIDE / longest)
    size = (max(1, round(stretched.width * factor)), max(1, round(stretched.height * factor)))
    return stretched.resize(size, Image.Resampling.LANCZOS)


def _encoded(frame: "Image", kind: str) -> tuple[bytes, str]:
    out = io.BytesIO()
    fresh = flattened(frame)
    fresh.info = {}
    if kind == "jpeg":
        fresh.save(out, "JPEG", quality=90)
        return out.getvalue(), "image/jpeg"
    fresh.save(out, "PNG")
    return out.getvalue(), "image/png"
