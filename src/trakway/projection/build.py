"""From an experiment's ``projection`` section to a projection."""

from trakway import seeds
from trakway.errors import UserError
from trakway.projection import VERSION
from trakway.projection.base import Projection


def build_projection(projection: dict, parameters: int, seed: int, member: int) -> Projection:
    """Return the projection of one member; every member has its own (TRAK, section 3.2).

    Args:
        projection: ``kind`` (rademacher, sjlt or identity), ``dim`` k, ``nonzeros`` a row (sjlt),
            ``precision`` of the gradients (float32 or bfloat16).
        parameters: p.
        seed: the experiment's seed.
        member: index of the member.

    Raises:
        UserError: for an unknown kind or precision, or an identity whose ``dim`` is not p.
    """
    from trakway.projection.identity import Identity
    from trakway.projection.rademacher import Rademacher
    from trakway.projection.sjlt import SJLT

    kind, dim = projection["kind"], projection.get("dim")
    precision = projection.get("precision", "float32")
    key = seeds.derive(seed, f"projection:v{VERSION}:{kind}", member)
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
    raise UserError(f"projection.kind: found {kind!r}, allowed: rademacher, sjlt, identity")
