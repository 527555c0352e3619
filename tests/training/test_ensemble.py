import copy
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from trakway.errors import UserError
from trakway.storage.fingerprint import file_digest
from trakway.tasks import build_task
from trakway.training import Ensemble, load_checkpoint, load_model, train_shard
from trakway.training.ensemble import model_seed

SUBSETS = np.zeros((3, 40), bool)
SUBSETS[0, :20] = SUBSETS[1, 20:] = SUBSETS[2, ::2] = True


@pytest.fixture
def ensemble():
    return Ensemble("evaluation", SUBSETS, 2)


@pytest.fixture
def shard(task, ensemble, experiment, tmp_path):
    """Train models of the ensemble in a folder; for speed of one epoch each."""
    experiment["training"] |= {"epochs": 1, "checkpoints": 1}

    def shard(folder, indices=range(6), identity="id", task=task, ensemble=ensemble, **changes):
        return train_shard(task, ensemble, indices, experiment["training"] | changes, identity, tmp_path / folder)

    return shard


@pytest.fixture
def trained(task, monkeypatch):
    """The seeds of the models that are trained from now on."""
    seeds = []
    new_model = type(task).new_model
    monkeypatch.setattr(task, "new_model", lambda seed: seeds.append(seed) or new_model(task, seed))
    return seeds


