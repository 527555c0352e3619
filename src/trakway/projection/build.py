"""From an experiment's ``projection`` section to a projection."""

import math
from collections.abc import Sequence

from trakway import seeds
from trakway.errors import UserError
from trakway.projection import VERSION
from trakway.projection.base import Projection


def build_projection(
    projection: dict, parameters: int, seed: int, member: int, shapes: Sequence[tuple[int, ...]] | None = None
) -> Projection:
    """Return the projection of one member; every member has its own (TRAK, section 3.2).

    Args:
        projection: ``kind`` (rademacher, sjlt, factored or identity), ``dim`` k, ``nonzeros`` a row (sjlt),
            ``precision`` of the gradients (float32 or bfloat16).
        parameters: p.
        seed: the experiment's seed.
        member: index of the member.
        shapes: of the attributed parameters, see `trakway.gradients.shapes`; only factored needs them.

    Raises:
        UserError: for an unknown kind or precision, or an identity whose ``dim`` is not p.
        ValueError: for factored without ``shapes``, or with those of other parameters.
    """
    from trakway.projection.factored import Factored
    from trakway.projection.identity import Identity
    from trakway.projection.rademacher import Rademacher
    from trakway.projection.sjlt import SJLT

    kind, dim = projection["kind"], projection.get("dim")
    precision = projection.get("precision", "float32")
    name = f"projection:v{VERSION}:{kind}"
    key = seeds.derive(seed, name, member)
    if kind == "identity":
        if dim not in (None, parameters):
            raise UserError(
                f"projection.dim: found {dim} with kind identity, but the model has {parameters:,} attributed "
                "parameters and identity keeps them all; write `dim: null`, or use kind sjlt"
            )
        return Identity(parameters, precision)
    if kind == "rademacher":
        return Rademacher(parameters, dim, key, precision)
    if kind == "sjlt":
        return SJLT(parameters, dim, key, projection.get("nonzeros", 1), precision)
    if kind == "factored":
        if shapes is None or sum(map(math.prod, shapes)) != parameters:
            raise ValueError(f"shapes: found {shapes}, but factored needs those of all {parameters:,} parameters")
        keys = [seeds.derive(seed, f"{name}:{part}", member) for part in ("outputs", "inputs", "others")]
        return Factored(shapes, dim, keys, precision)
    raise UserError(f"projection.kind: found {kind!r}, allowed: rademacher, sjlt, factored, identity")
