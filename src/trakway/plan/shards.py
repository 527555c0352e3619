"""Ensembles are cut into shards, each the work of one job."""


def shards(models: int, size: int) -> list[str]:
    """Cut ``models`` models into shards of ``size``, named by their range, e.g. ``00000-00025``.

    The range is part of the name, so that files of another cut are never mistaken for these.
    """
    return [f"{start:05d}-{min(start + size, models):05d}" for start in range(0, models, size)]


def shard_range(shard: str) -> range:
    """Return the models of a shard named by `shards`."""
    start, stop = shard.split("-")
    return range(int(start), int(stop))
