import pytest

from trakway.config import deep_merge, load_experiment
from trakway.config.steps_checks import NEEDED, OWN
from trakway.errors import UserError

PATCH = {"name": "top", "timestep": 300, "box": [0, 0, 4, 8]}


def patches(*changes):
    return {"journey": {"patches": [PATCH | change for change in changes]}}


# (changes to a good diffusion experiment, key, found, words of what is allowed or advised)
FAULTS = {
    "a classifier": (
        {"model": {"name": "resnet9", "widths": None, "layers": None, "attention": None, "norm_groups": None}},
        "model.name",
        "resnet9",
        "for the task image_diffusion: unet, FILE.py:NAME",
    ),
    "no domain": ({"domain": None}, "domain", "null", "a mapping with model and training"),
    "a domain of noise": (
        {"domain": {"model": {"name": "unet"}}},
        "domain.model.name",
        "unet",
        "for the task image_classification: resnet_small, resnet9,",
    ),
    "no widths": ({"model": {"widths": []}}, "model.widths", "[]", "a list of channels, one a stage"),
    "no layers": ({"model": {"layers": 0}}, "model.layers", "0", "a whole number >= 1"),
    "no groups": ({"model": {"norm_groups": 0}}, "model.norm_groups", "0", "a whole number >= 1"),
    "half a layer": ({"model": {"layers": 1.5}}, "model.layers", "1.5", "a whole number"),
    "groups that do not divide": (
        {"model": {"widths": [8, 12, 16], "norm_groups": 8}},
        "model.norm_groups",
        "8",
        "a divisor of every one of widths: 8, 12, 16",
    ),
    "attention at no stage": (
        {"model": {"attention": [8, 3]}},
        "model.attention[1]",
        "3",
        "the sides of the stages' feature maps: 8, 4, 2.",
    ),
    "attention at a side of larger images": (
        {"dataset": {"image_size": 16}, "model": {"attention": [16, 2]}},
        "model.attention[1]",
        "2",
        "feature maps: 16, 8, 4.",
    ),
    "too many stages": (
        {"dataset": {"image_size": 18}, "model": {"widths": [8, 16, 16], "attention": []}},
        "model.widths",
        "[8, 16, 16]",
        "halve a side of 18, not 2 times",
    ),
    "augmentation": (
        {"training": {"augmentation": "flip"}},
        "training.augmentation",
        "flip",
        "for the task image_diffusion: none",
    ),
    "epochs and steps of the domain": (
        {"domain": {"training": {"epochs": 3, "steps": 9}}},
        "domain.training.steps",
        "9",
        "null while domain.training.epochs = 3",
    ),
    "checkpoints of the domain": (
        {"domain": {"training": {"epochs": 3, "checkpoints": 4}}},
        "domain.training.checkpoints",
        "4",
        "at most domain.training.epochs = 3",
    ),
    "widths of the domain": (
        {"domain": {"model": {"widths": []}}},
        "domain.model.widths",
        "[]",
        "a list of channels, each a whole number >= 1",
    ),
    "batch of the domain": (
        {"domain": {"training": {"batch_size": 201}}},
        "domain.training.batch_size",
        "201",
        "at most dataset.train_size = 200",
    ),
    "sampling steps": (
        {"diffusion": {"sampling_steps": 300}},
        "diffusion.sampling_steps",
        "300",
        "a divisor of diffusion.timesteps = 1000",
    ),
    "no steps": (
        {"journey": {"timesteps": None}},
        "journey.timesteps",
        "null",
        "a list of steps to attribute for the task image_diffusion",
    ),
    "a step between": (
        {"journey": {"timesteps": [300, 505]}},
        "journey.timesteps[1]",
        "505",
        "a multiple of diffusion.timesteps / diffusion.sampling_steps = 10, above 0 and below 1000",
    ),
    "a step after the last": (
        {"journey": {"timesteps": [300, 1000]}},
        "journey.timesteps[1]",
        "1000",
        "above 0 and below 1000",
    ),
    "a window over everything": ({"journey": {"window": 1001}}, "journey.window", "1001", "diffusion.timesteps = 1000"),
    "no steps of the removal": (
        {"removal": {"timesteps": None}},
        "removal.timesteps",
        "null",
        "a list of those of journey.timesteps",
    ),
    "removal elsewhere": (
        {"removal": {"timesteps": [300, 200]}},
        "removal.timesteps[1]",
        "200",
        "those of journey.timesteps: 100, 300, 500.",
    ),
    "a patch elsewhere": (
        patches({"timestep": 200}),
        "journey.patches[0].timestep",
        "200",
        "one of journey.timesteps: 100, 300, 500.",
    ),
    "two patches of one name": (
        patches({}, {"box": [4, 0, 4, 8]}),
        "journey.patches[1].name",
        "top",
        "a name that no other patch has",
    ),
    "a patch below the image": (
        patches({"box": [5, 0, 4, 8]}),
        "journey.patches[0].box",
        "[5, 0, 4, 8]",
        "within an image of 8 pixels a side",
    ),
    "a patch beside the image": (
        patches({"box": [0, 1, 4, 8]}),
        "journey.patches[0].box",
        "[0, 1, 4, 8]",
        "of 8 pixels",
    ),
    "a patch of nothing": (patches({"box": [0, 0, 0, 8]}), "journey.patches[0].box", "[0, 0, 0, 8]", "height >= 1"),
    "more real images than there are": (
        {"targets": {"real": 101}},
        "targets.real",
        "101",
        "at most dataset.test_size = 100",
    ),
    "more targets to remove for than there are": (
        {"removal": {"targets": 51}},
        "removal.targets",
        "51",
        "at most targets.count = 50",
    ),
    "other numbers of checkpoints": (
        {"members": {"checkpoints": [".", ".."]}, "training": {"checkpoints": 1}},
        "members.count",
        "10 (the default)",
        "2, the number of members.checkpoints",
    ),
    "a checkpoint that is not there": (
        {"members": {"count": 2, "checkpoints": [".", "nowhere"]}, "training": {"checkpoints": 1}}
        | {"ablation": {"members": [2], "checkpoints": [1]}, "cost": {"fractions": [1.0]}},
        "members.checkpoints[1]",
        "nowhere",
        "a file or folder that is there",
    ),
}


