"""Geometry of a PDF page: matrices, boxes, what a painted shape lies over (ISO 32000-2, 8.3, 8.5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
LOOK = 0.03
"""What it takes to look at a box, in painting operations, about."""
IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    bottom: float
    right: float
    top: float

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def within(self, other: "Box") -> "Box":
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )

    def wider(self, by: float) -> "Box":
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)


@dataclass(frozen=True, slots=True)
class Shape:
    """What one path covers. Curves count as the lines between their points."""

    box: Box
    rings: tuple[tuple[Point, ...], ...] = ()
    """Empty: all of the box."""
    even_odd: bool = False
    effort: float = LOOK
    """Of asking whether it covers a place in its box, in painting operations, about."""

    def covers(self, x: float, y: float) -> bool:
        if not self.box.holds(x, y):
            return False
        if not self.rings:
            return True
        turns = crossings = 0
        for ring in self.rings:
            for (a, b), (c, d) in zip(ring, (*ring[1:], ring[0]), strict=True):
                if (b > y) != (d > y) and x < (c - a) * (y - b) / (d - b) + a:
                    crossings += 1
                    turns += 1 if d > b else -1
        return crossings % 2 == 1 if self.even_odd else turns != 0


def shape(rings: Sequence[Sequence[Point]], *, even_odd: bool) -> Shape:
    """Of a path; one upright rectangle is its box."""
    kept = tuple(tuple(ring) for ring in rings if len(ring) > 1)
    box = around([point for ring in kept for point in ring])
    if len(kept) == 1:
        corners = {(box.left, box.bottom), (box.left, box.top), (box.right, box.bottom), (box.right, box.top)}
        if set(kept[0]) == corners:
            return Shape(box)
    return Shape(box, kept, even_odd, LOOK + sum(map(len, kept)) / 100)


def around(points: Sequence[Point]) -> Box:
    if not points:
        return Box(0, 0, 0, 0)
    across, up = [x for x, _ in points], [y for _, y in points]
    return Box(min(across), min(up), max(across), max(up))


def multiply(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def apply(matrix: Matrix, x: float, y: float) -> Point:
    return matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]


def to_matrix(operands: Iterable[Any]) -> Matrix:
    a, b, c, d, e, f = (float(one) for one in operands)
    return (a, b, c, d, e, f)
