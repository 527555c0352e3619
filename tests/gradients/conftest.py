import pytest
import torch
from torch import nn

from trakway.tasks import Task


class AnyModel(Task):
    """Tells f of any classifier: the logit of the label less the mean of all, squared a little to be no linear map."""

    seed, train_size, test_size, device = 0, 0, 0, "cpu"

    def output(self, model, batch):
        inputs, labels = batch
        logits = model(inputs)
        f = logits.gather(1, labels[:, None])[:, 0] - logits.mean(1)
        return f + 0.1 * f**2

    def architecture(self):
        raise NotImplementedError

    train_batch = target_batch = loss = loss_slope = architecture


@pytest.fixture(scope="session")
def any_model():
    return AnyModel()


@pytest.fixture(scope="session")
def settle():
    """Put a model in eval mode and give its batch norms statistics and weights that are not zeros and ones."""

    def settle(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                tensors = [module.running_mean, module.running_var]
                tensors += [module.weight.data, module.bias.data] if module.affine else []
                for tensor in tensors:
                    tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        return model.eval()

    return settle


@pytest.fixture(scope="session")
def by_autograd():
    """Compute the rows one example at a time by torch.autograd, in the type of the model."""

    def by_autograd(task, model, batch):
        parameters = [model.get_parameter(name) for name in task.attributed(model)]
        rows = []
        for i in range(len(batch[0])):
            f = task.output(model, tuple(tensor[i : i + 1] for tensor in batch)).sum()
            gradients = torch.autograd.grad(f, parameters, allow_unused=True, materialize_grads=True)
            rows.append(torch.cat([gradient.flatten() for gradient in gradients]))
        return torch.stack(rows)

    return by_autograd