@pytest.mark.parametrize("where", ["top", "tier"])
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_alone_is_told_with_file_key_found_and_allowed(write_diffusion, check_told, name, where):
    changes, *told = FAULTS[name]
    check_told(write_diffusion(changes if where == "top" else {"tiers": {"demo": changes}}), where, *told)


# At the edge of each check, on the allowed side.
FINE = {
    "as it is": {},
    "attention nowhere": {"model": {"attention": []}},
    "attention at every stage": {"model": {"attention": [2, 4, 8]}},
    "larger images": {"dataset": {"image_size": 16}, "model": {"attention": [16]}},
    "images of unknown size": {
        "dataset": {"name": "fashion_mnist", "image_size": None},
        "model": {"attention": [28, 14, 7]},
    },
    "steps of both networks": {"training": {"epochs": None, "steps": 7}, "domain": {"training": {"steps": 9}}},
    "batch of the domain": {"domain": {"training": {"batch_size": 200}}},
    "an average of both networks": {"training": {"ema": 0.99}, "domain": {"training": {"ema": 0.5}}},
    "other sampling steps": {"diffusion": {"sampling_steps": 10}},
    "every step": {
        "diffusion": {"sampling_steps": 1000},
        "journey": {"timesteps": [1, 505, 999], "patches": []},
        "removal": {"timesteps": [999, 1]},
    },
    "a window over everything": {"journey": {"window": 1000}},
    "patches up to the border": patches({"box": [4, 0, 4, 8]}, {"name": "pixel", "box": [7, 7, 1, 1], "timestep": 100}),
    "all test images": {"targets": {"real": 100}},
    "more generated than test images": {"targets": {"count": 500, "tuning": 500}},
    "no real images": {"targets": {"real": 0}},
    "own checkpoints": {
        "members": {"count": 2, "checkpoints": [".", ".."]},
        "training": {"checkpoints": 1},
        "ablation": {"members": [2], "checkpoints": [1]},
    },
}


@pytest.mark.parametrize("name", FINE)
def test_edges_are_allowed(write_diffusion, name):
    load_experiment(write_diffusion(FINE[name]), "demo")


# Images of 16 pixels become latents of 8, which the network halves once.
LATENT = {
    "task": "latent_diffusion",
    "dataset": {"name": "fashion_captions", "image_size": 16},
    "autoencoder": {"model": {"name": "autoencoder", "widths": [8, 8]}},
    "model": {"name": "unet_text", "widths": [8, 16], "layers": 1, "attention": [4], "norm_groups": 4},
    "journey": {"timesteps": [100, 300, 500], "patches": []},
}

