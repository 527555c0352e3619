"""The last layer of an encoder, computed for the first token alone where the head reads no other."""

from torch import Tensor, nn


class FirstToken(nn.Module):
    """A layer as BERT has it, with the same parameters under the same names, that returns one state a text.

    Keys and values are those of all tokens; the query, the output of the attention and the feed-forward network, five
    sixths of the layer's arithmetic, are those of the first token.

    Args:
        layer: of the transformers library, see `fits`; its parts are shared, not copied.
    """

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.attention, self.intermediate, self.output = layer.attention, layer.intermediate, layer.output

    def forward(self, states: Tensor, mask: Tensor, *_, **__) -> Tensor:
        """Return states (B, 1, d) of states (B, T, d) and what is added to the attention, (B, 1, 1, T)."""
        attention, first = self.attention.self, states[:, :1]

        def heads(projected: Tensor) -> Tensor:
            return projected.unflatten(-1, (attention.num_attention_heads, -1)).transpose(1, 2)

        query, key = heads(attention.query(first)), heads(attention.key(states))
        weights = (query @ key.transpose(2, 3) * query.shape[-1] ** -0.5 + mask).softmax(-1)
        seen = attention.dropout(weights) @ heads(attention.value(states))
        attended = self.attention.output(seen.transpose(1, 2).flatten(2), first)
        return self.output(self.intermediate(attended), attended)


def fits(layer: nn.Module) -> bool:
    """Whether a layer has the parts of BERT's; that it also computes what BERT's does has to be tried."""
    own = ("query", "key", "value", "dropout", "num_attention_heads")
    attention = getattr(layer, "attention", None)
    inner = getattr(attention, "self", None)
    return (
        all(hasattr(inner, name) for name in own)
        and hasattr(attention, "output")
        and all(hasattr(layer, name) for name in ("intermediate", "output"))
    )
