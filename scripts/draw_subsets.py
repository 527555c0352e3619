"""Draw the random subsets of the training set that the models of an ensemble see; fraction 1 means all of it."""

from pathlib import Path

from trakway.runtime.command import Command


def main(arguments):
    import numpy as np

    from trakway.storage.files import read_json, write_array
    from trakway.subsets import random_subsets

    n = read_json(arguments.data / "meta.json")["counts"]["train"]
    several = len(arguments.fraction) > 1
    parts = [
        random_subsets(
            arguments.seed,
            f"{arguments.ensemble} {fraction}" if several else arguments.ensemble,
            n,
            arguments.count // len(arguments.fraction),
            fraction,
        )
        for fraction in arguments.fraction
    ]
    write_array(arguments.output, np.concatenate(parts))


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--ensemble", required=True, help="name of the ensemble; part of the seed")
    command.add_argument("--count", type=int, required=True, help="number of subsets in all")
    command.add_argument(
        "--fraction", type=float, nargs="+", required=True, help="shares of the training set; as many subsets of each"
    )
    command.add_argument("--seed", type=int, required=True, help="the experiment's seed")
    command.add_argument("--output", type=Path, required=True, help="bool .npy, subsets × n")
    command.run(main)
