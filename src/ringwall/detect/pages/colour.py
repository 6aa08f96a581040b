"""Colours as CSS writes them (CSS Color 4), enough of it to tell whether text is lost on its ground."""

import re
from math import cos, radians, sin

Colour = tuple[float, float, float, float]
"""Red, green, blue, opacity: 0 to 1."""
WHITE: Colour = (1.0, 1.0, 1.0, 1.0)
BLACK: Colour = (0.0, 0.0, 0.0, 1.0)
_SAME = 0.1
"""Greatest difference of a channel at which text is lost on its ground."""
_FUNCTION = re.compile(r"(rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark)\(")
_NUMBER = re.compile(r"([+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:e-?\d)?)(%|[a-z]{0,4})")
_NAMES = """
aliceblue f0f8ff antiquewhite faebd7 aqua 00ffff aquamarine 7fffd4 azure f0ffff beige f5f5dc bisque ffe4c4
black 000000 blanchedalmond ffebcd blue 0000ff blueviolet 8a2be2 brown a52a2a burlywood deb887 cadetblue
5f9ea0 chartreuse 7fff00 chocolate d2691e coral ff7f50 cornflowerblue 6495ed cornsilk fff8dc crimson dc143c
cyan 00ffff darkblue 00008b darkcyan 008b8b darkgoldenrod b8860b darkgray a9a9a9 darkgreen 006400 darkgrey
a9a9a9 darkkhaki bdb76b darkmagenta 8b008b darkolivegreen 556b2f darkorange ff8c00 darkorchid 9932cc darkred
8b0000 darksalmon e9967a darkseagreen 8fbc8f darkslateblue 483d8b darkslategray 2f4f4f darkslategrey 2f4f4f
darkturquoise 00ced1 darkviolet 9400d3 deeppink ff1493 deepskyblue 00bfff dimgray 696969 dimgrey 696969
dodgerblue 1e90ff firebrick b22222 floralwhite fffaf0 forestgreen 228b22 fuchsia ff00ff gainsboro dcdcdc
ghostwhite f8f8ff gold ffd700 goldenrod daa520 gray 808080 green 008000 greenyellow adff2f grey 808080
honeydew f0fff0 hotpink ff69b4 indianred cd5c5c indigo 4b0082 ivory fffff0 khaki f0e68c lavender e6e6fa
lavenderblush fff0f5 lawngreen 7cfc00 lemonchiffon fffacd lightblue add8e6 lightcoral f08080 lightcyan
e0ffff lightgoldenrodyellow fafad2 lightgray d3d3d3 lightgreen 90ee90 lightgrey d3d3d3 lightpink ffb6c1
lightsalmon ffa07a lightseagreen 20b2aa lightskyblue 87cefa lightslategray 778899 lightslategrey 778899
lightsteelblue b0c4de lightyellow ffffe0 lime 00ff00 limegreen 32cd32 linen faf0e6 magenta ff00ff maroon
800000 mediumaquamarine 66cdaa mediumblue 0000cd mediumorchid ba55d3 mediumpurple 9370db mediumseagreen
3cb371 mediumslateblue 7b68ee mediumspringgreen 00fa9a mediumturquoise 48d1cc mediumvioletred c71585
midnightblue 191970 mintcream f5fffa mistyrose ffe4e1 moccasin ffe4b5 navajowhite ffdead navy 000080 oldlace
fdf5e6 olive 808000 olivedrab 6b8e23 orange ffa500 orangered ff4500 orchid da70d6 palegoldenrod eee8aa
palegreen 98fb98 paleturquoise afeeee palevioletred db7093 papayawhip ffefd5 peachpuff ffdab9 peru cd853f
pink ffc0cb plum dda0dd powderblue b0e0e6 purple 800080 rebeccapurple 663399 red ff0000 rosybrown bc8f8f
royalblue 4169e1 saddlebrown 8b4513 salmon fa8072 sandybrown f4a460 seagreen 2e8b57 seashell fff5ee sienna
a0522d silver c0c0c0 skyblue 87ceeb slateblue 6a5acd slategray 708090 slategrey 708090 snow fffafa
springgreen 00ff7f steelblue 4682b4 tan d2b48c teal 008080 thistle d8bfd8 tomato ff6347 turquoise 40e0d0
violet ee82ee wheat f5deb3 white ffffff whitesmoke f5f5f5 yellow ffff00 yellowgreen 9acd32 canvas ffffff
canvastext 000000
"""
_NAMED = dict(zip(_NAMES.split()[::2], _NAMES.split()[1::2], strict=True))


def colour(text: str) -> Colour | None:
    """None for what is no colour, or none that is known here."""
    text = text.strip().lower()
    if text == "transparent":
        return (0.0, 0.0, 0.0, 0.0)
    if text in _NAMED:
        return _hex(_NAMED[text])
    if text.startswith("#"):
        return _hex(text[1:])
    found = _FUNCTION.match(text)
    return _function(found[1], text[found.end() :]) if found else None


