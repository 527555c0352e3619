import pytest


class Killed(BaseException):
    """The end of a process, which nothing in the library catches."""


@pytest.fixture
def killed():
    return Killed


@pytest.fixture
def kill_at(task, monkeypatch):
    """End the process at the n-th loss computed from now on (0: the first); returns the losses so far."""

    def kill_at(count):
        compute = type(task).loss
        losses = []

        def loss(model, batch):
            if len(losses) == count:
                raise Killed
            losses.append(compute(task, model, batch))
            return losses[-1]

        monkeypatch.setattr(task, "loss", loss)
        return losses

    return kill_at


@pytest.fixture
def weights():
    """The bytes of a folder's checkpoints, by name."""

    def weights(folder):
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.safetensors"))}

    return weights
