"""The projections of an experiment, by name."""

import hashlib


def projection_name(projection: dict) -> str:
    """Return a short name for file paths, of all that decides a feature, e.g. ``kronecker-50-0.1-sjlt1-1024``."""
    kind, parameters = projection["kind"], projection.get("parameters", "")
    words = [preconditioner_name(projection)]
    words.append(f"of{hashlib.blake2b(parameters.encode(), digest_size=4).hexdigest()}" if parameters else "")
    words.append(f"{kind}{projection.get('nonzeros', 1)}" if kind == "sjlt" else kind)
    words.append("" if kind == "identity" else str(projection["dim"]))
    precision = projection.get("precision", "float32")
    words.append("" if precision == "float32" else precision)
    return "-".join(filter(None, words))


def preconditioner_name(projection: dict) -> str:
    """Return a short name of the preconditioner, e.g. ``kronecker-50-0.1`` (examples, damping); empty for none."""
    kind = projection.get("preconditioner", "none")
    if kind == "none":
        return ""
    return f"{kind}-{projection['preconditioner_examples']}-{projection['damping']:g}"


def other_kind(projection: dict, kind: str) -> dict:
    """Return a projection of another kind that is like ``projection`` otherwise."""
    return {**projection, "kind": kind, **({"dim": None} if kind == "identity" else {})}


def projections(settings: dict) -> dict[str, dict]:
    """Return every projection an experiment uses, by name: its own first, then those of the ablation."""
    main = settings["projection"]
    ablation = settings.get("ablation") or {}
    chosen = [main]
    chosen += [{**main, "dim": dim} for dim in ablation.get("dim", []) if main["kind"] != "identity"]
    # A main projection of no dimension of its own leaves none to compare other kinds at.
    for kind in ablation.get("projection", []) if main["kind"] != "identity" else []:
        chosen.append(other_kind(main, kind))
    chosen += [{**main, "preconditioner": name} for name in ablation.get("preconditioner", [])]
    chosen += [{**main, "parameters": pattern} for pattern in ablation.get("parameters", [])]
    return {projection_name(projection): projection for projection in chosen}