def over(above: Colour, ground: Colour) -> Colour:
    """What is seen of a colour that lets its ground through."""
    red, green, blue = (
        one * above[3] + other * (1 - above[3]) for one, other in zip(above[:3], ground[:3], strict=True)
    )
    return (red, green, blue, 1.0)


def lost(text: Colour, ground: Colour) -> bool:
    """Whether nobody can read text of this colour on that ground."""
    seen = over(text, ground)
    return max(abs(one - other) for one, other in zip(seen[:3], ground[:3], strict=True)) < _SAME


def _hex(digits: str) -> Colour | None:
    if len(digits) in (3, 4):
        digits = "".join(2 * digit for digit in digits)
    try:
        values = [int(digits[at : at + 2], 16) / 255 for at in range(0, len(digits), 2)]
    except ValueError:
        return None
    if len(values) == 3:
        return (values[0], values[1], values[2], 1.0)
    return (values[0], values[1], values[2], values[3]) if len(values) == 4 else None


def _function(name: str, rest: str) -> Colour | None:
    if name == "color-mix":
        return _mixed(rest)
    if name == "light-dark":
        inner = rest.partition(",")[0].strip()
        return None if inner.startswith("light-dark(") else colour(inner)
    inner = rest.partition(")")[0]
    numbers = _NUMBER.findall(inner[:200].replace("none", "0"))
    found = [(float(number), unit) for number, unit in numbers]
    if len(found) < 3:
        return None
    alpha = min(1.0, max(0.0, _share(*found[3], 1.0))) if len(found) > 3 else 1.0
    channels = _CHANNELS[name](found)
    red, green, blue = (min(1.0, max(0.0, one)) for one in channels)
    return (red, green, blue, alpha)


def _share(value: float, unit: str, whole: float) -> float:
    return value / 100 if unit == "%" else value / whole


def _rgb(found: list[tuple[float, str]]) -> tuple[float, ...]:
    return tuple(_share(*one, 255.0) for one in found[:3])


def _plain(found: list[tuple[float, str]]) -> tuple[float, ...]:
    return tuple(_share(*one, 1.0) for one in found[:3])


def _hsl(found: list[tuple[float, str]]) -> tuple[float, ...]:
    hue, full, light = found[0][0] % 360, _share(found[1][0], "%", 1), _share(found[2][0], "%", 1)
    reach = full * min(light, 1 - light)

    def channel(shift: float) -> float:
        at = (shift + hue / 30) % 12
        return light - reach * max(-1.0, min(at - 3, 9 - at, 1.0))

    return channel(0), channel(8), channel(4)


def _hwb(found: list[tuple[float, str]]) -> tuple[float, ...]:
    white, black = found[1][0] / 100, found[2][0] / 100
    if white + black >= 1:
        return (white / (white + black),) * 3
    pure = _hsl([found[0], (100.0, "%"), (50.0, "%")])
    return tuple(one * (1 - white - black) + white for one in pure)


def _oklab(light: float, a: float, b: float) -> tuple[float, ...]:
    """Björn Ottosson's matrices, as CSS Color 4 has them."""
    one = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    two = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    three = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * one - 3.3077115913 * two + 0.2309699292 * three,
        -1.2684380046 * one + 2.6097574011 * two - 0.3413193965 * three,
        -0.0041960863 * one - 0.7034186147 * two + 1.7076147010 * three,
    )
    return tuple(
        12.92 * value if value <= 0.0031308 else 1.055 * min(value, 2.0) ** (1 / 2.4) - 0.055
        for value in linear
    )


def _ok(found: list[tuple[float, str]]) -> tuple[float, ...]:
    return _oklab(min(1.0, _share(*found[0], 1.0)), min(1.0, found[1][0]), min(1.0, found[2][0]))


def _okch(found: list[tuple[float, str]]) -> tuple[float, ...]:
    chroma, hue = min(1.0, found[1][0]), radians(found[2][0])
    return _oklab(min(1.0, _share(*found[0], 1.0)), chroma * cos(hue), chroma * sin(hue))


def _grey(found: list[tuple[float, str]]) -> tuple[float, ...]:
    """CIE Lab by its lightness alone: near the ends of the scale there is no colour."""
    return (found[0][0] / 100,) * 3


_CHANNELS = {
    "rgb": _rgb, "rgba": _rgb, "hsl": _hsl, "hsla": _hsl, "hwb": _hwb, "color": _plain,
    "lab": _grey, "lch": _grey, "oklab": _ok, "oklch": _okch,
}  # fmt: skip


def _mixed(rest: str) -> Colour | None:
    """The mean of the two, whatever their shares and space: exact where both are the same."""
    parts = [part.strip().partition(" ")[0] for part in rest.rstrip(")").split(",")[1:3]]
    both = [colour(part) for part in parts if not _FUNCTION.match(part)]
    if len(both) != 2 or both[0] is None or both[1] is None:
        return None
    red, green, blue, alpha = ((one + other) / 2 for one, other in zip(both[0], both[1], strict=True))
    return (red, green, blue, alpha)
