"""Ensembles are cut into shards, each the work of one job."""

import math
import os
import re
from collections.abc import Iterable

from trakway.errors import UserError


def shards(models: int, size: int) -> list[str]:
    """Cut ``models`` models into as few shards of at most ``size`` as there can be, all of one size but for the last.

    They are named by their range, e.g. ``00000-00025``, so that files of another cut are never mistaken for these.
    """
    if models == 0:
        return []
    size = math.ceil(models / math.ceil(models / size))  # no core waits for the others while it trains what is left
    return [f"{start:05d}-{min(start + size, models):05d}" for start in range(0, models, size)]


def shard_range(shard: str) -> range:
    """Return the models of a shard named by `shards`."""
    start, stop = shard.split("-")
    return range(int(start), int(stop))


_SHARD = re.compile(r"\d{5}-\d{5}")


def check_once(paths: Iterable[str | os.PathLike]) -> None:
    """Check that no model is in two of some shards, known by the names of their files or folders.

    Raises:
        UserError: one is: they are of two cuts, such as those of two and of three members.
    """
    seen: dict[int, str] = {}
    for path in map(str, paths):
        for model in shard_range(found[-1]) if (found := _SHARD.findall(path)) else ():
            if model in seen:
                raise UserError(
                    f"{path}: found model {model}, which {seen[model]} has too; allowed: the shards of one cut, each"
                    " model once; leave out those of earlier settings, or remove them: make clean-stale ARGS=--remove"
                )
            seen[model] = path


def compact(paths: Iterable[str]) -> list[str]:
    """Return paths with those of all shards of one cut as a single word, e.g. ``outputs/{}.npy@150/50``.

    Command lines stay short that way, however many models there are. Paths of no such cut stay as they are, and so
    does a single one.
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(_SHARD.sub("{}", path), []).append(path)
    words = []
    for pattern, group in found.items():
        several = len(group) > 1 and pattern.count("{}") == 1 and "{}" not in group[0]
        cut = _cut_of([_SHARD.search(path) for path in group]) if several else None
        words += [f"{pattern}@{cut[0]}/{cut[1]}"] if cut else group
    return words


def expand(word: str) -> list[str]:
    """Return the paths that a word of `compact` stands for; any other word is a path.

    Args:
        word: ``PATTERN@MODELS/SIZE`` with ``{}`` in the pattern for a shard, or a path.
    """
    pattern, _, cut = word.rpartition("@")
    if pattern.count("{}") != 1 or not re.fullmatch(r"\d+/\d+", cut):
        return [word]
    return [pattern.replace("{}", shard) for shard in shards(*map(int, cut.split("/")))]


def _cut_of(found: list[re.Match]) -> tuple[int, int] | None:
    """Return (models, size) of which the found shards are the whole cut, in order; None if they are none."""
    names = [match.group() for match in found]
    models, size = shard_range(names[-1]).stop, len(shard_range(names[0]))
    return (models, size) if size and names == shards(models, size) else None
