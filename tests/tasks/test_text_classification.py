import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from trakway.data.texts import TextData
from trakway.errors import UserError
from trakway.gradients import per_example, per_example_gradients, projected_gradients, shapes
from trakway.gradients.per_example import layerwise
from trakway.models.first_token import FirstToken
from trakway.projection.build import build_projection
from trakway.storage.fingerprint import file_digest
from trakway.tasks.margin import margin
from trakway.tasks.text_classification import TextClassification
from trakway.training import adopt, load_model

LAYERS = [1, 2, None]


def settings_of(folder, layers, **options):
    model = {
        "name": "transformer",
        "pretrained": str(folder),
        "trained_layers": layers,
        "max_length": 16,
        "dropout": 0.0,
    }
    return {"seed": 0, "task": "text_classification", "model": model | options}


@pytest.fixture(scope="module")
def encoded(tiny_bert, sentences, tmp_path_factory):
    """Return a task whose texts are encoded, by the number of trained layers."""
    made = {}

    def encoded(layers, **options):
        key = (layers, *options.items())
        if key not in made:
            data = tmp_path_factory.mktemp("encoded") / "data"
            shutil.copytree(sentences, data)
            settings = settings_of(tiny_bert, layers, **options)
            TextClassification.encode(settings, data, "cpu")
            made[key] = TextClassification(settings, data), data
        return made[key]

    return encoded


def plain(folder, task, model, layers):
    """Return the whole network of plain transformers with a model's weights, and the tokeniser."""
    whole = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=torch.float32).eval()
    weights = whole.state_dict()
    first = 0 if layers is None else 3 - layers
    for name, tensor in model.state_dict().items():
        parts = name.split(".")
        if "layer" in parts:
            at = parts.index("layer") + 1
            parts[at] = str(int(parts[at]) + first)
        weights[".".join(parts)] = tensor
    whole.load_state_dict(weights)
    return whole, AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("layers", LAYERS)
def test_outputs_are_those_of_plain_transformers(tiny_bert, sentences, encoded, layers):
    task, _ = encoded(layers)
    model = task.new_model(3).eval()
    whole, tokenizer = plain(tiny_bert, task, model, layers)
    texts = TextData.load(sentences)
    for split, batch in (("train", task.train_batch), ("test", task.target_batch)):
        rows = np.array([5, 0, 3])
        given = tokenizer([texts.texts[split][row] for row in rows], padding=True, return_tensors="pt")
        labels = torch.tensor(texts.labels[split][rows])
        expected = margin(whole(**given).logits, labels)
        torch.testing.assert_close(task.output(model, batch(rows)), expected, rtol=1e-4, atol=1e-5)
        assert batch(rows)[-1].tolist() == labels.tolist()


@pytest.mark.parametrize("layers", LAYERS)
def test_what_is_trained(tiny_bert, encoded, layers):
    task, _ = encoded(layers)
    model = task.new_model(0)
    names = task.attributed(model)
    assert any("embeddings" in name for name in names) == (layers is None)
    assert len({name.split(".")[3] for name in names if ".layer." in name}) == (layers or 3)
    assert any("pooler" in name for name in names)
    one, other = task.new_model(0).state_dict(), task.new_model(1).state_dict()
    differ = [name for name in one if not torch.equal(one[name], other[name])]
    assert differ == ["classifier.weight"]  # all else is pretrained, and its bias starts at 0
    assert all(torch.equal(tensor, task.new_model(0).state_dict()[name]) for name, tensor in one.items())


@pytest.mark.parametrize("layers", LAYERS)
def test_gradients_are_a_loop_of_autograd_in_float64(encoded, monkeypatch, layers):
    task, _ = encoded(layers)
    model = task.new_model(1).eval().double()
    batch = tuple(t.double() if t.is_floating_point() else t for t in task.train_batch(np.arange(6)))
    outputs, found = layerwise(task, model, batch)
    parameters = [model.get_parameter(name) for name in task.attributed(model)]
    for row in range(6):
        f = task.output(model, tuple(tensor[row : row + 1] for tensor in batch))
        gradients = torch.autograd.grad(f[0], parameters, materialize_grads=True)
        expected = torch.cat([gradient.flatten() for gradient in gradients])
        torch.testing.assert_close(found[row].double(), expected, rtol=1e-5, atol=1e-6 * float(expected.abs().max()))
        assert float(outputs[row]) == pytest.approx(float(f), rel=1e-5)


