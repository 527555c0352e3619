"""The projections of an experiment, by name."""


def projection_name(projection: dict) -> str:
    """Return a short name for file paths, e.g. ``sjlt1-1024``, or ``kronecker-sjlt1-1024`` with a preconditioner."""
    kind = projection["kind"]
    if projection.get("preconditioner", "none") != "none":
        plain = projection_name({**projection, "preconditioner": "none"})
        return f"{projection['preconditioner']}-{plain}"
    if kind == "identity":
        return kind
    nonzeros = projection.get("nonzeros", 1) if kind == "sjlt" else ""
    precision = "" if projection.get("precision", "float32") == "float32" else f"-{projection['precision']}"
    return f"{kind}{nonzeros}-{projection['dim']}{precision}"


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
    return {projection_name(projection): projection for projection in chosen}
