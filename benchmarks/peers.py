"""Time feature extraction and scoring against `traker` on the same checkpoints, targets and k, one thread.

    snakemake --cores all fashion_resnet
    pip install -c envs/constraints.txt .[peers]
    python benchmarks/peers.py results/demo/fashion_resnet --output benchmarks/peers.csv
    python benchmarks/peers.py results/demo/reviews_bert --members 1 --batches 20 100 --output benchmarks/peers_text.csv

Each contestant runs in a process of its own, which gives its peak memory, three times in turn, of which the least
seconds count; ours takes as many examples at a time as the experiment says (``execution.chunk``). Both use float32, the
same final checkpoints, the evaluated targets, and a ridge of the same size, relative to the kernel; `traker` projects
with its default for a CPU, dense normal numbers. Of an encoder above a frozen trunk it gets the whole network, with
gradients of the trained parameters alone, eager attention. LDS is measured on the evaluation bank; the interval of the
difference is of the same resamples.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")


def load(folder: Path, members: int):
    """Return (task, models, target rows, settings, ridge) of an experiment's folder."""
    from trakway.storage.files import read_json, read_table
    from trakway.tasks import build_task
    from trakway.training import load_model

    settings = read_json(folder / "provenance.json")["settings"] if (folder / "provenance.json").exists() else None
    settings = settings or read_json(folder / "settings.json")
    task = build_task(settings, folder / "data")
    models = []
    for path in sorted((folder / "train/members").glob("*-*.json")):
        shard = read_json(path)
        models += [load_model(task, path.parent / shard["folder"], model) for model in shard["models"]]
    targets = read_table(folder / "targets/targets.parquet")
    rows = targets.loc[targets["role"] == "evaluation", "row"].to_numpy()
    return task, models[:members], rows, settings, read_json(folder / "scores/trak.json")["ridge"]


def run_trakway(folder: Path, chunk: int, members: int, work: Path):
    """Return (scores, cost of features, cost of scoring)."""
    import numpy as np

    from trakway.attribution.material import Material
    from trakway.attribution.methods import trak
    from trakway.attribution.values import Features
    from trakway.features.extraction import Extractor, Member
    from trakway.runtime import resources
    from trakway.storage.files import read_array

    task, models, rows, settings, ridge = load(folder, members)
    projection = settings["projection"] | {"dim": 1024}
    members = [Member(i, "", lambda model=model: model) for i, model in enumerate(models)]
    with resources.measured() as features_cost:
        extractor = Extractor(task, members, projection, chunk)
        extractor.write_train(work)
        extractor.write_targets(work, rows)
    with resources.measured() as scoring_cost:
        train, targets, weights = (read_array(work / f"{name}.npy") for name in ("train", "targets", "weights"))
        features = [Features(train[m], targets[m], weights[m]) for m in range(len(members))]
        material = Material(settings["seed"], task.train_size, len(rows), features=features)
        out = np.lib.format.open_memmap(
            work / "scores.npy", mode="w+", dtype=np.float32, shape=(len(rows), task.train_size)
        )
        trak.score(material, out, ridge=ridge)
    return np.array(out), features_cost, scoring_cost


def run_traker(folder: Path, batch: int, members: int, work: Path):
    """Return (scores, cost of features, cost of scoring)."""
    import logging

    import numpy as np
    from trak import TRAKer

    from trakway.runtime import resources

    task, models, rows, settings, ridge = load(folder, members)
    peer = WholeEncoder(task, models) if hasattr(task, "encoding") else Plain(task, models)
    traker = TRAKer(
        model=peer.models[0],
        task=peer.name,
        grad_wrt=peer.trained,
        train_set_size=task.train_size,
        save_dir=str(work),
        device="cpu",
        proj_dim=1024,
        use_half_precision=False,
        logging_level=logging.ERROR,
    )
    states = [model.state_dict() for model in peer.models]
    train = [np.arange(start, min(start + batch, task.train_size)) for start in range(0, task.train_size, batch)]
    targets = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    with resources.measured() as features_cost:
        for member, state in enumerate(states):
            traker.load_checkpoint(state, model_id=member)
            for part in train:
                traker.featurize(batch=peer.batch("train", part), num_samples=len(part))
    with resources.measured() as scoring_cost:
        # Its ridge is absolute; the same one relative to the kernel's mean diagonal, taken from its first features.
        gradients = np.asarray(traker.saver.current_store["grads"], np.float64)
        traker.score_computer.lambda_reg = float(ridge * (gradients**2).sum() / gradients.shape[1])
        traker.finalize_features()
        for member, state in enumerate(states):
            traker.start_scoring_checkpoint("targets", state, member, num_targets=len(rows))
            for part in targets:
                traker.score(batch=peer.batch("test", part), num_samples=len(part))
        scores = traker.finalize_scores("targets")
    return np.asarray(scores, np.float32).T, features_cost, scoring_cost


class Plain:
    """What `traker` gets of a network that is trained as a whole."""

    name, trained = "image_classification", None

    def __init__(self, task, models):
        self.task, self.models = task, models

    def batch(self, split: str, rows):
        """Return examples as its output function takes them."""
        return self.task.batch(split, rows)


