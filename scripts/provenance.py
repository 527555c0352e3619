"""Record what made the results: revision, versions, hardware, settings, cost of each stage."""

from pathlib import Path

from trakway.config import read_settings
from trakway.runtime.command import Command


def main(arguments):
    from trakway.runtime.provenance import provenance
    from trakway.storage.files import read_json, read_table, write_json

    record = provenance(arguments.tier, read_settings(arguments.settings))
    record["data"] = read_json(arguments.data / "meta.json")
    timing = read_table(arguments.timing).astype(object).fillna("")
    record["stages"] = timing.to_dict("records")
    record["gpus"] = sorted({name for names in timing["gpu"] for name in names.split(" and ") if name})
    record["cpu_seconds"] = float(timing["cpu_seconds"].sum())
    write_json(arguments.output, record)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--tier", required=True, help="tier of the experiment")
    command.add_argument("--settings", required=True, help="all settings: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--timing", type=Path, required=True, help="table of stages")
    command.add_argument("--output", type=Path, required=True, help="provenance.json")
    command.run(main)
