"""Time the library in a notebook against `traker`: features and scores of a user's own model.

    pip install -c envs/constraints.txt .[peers]
    python benchmarks/library.py --output benchmarks/library.csv

A CNN of 38 thousand parameters, 500 digits, 5 checkpoints, 100 targets, k = 256, one thread. Each contestant runs in a
process of its own, three times in turn, of which the least CPU seconds count: of the second call, when loops are
compiled and libraries loaded. The first call's are given too. Both use float32 and a ridge of the same size, relative
to the kernel; `traker` projects with its default for a CPU, dense normal numbers.
"""

import argparse
import json
import logging
import os
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
CONTESTANTS = [("trakway", 50), ("traker", 50), ("traker", 100), ("traker", 500)]
TRAIN, TARGETS, MEMBERS, DIM, RIDGE = 500, 100, 5, 256, 0.1


def build():
    """Return an untrained CNN."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 70), nn.ReLU(), nn.Linear(70, 10),
    )  # fmt: skip


def digits():
    """Return (x, y) of training examples and of targets."""
    import numpy as np
    import torch
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))[: TRAIN + TARGETS]
    x = torch.tensor(data.images[order, None] / 16, dtype=torch.float32)
    y = torch.tensor(data.target[order])
    return (x[:TRAIN], y[:TRAIN]), (x[TRAIN:], y[TRAIN:])


def trakway(states: list, chunk: int):
    """Return scores (targets, n) by the library."""
    import trakway as tw

    train, targets = digits()
    task = tw.task(build, train=train, targets=targets, device="cpu")
    features = tw.featurize(task, tw.load(task, states), dim=DIM, chunk=chunk)
    return tw.score("trak", features, ridge=RIDGE)


def traker(states: list, batch: int):
    """Return scores (targets, n) by `traker`."""
    import numpy as np
    from trak import TRAKer

    train, targets = digits()
    with tempfile.TemporaryDirectory() as work:
        tracer = TRAKer(
            model=build().eval(), task="image_classification", train_set_size=TRAIN, save_dir=work, device="cpu",
            proj_dim=DIM, use_half_precision=False, logging_level=logging.ERROR,
        )  # fmt: skip
        for member, state in enumerate(states):
            tracer.load_checkpoint(state, model_id=member)
            for start in range(0, TRAIN, batch):
                part = [tensor[start : start + batch] for tensor in train]
                tracer.featurize(batch=part, num_samples=len(part[0]))
        # Its ridge is absolute; the same one relative to the kernel's mean diagonal, taken from its first features.
        gradients = np.asarray(tracer.saver.current_store["grads"], np.float64)
        tracer.score_computer.lambda_reg = float(RIDGE * (gradients**2).sum() / gradients.shape[1])
        tracer.finalize_features()
        for member, state in enumerate(states):
            tracer.start_scoring_checkpoint("targets", state, member, num_targets=TARGETS)
            tracer.score(batch=targets, num_samples=TARGETS)
        return np.asarray(tracer.finalize_scores("targets"), np.float32).T


def one(name: str, batch: int, folder: str) -> dict:
    """Run one contestant twice in this process; returns what both calls cost, and the LDS of the scores.

    Args:
        name: of the contestant.
        batch: examples at a time.
        folder: where the models are, or go: the first process trains them for all.
    """
    import torch
    from machine import peak_mb

    import trakway as tw
    from trakway.runtime import resources

    torch.set_num_threads(1)
    train, targets = digits()
    task = tw.task(build, train=train, targets=targets, device="cpu")
    masks = tw.random_subsets(0, "members", TRAIN, MEMBERS, 0.5)
    members = tw.train(task, masks, epochs=20, learning_rate=0.02, folder=folder)
    states = [model.state_dict() for model in members]
    bank = tw.random_subsets(0, "evaluation", TRAIN, 40, 0.5)
    outputs = tw.evaluate(task, tw.train(task, bank, name="evaluation", folder=folder))
    costs = []
    for _ in range(2):
        with resources.measured() as cost:
            scores = {"trakway": trakway, "traker": traker}[name](states, batch)
        costs.append(cost)
    return {
        "program": name,
        "batch": batch,
        "parameters": sum(parameter.numel() for parameter in build().parameters()),
        "cpu_seconds": costs[1]["cpu_seconds"],
        "first_cpu_seconds": costs[0]["cpu_seconds"],
        "peak_mb": peak_mb(),
        "lds": float(tw.lds({name: scores}, bank, outputs)["lds"][0]),
    }


def main() -> None:
    """Run all contestants in turn and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/library.csv"))
    parser.add_argument("--one", metavar="CASE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(*json.loads(arguments.one))))
        return

    import pandas as pd
    from machine import alone, least, made

    from trakway.storage.files import write_table

    with tempfile.TemporaryDirectory() as folder:
        rows = least(CONTESTANTS, lambda case: alone([*case, folder]))
    table = pd.DataFrame(rows.values())
    table["times_our_cpu"] = table["cpu_seconds"] / table["cpu_seconds"].iloc[0]
    print(table.round(3).to_string(index=False))
    note = "k 256, 5 members, 500 examples, 100 targets; the second call in a process counts"
    write_table(arguments.output, table.round(4).assign(**made("torch", "numba", "traker", note=note)))


if __name__ == "__main__":
    main()
