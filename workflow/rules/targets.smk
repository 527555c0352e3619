# The names a user builds: `all`, `smoke`, and for each experiment NAME, NAME_orders, NAME_publish, and a name
# for each check that a figure belongs to: NAME_lds, NAME_removal, NAME_ablation.


rule all:
    default_target: True
    input:
        [whole(name, TIER) for name in ALL],


rule smoke:
    input:
        [whole(name, "smoke") + optional(name, "smoke") for name in SETTINGS.get("smoke", {})],


for _name, _tier in TIER_OF.items():

    rule:
        name:
            _name
        input:
            whole(_name, _tier),

    rule:
        name:
            f"{_name}_orders"
        input:
            results_of(_name, _tier, ["orders/targets.csv", "orders/examples.csv"]),

    rule:
        name:
            f"{_name}_publish"
        input:
            results_of(_name, _tier, ["published.done"]),

    for _check in report_parts.checks():

        rule:
            name:
                f"{_name}_{_check}"
            input:
                checked(_name, _tier, _check),
