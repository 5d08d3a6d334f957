"""The treated zones of the body: their codes, in the order a picker shows them."""

from __future__ import annotations

FACE = "face"
AREAS = (
    "thigh_front",
    "thigh_back",
    "thigh_inner",
    "thigh_outer",
    "knee",
    "calf",
    "shin",
    "ankle",
    "foot",
)
LEG_ZONES = tuple(f"{side}_{area}" for side in ("left", "right") for area in AREAS)
ZONES = (*LEG_ZONES, FACE)


def side(zone: str) -> str | None:
    """Return ``left`` or ``right``, or None for a zone that has no side."""
    start = zone.split("_", 1)[0]
    return start if start in ("left", "right") else None


def area(zone: str) -> str:
    """Return the zone without its side."""
    return zone.split("_", 1)[1] if side(zone) else zone


def is_known(zone: str) -> bool:
    """Whether it is a zone of the map."""
    return zone in ZONES