@pytest.mark.parametrize("layers", LAYERS)
def test_the_layerwise_path_serves_the_whole_encoder(encoded, monkeypatch, layers):
    task, _ = encoded(layers)
    monkeypatch.setattr(per_example, "vmapped", None)
    model = task.new_model(1).eval()
    rows = per_example_gradients(task, model, task.train_batch(np.arange(5)))[1]
    assert rows.shape == (5, sum(model.get_parameter(name).numel() for name in task.attributed(model)))


@pytest.mark.parametrize("layers", LAYERS)
def test_factored_features_are_products_of_the_gradients(encoded, layers):
    task, _ = encoded(layers)
    model = task.new_model(1).eval()
    batch = task.train_batch(np.arange(5))
    seen = shapes(model, task.attributed(model))
    projection = build_projection({"kind": "factored", "dim": 64}, sum(map(int, map(np.prod, seen))), 0, 0, seen)
    _, gradients = per_example_gradients(task, model, batch)
    products = torch.zeros(5, *projection.side_sizes)
    others, start = [], 0
    for shape, sides in zip(seen, projection.sides(gradients), strict=True):
        part = gradients[:, start : start + int(np.prod(shape))]
        start += part.shape[1]
        if len(shape) == 2:
            outward, inward = sides
            products += outward.T @ part.view(5, *shape) @ inward
        else:
            others.append(part)
    expected = projection.combine(products, torch.cat(others, 1))
    found = projected_gradients(task, model, batch, projection)[1]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_the_company_of_a_text_changes_nothing(encoded):
    """Padding to the longest of a batch is not seen."""
    for layers in LAYERS:
        task, _ = encoded(layers)
        model = task.new_model(2).eval()
        together = task.output(model, task.train_batch(np.arange(16)))
        alone = torch.cat([task.output(model, task.train_batch(np.array([row]))) for row in range(16)])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_dropout_is_in_training_alone(encoded):
    task, _ = encoded(1, dropout=0.5)
    model, batch = task.new_model(0), task.train_batch(np.arange(8))
    assert not torch.equal(task.output(model.train(), batch), task.output(model, batch))
    assert torch.equal(task.output(model.eval(), batch), task.output(model, batch))


def test_an_exported_model_is_one_of_plain_transformers(encoded, sentences, tmp_path):
    for layers in LAYERS:
        task, _ = encoded(layers)
        model = task.new_model(4).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.01)
        task.export(model, tmp_path / str(layers))
        whole = AutoModelForSequenceClassification.from_pretrained(tmp_path / str(layers)).eval()
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / str(layers))
        texts = TextData.load(sentences)
        found = whole(**tokenizer(texts.texts["test"], padding=True, return_tensors="pt")).logits
        rows = np.arange(len(found))
        torch.testing.assert_close(found, task.logits(model, task.batch("test", rows)), rtol=1e-4, atol=1e-5)
        assert whole.config.id2label == {0: "blame", 1: "praise"}
        (adopted,), *_ = adopt(task, [tmp_path / str(layers)], range(1))
        again = load_model(task, tmp_path, adopted)
        torch.testing.assert_close(again.state_dict(), model.state_dict())


