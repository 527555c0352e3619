import copy

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from trakway.models import transformer
from trakway.models.first_token import FirstToken, fits

SIZES = {"num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 12, "vocab_size": 20}


def network_of(kind):
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **SIZES)
    return AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").double().eval()


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_logits_and_gradients_are_those_of_the_whole_layer(kind):
    network = network_of(kind)
    short = transformer.cut(copy.deepcopy(network), 1, first_only=True)
    whole = transformer.cut(network, 1, first_only=False)
    assert [name for name, _ in short.named_parameters()] == [name for name, _ in whole.named_parameters()]
    assert any(isinstance(module, FirstToken) for module in short.modules())
    states = torch.randn(3, 5, 8, dtype=torch.float64)
    present = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]])
    mask = torch.where(present[:, None, None] > 0, 0.0, -1e30).double()
    expected, found = (
        model(inputs_embeds=states, attention_mask=mask).logits.log_softmax(1)[:, 0].sum() for model in (whole, short)
    )
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    for model, output in ((whole, expected), (short, found)):
        model.gradients = torch.autograd.grad(output, list(model.parameters()), allow_unused=True)
    for known, ours in zip(whole.gradients, short.gradients, strict=True):
        assert (known is None) == (ours is None)
        if known is not None:
            torch.testing.assert_close(ours, known, rtol=1e-9, atol=1e-14)


def test_layers_of_another_kind_do_not_fit():
    assert not fits(nn.TransformerEncoderLayer(8, 2))
    assert not transformer.has_first_token(network_of_distilbert())


def network_of_distilbert():
    config = AutoConfig.for_model("distilbert", dim=8, n_heads=2, n_layers=2, hidden_dim=12, vocab_size=20)
    return AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
