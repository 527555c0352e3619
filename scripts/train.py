"""Train the models of one shard of an ensemble, or take checkpoints that are there in their place.

Models that an interrupted run has finished are kept.
"""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import FIXED, code_files, shard_range
from trakway.runtime.command import Command


def main(arguments):
    import pandas as pd

    from trakway.storage.files import read_array, write_json, write_table
    from trakway.storage.fingerprint import code_digest, data_digest, fingerprint
    from trakway.tasks import build_task
    from trakway.training import Ensemble, adopt, train_shard

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device)
    indices = shard_range(arguments.shard)
    if arguments.adopt:
        models, curves, cost = adopt(task, arguments.adopt, indices)
    else:
        reweighted = settings["training"]["removal"] == "reweight" or arguments.ensemble in FIXED
        ensemble = Ensemble(arguments.ensemble, read_array(arguments.subsets), arguments.seeds, reweighted)
        identity = fingerprint(settings, data_digest(arguments.data), code_digest(code_files(__file__, *task.sources)))
        folder = arguments.output.parent / "models"
        models, curves, cost = train_shard(task, ensemble, indices, settings["training"], identity, folder)
    # Columns by name: a model that an earlier run has finished gives them in another order, an adopted one none.
    types = {"index": int, "epoch": int, "loss": float, "learning_rate": float}
    table = pd.DataFrame(curves, columns=list(types)).astype(types)
    write_table(arguments.curves, table.assign(ensemble=arguments.ensemble))
    write_json(arguments.output, {"ensemble": arguments.ensemble, "folder": "models", "models": models})
    return cost


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="sections seed, task, model, training: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--ensemble", required=True, help="name of the ensemble; part of every seed")
    command.add_argument("--subsets", type=Path, required=True, help="bool .npy, subsets × n")
    command.add_argument("--seeds", type=int, default=1, help="models a subset")
    command.add_argument("--shard", required=True, help="models to train, e.g. 00000-00025")
    command.add_argument(
        "--adopt", nargs="+", metavar="PATH", help="folders of diffusers: one a model, none is trained"
    )
    command.add_argument("--curves", type=Path, required=True, help="table of training curves (Parquet)")
    command.add_argument("--output", type=Path, required=True, help="description of the models (JSON), beside models/")
    command.run(main)
