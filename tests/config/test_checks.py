import pytest

from trakway.config import load_experiment
from trakway.errors import UserError

# (changes to a good experiment, key, found, words of what is allowed or advised)
FAULTS = {
    "imagenet needs a size": ({"dataset": {"name": "imagenet"}}, "dataset.image_size", "null (the default)", ">= 8"),
    "more digits than there are": (
        {"dataset": {"name": "digits", "classes": None, "train_size": 1199}},
        "dataset.train_size",
        "1199",
        "at most 1198 for digits",
    ),
    "more test digits than there are": (
        {"dataset": {"name": "digits", "classes": None, "test_size": 600}},
        "dataset.test_size",
        "600",
        "at most 599 for digits",
    ),
    "captioned pictures of many sizes": (
        {"dataset": {"name": "captioned_folder"}},
        "dataset.image_size",
        "null (the default)",
        ">= 8",
    ),
    "pictures that are not there": (
        {"dataset": {"name": "image_folder", "path": "nowhere", "image_size": 8}},
        "dataset.path",
        "nowhere",
        "a file or folder that is there",
    ),
    "test pictures that are not there": (
        {"dataset": {"name": "captioned_folder", "path": ".", "test": "nowhere", "image_size": 8}},
        "dataset.test",
        "nowhere",
        "a file or folder that is there",
    ),
    "options of emoji": (
        {"dataset": {"name": "emoji", "variants": "all"}},
        "dataset.variants",
        "all",
        "true or false",
    ),
    "resnet_small without widths": ({"model": {"widths": []}}, "model.widths", "[]", "[16, 32, 64]"),
    "widths of another kind": ({"model": {"widths": [8, "16"]}}, "model.widths", '[8, "16"]', "each a whole number"),
    "widths elsewhere": (
        {"model": {"name": "resnet9", "widths": [8]}},
        "model.widths",
        "[8]",
        "options of resnet9: scale",
    ),
    "attention elsewhere": ({"model": {"attention": []}}, "model.attention", "[]", "options of resnet_small: widths"),
    "layers elsewhere": ({"model": {"layers": 2}}, "model.layers", "2", "options of resnet_small: widths"),
    "groups elsewhere": ({"model": {"norm_groups": 8}}, "model.norm_groups", "8", "options of resnet_small: widths"),
    "identity with dim": ({"projection": {"kind": "identity", "dim": 9}}, "projection.dim", "9", "null for identity"),
    "sjlt without dim": ({"projection": {"dim": None}}, "projection.dim", "null", ">= 1 for sjlt"),
    "rademacher without dim": (
        {"projection": {"kind": "rademacher", "dim": None}},
        "projection.dim",
        "null",
        ">= 1 for rademacher",
    ),
    "nonzeros over dim": (
        {"projection": {"dim": 4, "nonzeros": 5}},
        "projection.nonzeros",
        "5",
        "at most projection.dim = 4",
    ),
    "nonzeros over a dim of the ablation": (
        {"projection": {"nonzeros": 5}, "ablation": {"dim": [4, 8]}},
        "projection.nonzeros",
        "5",
        "the smallest of ablation.dim, 4",
    ),
    "factored of rounded gradients": (
        {"projection": {"kind": "factored", "precision": "bfloat16"}},
        "projection.precision",
        "bfloat16",
        "float32 for factored",
    ),
    "factored of rounded gradients in the ablation": (
        {"projection": {"precision": "bfloat16"}, "ablation": {"projection": ["sjlt", "factored"]}},
        "projection.precision",
        "bfloat16",
        "float32 for factored",
    ),
    "factored of preconditioned gradients": (
        {"projection": {"kind": "factored", "preconditioner": "kronecker"}},
        "projection.preconditioner",
        "kronecker",
        "none with factored",
    ),
    "factored of preconditioned gradients in the ablation": (
        {"projection": {"preconditioner": "kronecker"}, "ablation": {"projection": ["sjlt", "factored"]}},
        "projection.preconditioner",
        "kronecker",
        "none with factored",
    ),
    "second moments of more examples than there are": (
        {"projection": {"preconditioner": "kronecker", "preconditioner_examples": 201}},
        "projection.preconditioner_examples",
        "201",
        "at most dataset.train_size = 200",
    ),
    "factored without dim": (
        {"projection": {"kind": "factored", "dim": None}},
        "projection.dim",
        "null",
        ">= 1 for factored",
    ),
    "members see nothing": (
        {"members": {"fraction": 0.001}, "training": {"batch_size": 1}},
        "members.fraction",
        "0.001",
        "1 to 199 examples, not 0",
    ),
    "members see everything": ({"members": {"fraction": 0.999}}, "members.fraction", "0.999", "not 200"),
    "bank subsets hold everything": ({"bank": {"fraction": 0.999}}, "bank.fraction", "0.999", "train_size = 200"),
    "removal of nothing": (
        {"removal": {"fractions": [0.1, 0.001]}},
        "removal.fractions[1]",
        "0.001",
        "1 to 199 examples, not 0",
    ),
    "batch over the members' subsets": (
        {"training": {"batch_size": 21}, "members": {"fraction": 0.1}},
        "training.batch_size",
        "21",
        "at most 20, the examples of the smallest training set (members.fraction",
    ),
    "batch over the bank's subsets": (
        {"training": {"batch_size": 21}, "bank": {"fraction": 0.1}},
        "training.batch_size",
        "21",
        "at most 20",
    ),
    "batch over what removal leaves": (
        {"training": {"batch_size": 21}, "removal": {"fractions": [0.1, 0.9]}},
        "training.batch_size",
        "21",
        "at most 20, the examples of the smallest training set (dataset.train_size less",
    ),
    "checkpoints over epochs": ({"training": {"checkpoints": 5}}, "training.checkpoints", "5", "training.epochs = 4"),
    "checkpoints over steps": (
        {"training": {"epochs": None, "steps": 1, "checkpoints": 2}},
        "training.checkpoints",
        "2",
        "at most training.steps = 1",
    ),
    "epochs and steps": (
        {"training": {"epochs": 4, "steps": 9}},
        "training.steps",
        "9",
        "null while training.epochs = 4",
    ),
    "neither epochs nor steps": (
        {"training": {"epochs": None}},
        "training.epochs",
        "null",
        "a whole number >= 1 while training.steps is null",
    ),
    "targets over the test split": (
        {"targets": {"count": 151}},
        "targets.count",
        "151",
        "151 + 50 at most dataset.test_size = 200",
    ),
    "removal targets": ({"removal": {"targets": 51}}, "removal.targets", "51", "at most targets.count = 50"),
    "displayed targets": ({"display": {"targets": 51}}, "display.targets", "51", "at most targets.count = 50"),
    "ridge without tuning": (
        {"targets": {"tuning": 0}, "scores": {"ridge": [0, 1]}},
        "scores.ridge",
        "[0.0, 1.0]",
        "held-out targets",
    ),
    "threshold without tuning": (
        {"targets": {"tuning": 0}, "scores": {"ridge": [1], "soft_threshold": [0, 1]}},
        "scores.soft_threshold",
        "[0.0, 1.0]",
        "held-out targets",
    ),
    "a choice of a method's own without tuning": (
        {
            "targets": {"tuning": 0},
            "scores": {"ridge": [1]},
            "methods": ["pixel", {"method": "trak", "options": {"weights": [True, False]}}],
            "removal": {"methods": ["trak"]},
        },
        "targets.tuning",
        "0",
        ">= 1, needed by the choice of options of trak.",
    ),
    "datamodel without a bank": (
        {"bank": {"estimation": {"subsets": 1}}, "methods": ["trak", "datamodel"], "scores": {"ridge": [1]}},
        "bank.estimation.subsets",
        "1",
        ">= 2, needed by the method datamodel.",
    ),
    "empirical influence without a bank": (
        {"bank": {"estimation": {"subsets": 0}}, "methods": ["trak", "empirical_influence"], "scores": {"ridge": [1]}},
        "bank.estimation.subsets",
        "0",
        "the method empirical_influence",
    ),
    "choice of ridge without a bank": (
        {"bank": {"estimation": {"subsets": 0}}, "methods": ["trak"]},
        "bank.estimation.subsets",
        "0",
        "the choice of options of trak",
    ),
    "a derivative at a place that is not computed": (
        {"methods": ["trak", {"name": "there", "method": "metagradient", "options": {"at": ["full", "middle"]}}]}
        | {"metagradient": {"at": ["full"]}},
        "metagradient.at",
        '["full"]',
        "middle among them, which the method there asks for",
    ),
    "a bank at a fixed seed that drops nobody": (
        {"bank": {"fixed": {"dropped": [0.5, 0.00001], "subsets": 3}}},
        "bank.fixed.dropped[1]",
        "1e-05",
        "examples, not 0",
    ),
    "a derivative of training in half precision": (
        {"methods": ["trak", "metagradient"], "training": {"precision": "bfloat16"}},
        "training.precision",
        '"bfloat16"',
        "float32 where training is differentiated",
    ),
    "a derivative from a step that is not computed": (
        {"methods": ["trak", {"name": "late", "method": "metagradient", "options": {"start": 0.7}}]}
        | {"metagradient": {"start": [0]}},
        "metagradient.start",
        "[0.0]",
        "0.7 among them, which the method late asks for",
    ),
    "no derivative where methods ask for it unless told": (
        {"methods": ["trak", "metagradient"], "metagradient": {"at": ["members"]}},
        "metagradient.at",
        '["members"]',
        "full among them, which the method metagradient asks for",
    ),
    "a damping that is not computed": (
        {
            "methods": ["trak", {"name": "ours", "method": "ekfac", "options": {"damping": 7}}],
            "scores": {"damping": [1]},
        },
        "scores.damping",
        "[1.0]",
        "7 among them, which the method ours asks for",
    ),
    "more differentiated runs than members": (
        {
            "methods": ["trak", {"name": "there", "method": "metagradient", "options": {"at": "members"}}],
            "metagradient": {"at": ["members"], "runs": 99},
        },
        "metagradient.runs",
        "99",
        "at most members.count = ",
    ),
    "removal of an absent method": (
        {"methods": ["trak", "pixel"], "removal": {"methods": ["trak", "tracin"]}},
        "removal.methods[1]",
        "tracin",
        "the names in methods: trak, pixel",
    ),
    "full grid of an absent method": (
        {"removal": {"methods": ["trak"], "full_grid": ["pixel"], "compare_fraction": 0.1}},
        "removal.full_grid[0]",
        "pixel",
        "the names in removal.methods: trak",
    ),
    "compare fraction needed": (
        {"removal": {"methods": ["trak", "pixel"], "full_grid": ["trak"]}},
        "removal.compare_fraction",
        "null (the default)",
        "one of removal.fractions: 0.02, 0.05, 0.1, 0.2.",
    ),
    "compare fraction elsewhere": (
        {"removal": {"compare_fraction": 0.3}},
        "removal.compare_fraction",
        "0.3",
        "0.2, or null",
    ),
    "ablation of more members": (
        {"members": {"count": 3}, "ablation": {"members": [1, 4]}},
        "ablation.members[1]",
        "4",
        "at most members.count = 3",
    ),
    "ablation of more checkpoints": (
        {"ablation": {"checkpoints": [2, 3]}},
        "ablation.checkpoints[1]",
        "3",
        "at most training.checkpoints = 2",
    ),
}


