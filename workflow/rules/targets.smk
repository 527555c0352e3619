# The names a user builds: `all`, `smoke`, and for each experiment NAME, NAME_lds, NAME_removal, NAME_ablation, NAME_publish.
# Tables and figures, with the traits of the tasks that have them, and that others have.
TABLES = {
    **{name: ((), ()) for name in ("lds", "lds_pairs", "cost", "removal", "models", "timing")},
    **{name: (("border",), ()) for name in ("brittleness", "flip_ratios")},
    **{name: (("steps",), ()) for name in ("shift", "emergence", "timestep_correlation")},
}
FIGURES = {
    "journeys": (("steps", "image"), ()),
    "lds": ((), ("steps",)),
    "lds_timesteps": (("steps",), ()),
    "cost": ((), ()),
    "removal": ((), ("steps",)),
    "examples": (("image",), ("steps",)),
    "shift": (("steps",), ()),
    "emergence": (("steps",), ()),
    "timestep_correlation": (("steps",), ()),
    "training": ((), ()),
}


def those_of(things, settings):
    """Return which of tables or figures an experiment's task has."""
    return [name for name, (needs, without) in things.items() if plan.modality_of(settings).has(needs, without)]


def checks_of(settings):
    """Return the figure of the LDS, and the table and figure of what removal does."""
    return ("lds_timesteps", "shift") if plan.modality_of(settings).has(needs=("steps",)) else ("lds", "removal")


rule all:
    default_target: True
    input:
        [whole(name, TIER) for name in ALL],


rule smoke:
    input:
        [whole(name, "smoke") + ablation(name, "smoke") for name in SETTINGS.get("smoke", {})],


for _name, _tier in TIER_OF.items():
    _root = ROOT.format(tier=_tier, name=_name)
    _lds, _removal = checks_of(SETTINGS[_tier][_name])

    rule:
        name:
            _name
        input:
            whole(_name, _tier),

    rule:
        name:
            f"{_name}_lds"
        input:
            [f"{_root}/tables/{file}.csv" for file in ("lds", "cost")],
            [f"{_root}/figures/{file}.png" for file in (_lds, "cost")],

    rule:
        name:
            f"{_name}_removal"
        input:
            f"{_root}/tables/{_removal}.csv",
            f"{_root}/figures/{_removal}.png",

    rule:
        name:
            f"{_name}_ablation"
        input:
            ablation(_name, _tier),

    rule:
        name:
            f"{_name}_orders"
        input:
            [f"{_root}/orders/{file}.csv" for file in ("targets", "examples")],

    rule:
        name:
            f"{_name}_publish"
        input:
            f"{_root}/published.done",
