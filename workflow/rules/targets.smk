# The names a user builds: `all`, `smoke`, and for each experiment NAME, NAME_lds, NAME_removal, NAME_ablation, NAME_publish.
TABLES = [
    "lds.csv",
    "lds_pairs.csv",
    "cost.csv",
    "removal.csv",
    "brittleness.csv",
    "flip_ratios.csv",
    "models.csv",
    "timing.csv",
]
FIGURES = ["lds", "cost", "removal", "examples", "training"]


rule all:
    default_target: True
    input:
        [whole(name, TIER) for name in ALL],


rule smoke:
    input:
        [whole(name, "smoke") + ablation(name, "smoke") for name in SETTINGS["smoke"]],


for _name, _tier in TIER_OF.items():
    _root = ROOT.format(tier=_tier, name=_name)

    rule:
        name:
            _name
        input:
            whole(_name, _tier),

    rule:
        name:
            f"{_name}_lds"
        input:
            [f"{_root}/{file}" for file in ("tables/lds.csv", "figures/lds.png", "tables/cost.csv", "figures/cost.png")],

    rule:
        name:
            f"{_name}_removal"
        input:
            [f"{_root}/{file}" for file in ("tables/removal.csv", "figures/removal.png")],

    rule:
        name:
            f"{_name}_ablation"
        input:
            ablation(_name, _tier),

    rule:
        name:
            f"{_name}_publish"
        input:
            f"{_root}/published.done",
