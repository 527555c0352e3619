"""What each stage, and each method in it, cost."""

from collections.abc import Mapping

import pandas as pd

from trakway.report.tables import Table
from trakway.runtime.resources import add

TABLE = Table(
    section="Models",
    caption=(
        "CPU seconds, wall seconds and peak memory of every stage; wall seconds are summed over jobs, which run side "
        "by side. Several processors or GPUs in a row: its jobs ran on different machines."
    ),
    reads={"costs": "costs/{cost}.json"},
)


def make(costs: Mapping[str, dict]) -> pd.DataFrame:
    """Add up costs, which come by ``STAGE``, ``STAGE/NAME`` or ``STAGE/NAME/.../SHARD``, over shards.

    Returns:
        stage, method (or whatever a stage has several of; empty where it has one), cpu_seconds, wall_seconds, peak_mb,
        processor, gpu (their names, several with " and " between them; empty where not known, or none).
    """
    groups: dict[tuple[str, str], list[dict]] = {}
    for key, cost in costs.items():
        stage, *rest = key.split("/")
        groups.setdefault((stage, rest[0] if rest else ""), []).append(cost)
    rows = [
        {"stage": stage, "method": name, **add(*parts), **{key: _names(parts, key) for key in ("processor", "gpu")}}
        for (stage, name), parts in groups.items()
    ]
    return pd.DataFrame(rows).round({"cpu_seconds": 2, "wall_seconds": 2, "peak_mb": 0})


def _names(costs: list[dict], key: str) -> str:
    return " and ".join(sorted({cost[key] for cost in costs if cost.get(key)}))
