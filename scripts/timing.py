"""Add up what each stage, and each method in it, cost."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.runtime.resources import add
    from trakway.storage.files import read_json, write_table

    groups: dict[tuple[str, str], list[dict]] = {}
    for path in arguments.costs:
        # costs/STAGE.json, costs/STAGE/NAME.json, or costs/STAGE/NAME/.../SHARD.json
        stage, *rest = path.relative_to(arguments.folder).with_suffix("").parts
        groups.setdefault((stage, rest[0] if rest else ""), []).append(read_json(path))
    rows = [{"stage": stage, "method": name, **add(*costs)} for (stage, name), costs in groups.items()]
    write_table(arguments.output, pd.DataFrame(rows).round({"cpu_seconds": 2, "wall_seconds": 2, "peak_mb": 0}))


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--folder", type=Path, required=True, help="folder of all costs")
    command.add_argument("--costs", type=Path, nargs="+", required=True, help="cost files in it (JSON)")
    command.add_argument("--output", type=Path, required=True, help="table of stages")
    command.run(main)