@pytest.mark.parametrize("where", ["top", "tier"])
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_alone_is_told_with_file_key_found_and_allowed(write, check_told, name, where):
    changes, *told = FAULTS[name]
    check_told(write(changes if where == "top" else {"tiers": {"demo": changes}}), where, *told)


@pytest.mark.parametrize("where", ["top", "tier"])
def test_data_of_one_class(write, check_told, tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)  # messages cut long paths
    (tmp_path / "mine.py").write_text(
        "from trakway.plan.datasets import Dataset\n\nDATASET = Dataset(classes=1)\n\n\ndef open_mine(dataset): pass\n"
    )
    name = "mine.py:open_mine"
    changes = {"dataset": {"name": name, "classes": None}}
    told = f"two classes at least for image_classification, where a classifier compares them; {name} has one"
    check_told(write(changes if where == "top" else {"tiers": {"demo": changes}}), where, "dataset.name", name, told)


# At the edge of each check, on the allowed side.
FINE = {
    "pictures with captions": {"dataset": {"name": "emoji", "variants": True, "classes": None}},
    "no widths elsewhere": {"model": {"name": "resnet50", "widths": None}},
    "identity": {"projection": {"kind": "identity"}},
    "nonzeros of another kind": {
        "projection": {"kind": "rademacher", "dim": 4, "nonzeros": 5},
        "ablation": {"projection": ["rademacher"]},
    },
    "factored": {"projection": {"kind": "factored"}, "ablation": {"projection": ["factored", "sjlt"]}},
    "preconditioned gradients": {
        "projection": {"preconditioner": "kronecker"},
        "ablation": {"preconditioner": ["none"]},
    },
    "second moments of all examples": {"projection": {"preconditioner": "kronecker", "preconditioner_examples": 200}},
    "second moments that nobody asks for": {"projection": {"preconditioner_examples": 201}},
    "rounded gradients": {"projection": {"precision": "bfloat16"}},
    "nonzeros = dim": {"projection": {"dim": 4, "nonzeros": 4}},
    "nonzeros = dim of the ablation": {"projection": {"nonzeros": 4}, "ablation": {"dim": [4]}},
    "one example": {"members": {"fraction": 0.005}, "training": {"batch_size": 1}},
    "all but one": {"bank": {"fraction": 0.995}},
    "unknown size": {
        "dataset": {"train_size": None},
        "members": {"fraction": 0.0001},
        "training": {"batch_size": 10**6},
    },
    "unknown test size": {"dataset": {"test_size": None}, "targets": {"count": 10**6}},
    "all test examples": {"targets": {"count": 150, "tuning": 50}},
    "batch = subset": {"training": {"batch_size": 100}},
    "checkpoints = steps": {"training": {"epochs": None, "steps": 2}},
    "all digits": {"dataset": {"name": "digits", "classes": None, "train_size": 1198, "test_size": 599}},
    "checkpoints = epochs": {"training": {"checkpoints": 4}},
    "all targets removed and shown": {"removal": {"targets": 50}, "display": {"targets": 50}},
    "one ridge, no tuning, no bank": {
        "targets": {"tuning": 0},
        "scores": {"ridge": [0]},
        "methods": ["trak"],
        "bank": {"estimation": {"subsets": 0}},
    },
    "pictures beside the experiment": {"dataset": {"name": "image_folder", "path": "mine.yaml", "image_size": 8}},
    "a folder to download into": {
        "dataset": {"name": "image_folder", "source": "download", "path": "nowhere", "image_size": 8}
    },
    "a folder of a set that may be downloaded": {
        "dataset": {"name": "cifar10", "path": "nowhere", "classes": ["cat", "dog"]}
    },
    "two subsets": {"bank": {"estimation": {"subsets": 2}, "evaluation": {"subsets": 2}}},
    "one fraction to compare": {
        "removal": {"methods": ["trak", "pixel"], "full_grid": ["trak"], "compare_fraction": 0.2}
    },
    "ablation up to the limit": {"ablation": {"members": [1, 10], "checkpoints": [1, 2]}},
}


@pytest.mark.parametrize("name", FINE)
def test_edges_are_allowed(write, name):
    load_experiment(write(FINE[name]), "demo")


def test_all_faults_are_told_at_once_beside_unknown_keys(write):
    changes = {
        "training": {"checkpoints": 5, "epoch": 3},
        "removal": {"targets": 60},
        "ablation": {"members": [11, 12]},
        "tiers": {"paper": {"members": {"count": 0}}},
    }
    with pytest.raises(UserError) as caught:
        load_experiment(write(changes), "demo")
    keys = {line.split(": ")[1] for line in str(caught.value).splitlines()}
    assert keys == {
        "training.epoch",
        "training.checkpoints",
        "removal.targets",
        "ablation.members[0]",
        "ablation.members[1]",
        "tiers.paper.members.count",
    }
