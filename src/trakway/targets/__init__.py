"""The table of targets: what is attributed, and where its entries stand."""

from trakway.targets.entries import positions
from trakway.targets.table import Group, draw_targets, groups, seen_by

__all__ = ["Group", "draw_targets", "groups", "positions", "seen_by"]