class WholeEncoder:
    """What it gets of an encoder of texts: the whole network from tokens to logits, trunk included."""

    name = "text_classification"

    def __init__(self, task, models):
        import dataclasses

        from torch import nn

        from trakway.models import transformer
        from trakway.tasks.encoding import forward

        class Logits(nn.Module):
            def __init__(self, network):
                super().__init__()
                self.network = network

            def forward(self, input_ids, token_type_ids, attention_mask):
                return forward(self.network, [input_ids, token_type_ids], attention_mask, True)

        layers, self.models = task.encoding.trained_layers, []
        for model in models:
            network, _ = transformer.load(task.model_settings["pretrained"], task.classes)
            self.models.append(Logits(transformer.with_trained(network, layers, model.state_dict())).eval())
        upper = {id(p) for p in transformer.layers_of(self.models[0].network)[-layers:].parameters()}
        base = self.models[0].network.base_model
        lower = {id(p) for p in base.parameters()} - upper - {id(p) for p in base.pooler.parameters()}
        self.trained = [name for name, p in self.models[0].named_parameters() if id(p) not in lower]
        self.task, self.tokens = task, dataclasses.replace(task.encoding, trained_layers=None)

    def batch(self, split: str, rows):
        """Return examples as its output function takes them: tokens, types, mask, labels."""
        import torch

        inputs, present = self.tokens.padded(split, rows)
        return *map(torch.from_numpy, inputs), torch.from_numpy(present), self.task.labels[split][torch.as_tensor(rows)]


def contest(folder: Path, name: str, batch: int, members: int, output: Path) -> None:
    """Run one contestant in this process and write its scores and costs."""
    import numpy as np
    import torch

    from trakway.runtime import memory

    torch.set_num_threads(1)
    memory.keep_freed_memory()  # as the workflow's scripts do, and for whoever runs
    with tempfile.TemporaryDirectory() as work:
        scores, features, scoring = {"trakway": run_trakway, "traker": run_traker}[name](
            folder, batch, members, Path(work)
        )
    np.save(output, scores, allow_pickle=False)
    output.with_suffix(".json").write_text(json.dumps({"features": features, "scoring": scoring}))


def main() -> None:
    """Run all contestants one after the other and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an experiment's folder, e.g. results/demo/fashion_resnet")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/peers.csv"))
    parser.add_argument("--members", type=int, help="how many of the members; all by default")
    parser.add_argument("--batches", type=int, nargs="+", default=[100, 500], help="of `traker`")
    parser.add_argument("--contestant", nargs=2, metavar=("NAME", "BATCH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        name, batch = arguments.contestant
        contest(arguments.folder, name, int(batch), arguments.members, arguments.output)
        return

    import numpy as np
    import pandas as pd
    from machine import least

    from trakway.attribution.reading import load_outputs
    from trakway.metrics.lds import evaluate, predicted
    from trakway.storage.files import read_array, read_json, read_table, write_table

    predictions = {}
    masks = read_array(arguments.folder / "subsets/evaluation.npy")
    with tempfile.TemporaryDirectory() as scratch:

        def run(case: tuple[str, int]) -> dict:
            name, batch = case
            output = Path(scratch) / f"{name}-{batch}.npy"
            command = [sys.executable, __file__, str(arguments.folder), "--contestant", name, str(batch)]
            command += ["--members", str(arguments.members)] if arguments.members else []
            alone = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
            subprocess.run([*command, "--output", str(output)], check=True, env=alone)
            cost = read_json(output.with_suffix(".json"))
            predictions[f"{name}, batches of {batch}"] = predicted(np.load(output), masks)
            return {
                "program": name,
                "batch": batch,
                "features_cpu_seconds": cost["features"]["cpu_seconds"],
                "scoring_cpu_seconds": cost["scoring"]["cpu_seconds"],
                "cpu_seconds": cost["features"]["cpu_seconds"] + cost["scoring"]["cpu_seconds"],
                "peak_mb": cost["scoring"]["peak_mb"],
            }

        settings = read_json(arguments.folder / "provenance.json")["settings"]
        ours = settings["execution"]["chunk"]
        rows = least([("trakway", ours), *(("traker", batch) for batch in arguments.batches)], run)
    shards = sorted((arguments.folder / "outputs/evaluation").glob("*.npy"))
    outputs = load_outputs(shards, len(masks))[:, :, : settings["targets"]["count"]]
    targets = read_table(arguments.folder / "targets/targets.parquet")
    tables = evaluate(predictions, outputs, targets, seed=settings["seed"])
    measured = tables.lds.set_index("method").loc[list(predictions), ["lds", "lds_low", "lds_high"]]
    table = pd.DataFrame(rows.values()).join(measured.reset_index(drop=True))
    table["times_our_cpu"] = table["cpu_seconds"] / table["cpu_seconds"].iloc[0]
    write_table(arguments.output, table.round(4))
    print(table.round(3).to_string(index=False))
    print(tables.pairs.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
