# The names a user builds: `all`, `smoke`, and for each experiment NAME, NAME_lds, NAME_removal, NAME_ablation, NAME_orders, NAME_publish.
_COMMON = ["lds.csv", "lds_pairs.csv", "cost.csv", "removal.csv", "models.csv", "timing.csv"]
TABLES = {
    "image_classification": [*_COMMON, "brittleness.csv", "flip_ratios.csv"],
    "image_diffusion": [*_COMMON, "shift.csv", "emergence.csv", "timestep_correlation.csv"],
}
FIGURES = {
    "image_classification": ["lds", "cost", "removal", "examples", "training"],
    "image_diffusion": [
        "journeys",
        "lds_timesteps",
        "cost",
        "shift",
        "emergence",
        "timestep_correlation",
        "training",
    ],
}
# The table and figure of each check, by task.
CHECKS = {
    "image_classification": {"lds": "lds", "removal": "removal"},
    "image_diffusion": {"lds": "lds_timesteps", "removal": "shift"},
}


rule all:
    default_target: True
    input:
        [whole(name, TIER) for name in ALL],


rule smoke:
    input:
        [whole(name, "smoke") + ablation(name, "smoke") for name in SETTINGS["smoke"]],


for _name, _tier in TIER_OF.items():
    _root = ROOT.format(tier=_tier, name=_name)
    _task = SETTINGS[_tier][_name]["task"]

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
            [f"{_root}/figures/{file}.png" for file in (CHECKS[_task]["lds"], "cost")],

    rule:
        name:
            f"{_name}_removal"
        input:
            f"{_root}/tables/{CHECKS[_task]['removal']}.csv",
            f"{_root}/figures/{CHECKS[_task]['removal']}.png",

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