def test_folders_that_are_no_members(encoded, tiny_bert, tmp_path):
    task, _ = encoded(1)
    with pytest.raises(
        UserError, match=r"found no weights for classifier.bias, classifier.weight; give models fine-tuned"
    ):
        adopt(task, [tiny_bert], range(1))
    task.export(task.new_model(0), tmp_path / "good")
    other = AutoModelForSequenceClassification.from_pretrained(tmp_path / "good")
    with torch.no_grad():
        other.bert.encoder.layer[0].output.dense.weight[0] += 0.5
    other.save_pretrained(tmp_path / "trunk")
    with pytest.raises(UserError, match=r"layers below the upper 1 \(model.trained_layers\) are not those"):
        adopt(task, [tmp_path / "trunk"], range(1))
    config = json.loads((tmp_path / "good/config.json").read_text())
    smaller = AutoModelForSequenceClassification.from_config(other.config.__class__(**config | {"hidden_size": 4}))
    smaller.save_pretrained(tmp_path / "smaller")
    with pytest.raises(UserError, match="its hidden_size is 4, and that of model.pretrained 8"):
        adopt(task, [tmp_path / "smaller"], range(1))


def test_the_last_layer_is_whole_where_the_head_reads_more(tiny_bert, sentences, tmp_path, monkeypatch, encoded):
    assert encoded(1)[0].encoding.first_only
    assert not encoded(None)[0].encoding.first_only
    data = tmp_path / "data"
    shutil.copytree(sentences, data)
    right = FirstToken.forward
    monkeypatch.setattr(FirstToken, "forward", lambda *args, **rest: right(*args, **rest) + 1)
    TextClassification.encode(settings_of(tiny_bert, 1), data, "cpu")
    task = TextClassification(settings_of(tiny_bert, 1), data)
    assert not task.encoding.first_only
    assert not any(isinstance(module, FirstToken) for module in task.new_model(0).modules())


def test_the_trunk_is_in_no_checkpoint(encoded):
    task, data = encoded(1)
    model = task.new_model(0)
    assert not [name for name in model.state_dict() if "embeddings" in name or ".layer.1." in name]
    assert (data / "train_states.npy").exists()


def test_texts_that_are_too_long_are_counted(encoded, sentences, caplog):
    task, data = encoded(1, max_length=6)
    facts = json.loads((data / "encoding.json").read_text())
    lengths = [len(text.split()) + 2 for text in TextData.load(sentences).texts["train"]]
    assert facts["truncated"]["train"] == sum(length > 6 for length in lengths) > 0
    assert np.diff(np.load(data / "train_starts.npy")).tolist() == [min(length, 6) for length in lengths]


def test_encoding_again_gives_the_same_bytes(encoded, tiny_bert, sentences, tmp_path):
    _, data = encoded(2)
    shutil.copytree(sentences, tmp_path / "again")
    TextClassification.encode(settings_of(tiny_bert, 2), tmp_path / "again", "cpu")
    for file in sorted(path.name for path in data.iterdir()):
        assert file_digest(data / file) == file_digest(tmp_path / "again" / file), file


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trained_layers": 4}, "model.trained_layers: found 4; allowed: at most 3, or null"),
        ({"max_length": 17}, "model.max_length: found 17; allowed: at most 16"),
        (
            {"pretrained": "/nowhere/at/all"},
            "model.pretrained: found '/nowhere/at/all', where transformers finds no model",
        ),
    ],
)
def test_mistakes(tiny_bert, sentences, tmp_path, options, message):
    shutil.copytree(sentences, tmp_path / "data")
    settings = settings_of(tiny_bert, 1)
    settings["model"] |= options
    with pytest.raises(UserError, match=message):
        TextClassification.encode(settings, tmp_path / "data", "cpu")
    assert not (tmp_path / "data/encoding.json").exists()


def test_a_tokeniser_of_another_network(tiny_bert, sentences, tmp_path):
    shutil.copytree(tiny_bert, tmp_path / "bert")
    shutil.copytree(sentences, tmp_path / "data")
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    tokenizer.add_tokens(["splendid"])
    tokenizer.save_pretrained(tmp_path / "bert")
    with pytest.raises(UserError, match="has 23 tokens, and its network knows 22"):
        TextClassification.encode(settings_of(tmp_path / "bert", 1), tmp_path / "data", "cpu")


