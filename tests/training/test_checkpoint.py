import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from trakway.errors import UserError
from trakway.models.finite import first_bad_tensor
from trakway.storage.fingerprint import file_digest
from trakway.training.checkpoint import load_checkpoint, load_tensors, save_checkpoint, save_tensors


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))


class Network:
    """What the format asks of a task."""

    checkpoint_format = "safetensors"

    def __init__(self, model=None):
        self.model = model or network()

    def new_model(self, seed):
        return self.model

    def prepare(self, model):
        model.prepared = True
        return model


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    model = network()
    model(torch.randn(4, 1, 4, 4))  # moves the statistics of the batch norm
    save_checkpoint(Network(), model, tmp_path / "m.safetensors")
    return model, tmp_path / "m.safetensors"


def test_a_checkpoint_gives_the_model_back(saved):
    model, path = saved
    loaded = load_checkpoint(Network(), path, file_digest(path))
    assert not loaded.training
    assert loaded.prepared
    assert set(load_file(path)) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    images = torch.randn(3, 1, 4, 4)
    torch.testing.assert_close(loaded(images), model.eval()(images))


def test_rounded_weights_are_used_in_float32(saved, tmp_path):
    model, path = saved
    save_checkpoint(Network(), model, tmp_path / "half.safetensors", "float16")
    assert all(t.dtype == torch.float16 for t in load_file(tmp_path / "half.safetensors").values() if t.ndim)
    loaded = load_checkpoint(Network(network()), tmp_path / "half.safetensors")
    for name, tensor in model.state_dict().items():
        rounded = tensor.half().to(tensor.dtype) if tensor.is_floating_point() else tensor
        assert loaded.state_dict()[name].dtype == tensor.dtype
        assert torch.equal(loaded.state_dict()[name], rounded)


def test_weights_too_large_for_float16(saved, tmp_path):
    model, _ = saved
    with torch.no_grad():
        model[3].weight[0, 0] = 70000.0
    with pytest.raises(UserError, match=r"3.weight .* above 65504.* set float32"):
        save_checkpoint(Network(), model, tmp_path / "m.safetensors", "float16")
    save_checkpoint(Network(), model, tmp_path / "m.safetensors")


def test_the_file_is_plain_safetensors_whatever_the_layout(tmp_path):
    tensor = torch.randn(2, 3, 4, 5)
    tensors = {"a": tensor.to(memory_format=torch.channels_last), "b": tensor.flatten().requires_grad_()}
    save_tensors(tmp_path / "t.safetensors", tensors)
    for loaded in (load_file(tmp_path / "t.safetensors"), load_tensors(tmp_path / "t.safetensors")):
        assert torch.equal(loaded["a"], tensor)
        assert torch.equal(loaded["b"], tensor.flatten())


def test_advice_is_the_callers(tmp_path):
    with pytest.raises(UserError, match="none.safetensors: not found; look elsewhere$"):
        load_checkpoint(Network(), tmp_path / "none.safetensors", advice="look elsewhere")


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"checkpoint .*none.safetensors: not found; .* run again"):
        load_tensors(tmp_path / "none.safetensors")


@pytest.mark.parametrize("digest", [True, False])
@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_truncated_file(saved, keep, digest):
    _, path = saved
    sha256 = file_digest(path) if digest else None
    path.write_bytes(path.read_bytes()[:keep])
    reason = "SHA-256 differs" if digest else "not a whole safetensors file"
    with pytest.raises(UserError, match=rf"checkpoint .*m.safetensors: .*{reason}.*run again"):
        load_checkpoint(Network(), path, sha256)


def test_an_altered_file(saved):
    _, path = saved
    sha256 = file_digest(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # one bit of one weight
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"checkpoint .*m.safetensors: not the one that was recorded"):
        load_checkpoint(Network(), path, sha256)


def test_another_model(saved):
    _, path = saved
    with pytest.raises(
        UserError, match=r"checkpoint .*m.safetensors: does not fit the model (?s:.*)size mismatch for 3.weight"
    ):
        load_checkpoint(Network(nn.Sequential(*network()[:3], nn.Linear(8, 3))), path)
    with pytest.raises(UserError, match=r"does not fit the model (?s:.*)Missing key"):
        load_checkpoint(Network(nn.Sequential(*network(), nn.Linear(2, 2))), path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "1.running_var", "3.bias"])
def test_the_first_bad_tensor_is_named(value, name):
    model = network()
    assert first_bad_tensor(model) is None
    model.state_dict()["3.bias"][1] = value
    model.state_dict()[name].view(-1)[0] = value
    assert first_bad_tensor(model) == name