LATENT_FAULTS = {
    "attention at no stage": ({"model": {"attention": [4, 16]}}, "model.attention[1]", "16", "feature maps: 8, 4."),
    "too many stages": (
        {"dataset": {"image_size": 18}, "model": {"attention": []}},
        "model.widths",
        "[8, 16]",
        "halve a side of 9, not 1 times",
    ),
    "too many stages of the autoencoder": (
        {"dataset": {"image_size": 18}, "autoencoder": {"model": {"widths": [8, 8, 8]}}},
        "autoencoder.model.widths",
        "[8, 8, 8]",
        "halve a side of 18, not 2 times",
    ),
    "no such folder of a text encoder": (
        {"model": {"text_encoder": "./nowhere"}},
        "model.text_encoder",
        "./nowhere",
        "a folder that is there, a name on the hub, or minilm",
    ),
    "a text encoder misspelt": (
        {"model": {"text_encoder": "minlm"}},
        "model.text_encoder",
        "minlm",
        'a folder that is there, a name on the hub, or minilm. Did you mean "minilm"?',
    ),
    "an autoencoder that is not there": (
        {"dataset": {"name": "emoji"}, "autoencoder": {"model": None, "pretrained": "vae"}},
        "autoencoder.pretrained",
        "vae",
        "a file or folder that is there",
    ),
    "texts longer than the encoder takes": ({"model": {"max_length": 1000}}, "model.max_length", "1000", "at most 512"),
    "guided without captions ever left out": (
        {"diffusion": {"guidance": 2, "caption_dropout": 0}},
        "diffusion.caption_dropout",
        "0.0",
        "more than 0 with diffusion.guidance = 2",
    ),
    "no width of texts": ({"model": {"text_width": 0}}, "model.text_width", "0", "a whole number >= 1, or null"),
    "words for a width of texts": ({"model": {"text_width": "wide"}}, "model.text_width", "wide", "a whole number"),
}


@pytest.mark.parametrize("name", LATENT_FAULTS)
def test_faults_of_networks_on_latents(write_diffusion, check_told, name):
    changes, *told = LATENT_FAULTS[name]
    check_told(write_diffusion(deep_merge(LATENT, changes)), "top", *told)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": {"attention": [8, 4], "text_width": 8}},
        {"diffusion": {"guidance": 1, "caption_dropout": 0}},
        {"diffusion": {"guidance": 2, "caption_dropout": 0.1}},
        {"model": {"attention": [64]}, "autoencoder": {"model": None, "pretrained": "."}},
        # The folders of large sets may lie on another machine.
        {"dataset": {"name": "coco_captions", "path": "coco"}, "autoencoder": {"model": None, "pretrained": "vae"}},
    ],
)
def test_networks_on_latents_are_allowed(write_diffusion, changes):
    load_experiment(write_diffusion(deep_merge(LATENT, changes)), "demo")


OTHER = {
    "autoencoder": {"autoencoder": {"pretrained": "vae"}},
    "domain": {"domain": {"model": {"name": "resnet9"}}},
    "journey.timesteps": {"journey": {"timesteps": [300]}},
    "journey.patches": patches({}),
    "targets.real": {"targets": {"real": 1}},
    "targets.captions": {"targets": {"captions": ["a coat"]}},
    "targets.exchanged": {"targets": {"exchanged": 1}},
    "removal.timesteps": {"removal": {"timesteps": [300]}},
}


def test_what_the_task_has_alone():
    assert set(OTHER) == set(OWN) > set(NEEDED)


@pytest.mark.parametrize("key", OTHER)
@pytest.mark.parametrize("where", ["top", "tier"])
def test_other_tasks_have_nothing_of_it(write, key, where):
    path = write(OTHER[key] if where == "top" else {"tiers": {"demo": OTHER[key]}})
    with pytest.raises(UserError) as caught:
        load_experiment(path, "demo")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: {'tiers.demo.' if where == 'tier' else ''}{key}: found ")
    none = "null" if OWN[key] is None else OWN[key]
    assert f"; allowed: {none} for the task image_classification, which has no steps. Remove the key" in line


def test_other_tasks_have_no_unet(write, check_told):
    path = write({"model": {"name": "unet"}})
    check_told(path, "top", "model.name", "unet", "for the task image_classification: resnet_small")