def renamed(folder, copy, rename):
    """Copy a model's folder with other names of its weights; None drops one."""
    shutil.copytree(folder, copy)
    weights = {rename(name): tensor for name, tensor in load_file(copy / "model.safetensors").items()}
    weights.pop(None, None)
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    return copy


@pytest.mark.parametrize(
    "rename",
    [lambda name: f"module.{name}", lambda name: None if "layer.1." in name else name],
    ids=["wrapped", "a layer is missing"],
)
def test_weights_that_are_missing_below_the_head_are_not_drawn(tiny_bert, sentences, tmp_path, rename):
    shutil.copytree(sentences, tmp_path / "data")
    settings = settings_of(renamed(tiny_bert, tmp_path / "bert", rename), 1)
    with pytest.raises(UserError, match=r"model.pretrained: .*bert lacks \d+ weights below the head, e.g. bert\."):
        TextClassification.encode(settings, tmp_path / "data", "cpu")


def test_a_model_without_a_tokeniser(tiny_bert, sentences, tmp_path):
    shutil.copytree(sentences, tmp_path / "data")
    (tmp_path / "bare").mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(tiny_bert / name, tmp_path / "bare")
    with pytest.raises(UserError, match=r"found no tokeniser beside the weights of .*bare; allowed: its files"):
        TextClassification.encode(settings_of(tmp_path / "bare", 1), tmp_path / "data", "cpu")


def test_weights_that_are_cut_off(tiny_bert, sentences, tmp_path):
    shutil.copytree(sentences, tmp_path / "data")
    shutil.copytree(tiny_bert, tmp_path / "cut")
    whole = (tmp_path / "cut" / "model.safetensors").read_bytes()
    (tmp_path / "cut" / "model.safetensors").write_bytes(whole[:500])
    with pytest.raises(UserError, match=r"model.pretrained: found .*cut'"):
        TextClassification.encode(settings_of(tmp_path / "cut", 1), tmp_path / "data", "cpu")


def test_a_head_whose_classes_have_another_order(encoded, tmp_path):
    task, _ = encoded(None)
    task.export(task.new_model(0), tmp_path / "exported")
    assert task.from_folder(tmp_path / "exported") is not None
    config = json.loads((tmp_path / "exported" / "config.json").read_text())
    config["id2label"], config["label2id"] = {"0": "Praise", "1": "blame"}, {"Praise": 0, "blame": 1}
    (tmp_path / "exported" / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="has the classes Praise, blame, and the data blame, praise"):
        task.from_folder(tmp_path / "exported")


@pytest.mark.parametrize("layers", [1, None])
def test_distilbert(tiny_bert, sentences, tmp_path, layers):
    from transformers import DistilBertConfig, DistilBertModel

    shutil.copytree(sentences, tmp_path / "data")
    shutil.copytree(tiny_bert, tmp_path / "distilbert")
    sizes = {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12, "max_position_embeddings": 16}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        DistilBertModel(DistilBertConfig(vocab_size=30, **sizes)).save_pretrained(tmp_path / "distilbert")
    settings = settings_of(tmp_path / "distilbert", layers)
    TextClassification.encode(settings, tmp_path / "data", "cpu")
    task = TextClassification(settings, tmp_path / "data")
    model = task.new_model(0).eval()
    outputs, _ = per_example_gradients(task, model, task.train_batch(np.arange(4)))
    assert torch.isfinite(outputs).all()
    assert len(set(outputs.tolist())) == 4


def test_a_set_that_is_not_encoded(tiny_bert, sentences, encoded, tmp_path):
    with pytest.raises(UserError, match="the texts are not encoded as a whole"):
        TextClassification(settings_of(tiny_bert, 1), sentences)
    _, data = encoded(1)
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data/train_states.npy").unlink()
    with pytest.raises(UserError, match="the texts are not encoded as a whole"):
        TextClassification(settings_of(tiny_bert, 1), tmp_path / "data")