@given(subsets=st.integers(1, 5), seeds=st.integers(1, 4), data=st.data())
def test_models_are_in_the_order_of_subsets(subsets, seeds, data):
    masks = np.random.default_rng(0).random((subsets, 30)) < 0.5
    ensemble = Ensemble("members", masks, seeds)
    assert len(ensemble) == subsets * seeds
    index = data.draw(st.integers(0, len(ensemble) - 1))
    assert ensemble.rows(index).tolist() == [row for row in range(30) if masks[index // seeds, row]]
    assert (ensemble.visited(index).tolist(), ensemble.weights(index)) == (ensemble.rows(index).tolist(), None)
    reweighted = Ensemble("members", masks, seeds, reweighted=True)
    assert reweighted.rows(index).tolist() == ensemble.rows(index).tolist()
    assert reweighted.visited(index).tolist() == list(range(30))
    np.testing.assert_array_equal(reweighted.weights(index), masks[index // seeds].astype(float))


def test_what_a_shard_says_of_its_models(shard, task, ensemble, tmp_path):
    models, curves, cost = shard("a", range(1, 6), epochs=3, checkpoints=2)
    assert [(m["index"], m["subset"], m["seed"], m["train_size"]) for m in models] == [
        (1, 0, 1, 20),
        (2, 1, 0, 20),
        (3, 1, 1, 20),
        (4, 2, 0, 20),
        (5, 2, 1, 20),
    ]
    assert [(row["index"], row["epoch"]) for row in curves] == [(i, e) for i in range(1, 6) for e in (1, 2, 3)]
    for model in models:
        index = model["index"]
        names = [f"{index:05d}.0.safetensors", f"{index:05d}.safetensors"]
        assert [entry["file"] for entry in model["checkpoints"]] == names
        assert [entry["sha256"] for entry in model["checkpoints"]] == [file_digest(tmp_path / "a" / n) for n in names]
        own = [row for row in curves if row["index"] == index]
        assert model["loss"] == own[-1]["loss"]
        rates = [row["learning_rate"] for row in own]
        assert model["learning_rates"] == pytest.approx([rates[0] + rates[1], rates[2]])  # after epochs 2 and 3
    assert json.loads(json.dumps(models)) == models
    records = [json.loads(path.read_text()) for path in sorted((tmp_path / "a").glob("*.json"))]
    assert cost["cpu_seconds"] == pytest.approx(sum(record["cost"]["cpu_seconds"] for record in records))
    assert len({model["checkpoints"][-1]["sha256"] for model in models}) == 5


def test_the_shards_cut_changes_no_model(shard, weights, tmp_path):
    whole = shard("whole")
    parts = [shard("parts", indices) for indices in (range(4, 6), range(0, 1), range(1, 4))]
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    models = sorted((model for part in parts for model in part[0]), key=lambda model: model["index"])
    assert models == whole[0]


def test_rows_outside_the_subset_are_never_seen(shard, task, ensemble, monkeypatch):
    seen = []
    train_batch = task.train_batch
    monkeypatch.setattr(task, "train_batch", lambda rows: seen.append(rows) or train_batch(rows))
    for index in range(6):
        seen.clear()
        shard("a", range(index, index + 1), epochs=2)
        assert set(np.concatenate(seen)) == set(np.flatnonzero(SUBSETS[index // 2]))


def test_pixels_outside_the_subset_change_nothing(shard, prepared, experiment, weights, tmp_path):
    shard("a", range(1))
    task = build_task(experiment, prepared)
    task.images["train"][20:] = torch.randn_like(task.images["train"][20:])
    task.labels["train"][20:] = 1 - task.labels["train"][20:]
    shard("b", range(1), task=task)
    task.images["train"][19] += 1
    shard("c", range(1), task=task)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_finished_models_are_taken_over(shard, trained, weights, tmp_path):
    first = shard("a")
    before = weights(tmp_path / "a")
    assert len(trained) == 6
    assert shard("a") == first  # the cost of the earlier process included
    assert len(trained) == 6
    assert weights(tmp_path / "a") == before


def test_many_checkpoints_are_taken_over_in_their_order(shard):
    first = shard("a", range(1), epochs=12, checkpoints=12)
    names = [entry["file"] for entry in first[0][0]["checkpoints"]]
    assert names == [f"00000.{i}.safetensors" for i in range(11)] + ["00000.safetensors"]
    assert shard("a", range(1), epochs=12, checkpoints=12) == first


def test_a_shard_killed_midway_keeps_what_is_finished(shard, task, trained, weights, tmp_path, kill_at, killed):
    expected = shard("whole")
    kill_at(2 * 3 + 1)  # in the fourth model
    trained.clear()
    with pytest.raises(killed):
        shard("cut")
    assert len(trained) == 4
    kill_at(None)
    trained.clear()
    again = shard("cut")
    assert trained == [task.training_seed("evaluation", index) for index in (3, 4, 5)]
    assert again[:2] == expected[:2]
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_a_model_without_its_record_is_not_finished(shard, trained, weights, tmp_path):
    shard("a", range(2))
    before = weights(tmp_path / "a")
    (tmp_path / "a" / "00001.json").unlink()  # killed after the checkpoint, before the record
    trained.clear()
    shard("a", range(2))
    assert len(trained) == 1
    assert weights(tmp_path / "a") == before


@pytest.mark.parametrize("change", ["identity", "training", "subsets", "name"])
def test_changed_settings_train_anew(shard, trained, weights, tmp_path, change):
    changed = {
        "identity": {"identity": "other"},
        "training": {"learning_rate": 0.03},
        "subsets": {"ensemble": Ensemble("evaluation", ~SUBSETS, 2)},
        "name": {"ensemble": Ensemble("members", SUBSETS, 2)},
    }[change]
    shard("a", range(2))
    trained.clear()
    models = shard("a", range(2), **changed)[0]
    assert len(trained) == 2
    assert models == shard("fresh", range(2), **changed)[0]
    assert weights(tmp_path / "a") == weights(tmp_path / "fresh")


@pytest.mark.parametrize("name", ["00000.safetensors", "00000.0.safetensors"])
@pytest.mark.parametrize("damage", ["truncated", "altered", "lost"])
def test_a_damaged_checkpoint_is_refused_and_trained_again(shard, task, trained, weights, tmp_path, name, damage):
    models = shard("a", range(2), epochs=2, checkpoints=2)[0]
    before = weights(tmp_path / "a")
    path = tmp_path / "a" / name
    content = path.read_bytes()
    checkpoint = [entry["file"] for entry in models[0]["checkpoints"]].index(name)
    if damage == "truncated":
        path.write_bytes(content[:-7])
    elif damage == "altered":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        path.unlink()
    with pytest.raises(UserError, match=rf"checkpoint .*{name}: not .*; train it again"):
        load_model(task, tmp_path / "a", models[0], checkpoint)
    load_model(task, tmp_path / "a", models[1], checkpoint)
    trained.clear()
    assert shard("a", range(2), epochs=2, checkpoints=2)[0] == models
    assert trained == [task.training_seed("evaluation", 0)]
    assert weights(tmp_path / "a") == before


def test_models_of_any_subset_take_the_same_steps(shard):
    subsets = np.arange(40) < np.array([[7], [25], [40]])
    settings = {"epochs": None, "steps": 5, "checkpoints": 2, "ensemble": Ensemble("members", subsets, 1)}
    models, curves, _ = shard("a", range(3), **settings)
    assert [model["train_size"] for model in models] == [7, 25, 40]
    # One batch of 7 an epoch, two of 10, four of 10.
    assert [row["epoch"] for row in curves] == [1, 2, 3, 4, 5, 1, 2, 3, 1, 2]
    steps = [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]
    rates = np.interp(steps, [0, 0.25, 1], [0, 0.1, 0])
    for model, visits in zip(models, (7 / 7, 10 / 25, 10 / 40), strict=True):
        np.testing.assert_allclose(model["learning_rates"], visits * np.array([rates[:2].sum(), rates[2:].sum()]))


@pytest.fixture
def denoisers(shard, denoising):
    """Train models in the format of diffusers."""
    changes = {"optimizer": "adamw", "learning_rate": 0.01, "epochs": None, "steps": 3, "checkpoints": 2, "ema": 0.5}
    return lambda folder, indices=range(2), **others: shard(folder, indices, task=denoising, **(changes | others))


def test_an_ensemble_in_folders_of_diffusers(denoisers, denoising, weights, tmp_path):
    from diffusers import DDPMScheduler, UNet2DModel

    models = denoisers("a")[0]
    assert denoisers("b")[0] == models
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    batch = denoising.train_batch(np.arange(5))
    outputs = []
    for model in models:
        names = [f"{model['index']:05d}.0", f"{model['index']:05d}"]
        assert [entry["file"] for entry in model["checkpoints"]] == names
        for checkpoint, name in enumerate(names):
            assert model["checkpoints"][checkpoint]["sha256"] == file_digest(tmp_path / "a" / name)
            loaded = load_model(denoising, tmp_path / "a", model, checkpoint)
            assert not loaded.training
            with torch.no_grad():
                outputs.append(denoising.output(loaded, batch))
                by_hand = UNet2DModel.from_pretrained(tmp_path / "a" / name)
                assert torch.equal(outputs[-1], denoising.output(by_hand, batch))
            assert DDPMScheduler.from_pretrained(tmp_path / "a" / name).config.num_train_timesteps == 100
    assert len({tuple(output.tolist()) for output in outputs}) == 4


@pytest.mark.parametrize("damage", ["altered", "lost", "added", "gone"])
@pytest.mark.parametrize("name", ["00000", "00000.0"])
def test_a_damaged_folder_is_refused_and_trained_again(denoisers, denoising, weights, tmp_path, name, damage):
    models = denoisers("a")[0]
    before = weights(tmp_path / "a")
    assert denoisers("a")[0] == models
    file = tmp_path / "a" / name / "diffusion_pytorch_model.safetensors"
    if damage == "altered":
        file.write_bytes(file.read_bytes()[:-1] + bytes([file.read_bytes()[-1] ^ 1]))
    elif damage == "lost":
        file.unlink()
    elif damage == "added":
        file.with_name("diffusion_pytorch_model.bin").write_bytes(b"")
    else:
        shutil.rmtree(tmp_path / "a" / name)
    checkpoint = [entry["file"] for entry in models[0]["checkpoints"]].index(name)
    with pytest.raises(UserError, match=rf"checkpoint .*a/{name}: not .*; train it again"):
        load_model(denoising, tmp_path / "a", models[0], checkpoint)
    assert denoisers("a")[0] == models
    assert weights(tmp_path / "a") == before


def test_a_loaded_model_is_the_one_that_was_trained(shard, task, tmp_path):
    models = shard("a", range(2), epochs=2, checkpoints=2)[0]
    batch = task.target_batch(np.arange(20))
    outputs = []
    for model in models:
        for checkpoint in (0, 1, -1):
            loaded = load_model(task, tmp_path / "a", model, checkpoint)
            assert not loaded.training
            by_hand = load_checkpoint(task, tmp_path / "a" / model["checkpoints"][checkpoint]["file"])
            with torch.no_grad():
                outputs.append(task.output(loaded, batch))
                assert torch.equal(outputs[-1], task.output(by_hand, batch))
    assert torch.equal(outputs[1], outputs[2])
    assert len({tuple(output.tolist()) for output in outputs}) == 4


def test_models_of_one_subset_differ_by_their_seed_alone(shard, task, weights, tmp_path, monkeypatch):
    shard("a", range(2))
    first, second = weights(tmp_path / "a").values()
    assert first != second
    monkeypatch.setattr(task, "training_seed", lambda ensemble, index: 5)
    shard("b", range(2))
    assert len(set(weights(tmp_path / "b").values())) == 1


ENSEMBLES = ("members", "evaluation", "estimation", "removal", "reference", "domain")


def seeds_of(task, name, subsets, seeds, paired):
    ensemble = Ensemble(name, np.ones((subsets, 40), bool), seeds)
    return [model_seed(task, ensemble, index, paired) for index in range(len(ensemble))]


class TestSeeds:
    def test_unpaired_all_differ(self, task):
        found = {name: seeds_of(task, name, 3, 2, False) for name in ENSEMBLES}
        assert found == {name: [task.training_seed(name, index) for index in range(6)] for name in ENSEMBLES}
        assert len(set(sum(found.values(), []))) == 6 * len(ENSEMBLES)

    @pytest.mark.parametrize("name", ["evaluation", "estimation", "removal"])
    def test_paired_models_share_a_seed_by_their_number_within_a_subset(self, task, name):
        first, second = seeds_of(task, name, 1, 2, True)
        assert first != second
        assert seeds_of(task, name, 3, 2, True) == [first, second] * 3
        assert {first, second}.isdisjoint(seeds_of(task, name, 3, 2, False))

    def test_removals_share_with_the_reference_and_with_no_other_ensemble(self, task):
        removal = seeds_of(task, "removal", 4, 2, True)
        assert seeds_of(task, "reference", 1, 3, True)[:2] == removal[:2]
        assert seeds_of(task, "reference", 1, 3, True)[2] not in removal
        banks = [set(seeds_of(task, name, 3, 2, True)) for name in ("evaluation", "estimation", "removal")]
        assert len(set.union(*banks)) == 6

    @pytest.mark.parametrize("paired", [False, True])
    @pytest.mark.parametrize("name", ["fixed", "reference_fixed", "removal_fixed"])
    def test_fixed_ones_have_those_of_the_first_differentiated_runs(self, task, paired, name):
        first, second = (task.training_seed("metagradient", run) for run in range(2))
        assert seeds_of(task, name, 3, 2, paired) == [first, second] * 3

    @pytest.mark.parametrize("name", ["members", "domain"])
    def test_members_are_never_paired(self, task, name):
        assert seeds_of(task, name, 3, 2, True) == seeds_of(task, name, 3, 2, False)


class TestPairing:
    """Two subsets of 18 of the 24 digits, which share 12; three batches of six an epoch."""

    SUBSETS = np.zeros((2, 24), bool)
    SUBSETS[0, :18] = SUBSETS[1, 6:] = True

    @pytest.fixture
    def batches(self, shard, diffusion_task, monkeypatch):
        """Train a model of each subset; returns their seeds, and for each step the rows and the batch."""

        def batches(paired):
            task, seeds, steps = diffusion_task(), [], []
            new_model, training_batch = task.new_model, task.training_batch

            def spy(rows, *arguments):
                batch = training_batch(rows, *arguments)
                steps.append((rows.tolist(), batch))
                return batch

            monkeypatch.setattr(task, "new_model", lambda seed: seeds.append(seed) or new_model(seed))
            monkeypatch.setattr(task, "training_batch", spy)
            ensemble = Ensemble("evaluation", self.SUBSETS, 1)
            changes = {"epochs": 2, "batch_size": 6, "optimizer": "adamw", "learning_rate": 0.01, "paired": paired}
            shard(f"paired {paired}", range(2), task=task, ensemble=ensemble, **changes)
            assert len(steps) == 12
            return seeds, steps[:6], steps[6:]

        return batches

    @staticmethod
    def shared(steps):
        """The shared examples of each epoch in the order in which they are seen."""
        rows = [[row for rows, _ in steps[start : start + 3] for row in rows] for start in (0, 3)]
        assert all(len(set(epoch)) == 18 for epoch in rows)
        return [[row for row in epoch if 6 <= row < 18] for epoch in rows]

    def test_paired(self, batches):
        seeds, first, second = batches(True)
        assert seeds[0] == seeds[1]
        assert self.shared(first) == self.shared(second)
        assert self.shared(first)[0] != self.shared(first)[1]  # every epoch has an order of its own
        for (rows, one), (others, other) in zip(first, second, strict=True):
            assert rows != others
            assert torch.equal(one[1], other[1])  # timesteps
            assert torch.equal(one[2], other[2])  # noise
        assert len({tuple(batch[2].flatten().tolist()) for _, batch in first}) == 6

    def test_unpaired(self, batches):
        seeds, first, second = batches(False)
        assert seeds[0] != seeds[1]
        assert self.shared(first) != self.shared(second)
        assert not any(torch.equal(one[2], other[2]) for (_, one), (_, other) in zip(first, second, strict=True))

    def test_paired_models_of_equal_subsets_are_equal(self, shard, weights, tmp_path):
        every = np.ones((2, 40), bool)
        for name in ("reference", "removal", "members"):
            shard(name, range(2), ensemble=Ensemble(name, every, 1), paired=True)
        reference, removal, members = (weights(tmp_path / name) for name in ("reference", "removal", "members"))
        assert len(set(reference.values()) | set(removal.values())) == 1
        assert len(set(members.values())) == 2


class TestReweighted:
    def of(self, masks):
        return Ensemble("fixed", masks, 1, reweighted=True)

    def test_a_subset_of_all_is_an_ordinary_run(self, shard, weights, tmp_path):
        every = np.ones((1, 40), bool)
        shard("resampled", range(1), ensemble=Ensemble("fixed", every, 1))
        shard("reweighted", range(1), ensemble=self.of(every))
        assert weights(tmp_path / "resampled") == weights(tmp_path / "reweighted")

    @pytest.mark.parametrize("reweighted", [False, True])
    @pytest.mark.parametrize("norm", [nn.BatchNorm2d, lambda width: nn.GroupNorm(1, width)])
    def test_batch_norm_is_told_to_see_what_is_dropped(self, shard, task, monkeypatch, capsys, reweighted, norm):
        layers = [nn.Conv2d(1, 4, 3), norm(4), nn.Flatten(), nn.LazyLinear(10)]
        network = nn.Sequential(*layers)
        with torch.no_grad():
            network(task.train_batch(np.arange(2))[0])
        monkeypatch.setattr(task, "architecture", lambda: copy.deepcopy(network))
        shard("a", range(1), ensemble=Ensemble("fixed", SUBSETS, 1, reweighted))
        told = "note: the network has batch norm" in capsys.readouterr().out
        assert told == (reweighted and norm is nn.BatchNorm2d)

    def test_all_visit_the_same_and_what_is_dropped_does_not_count(self, shard, task, tmp_path, monkeypatch):
        """At weight 0, and divided by all of a batch."""
        visits, losses, training_batch, compute = [], [], task.training_batch, task.losses
        monkeypatch.setattr(
            task, "training_batch", lambda rows, rng: visits.append(rows.tolist()) or training_batch(rows, rng)
        )
        monkeypatch.setattr(task, "losses", lambda *given: losses.append(compute(*given)) or losses[-1])
        models, curves, _ = shard("a", range(3), ensemble=self.of(SUBSETS))
        assert [model["train_size"] for model in models] == [20, 20, 20]
        size = len(visits) // 3
        assert visits[:size] == visits[size : 2 * size] == visits[2 * size :]
        assert sorted(sum(visits[:size], [])) == list(range(40))
        for index, row in enumerate(curves):
            steps = range(index * size, (index + 1) * size)
            kept = [losses[step][SUBSETS[index][visits[step]]].sum().item() for step in steps]
            np.testing.assert_allclose(row["loss"], sum(kept) / 40, rtol=1e-5)

    def test_a_model_that_was_trained_on_the_subset_alone_is_another(self, shard, trained):
        for ensemble in (Ensemble("fixed", SUBSETS, 1), self.of(SUBSETS), self.of(SUBSETS)):
            shard("a", range(2), ensemble=ensemble)
        assert len(trained) == 4


def test_an_empty_subset_is_an_error(shard):
    with pytest.raises(UserError, match="evaluation: model 2 has an empty training subset; raise the subset fraction"):
        shard("a", range(6), ensemble=Ensemble("evaluation", SUBSETS * np.array([[1], [0], [1]], bool), 2))


def test_how_to_train_a_model_anew_within_a_run(shard, task, tmp_path):
    models = shard("models", range(2))[0]
    for name in ("00000-00001.json", "00001-00003.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "models" / "00001.safetensors").unlink()
    with pytest.raises(UserError, match=rf"not found; delete {tmp_path}/00001-00003.json and run again"):
        load_model(task, tmp_path / "models", models[1])
