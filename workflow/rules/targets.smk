# The names a user builds: `all`, `smoke`, and for each experiment NAME, NAME_orders, NAME_publish, NAME_explorer, and
# a name for each check that a figure belongs to: NAME_lds, NAME_removal, NAME_ablation.


rule all:
    default_target: True
    input:
        [whole(name, TIER) for name in ALL],


rule smoke:
    input:
        [whole(name, "smoke") + optional(name, "smoke") for name in SETTINGS.get("smoke", {})],


_ends = ("", "_orders", "_publish", "_explorer", *(f"_{check}" for check in report_parts.checks()))
_taken = {rule.name for rule in workflow.rules}

for _name, _tier in TIER_OF.items():
    if _name in _taken:
        raise WorkflowError(
            f"{FOLDER / _name}.yaml: name: found {_name}, which is a rule of the workflow already; allowed: any other"
            " name; rename the file and its key name."
        )
    # A tier that was asked for by hand is never another one; where config.yaml names it, experiments have their own.
    if _tier != TIER and "tier" in config and {f"{_name}{end}" for end in _ends} & set(sys.argv):
        raise WorkflowError(
            f"{FOLDER / _name}.yaml: tiers: found no {TIER}; allowed: {', '.join(TIERS[_name])}; choose one, or add"
            f" tiers.{TIER} to the file."
        )

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

    rule:
        name:
            f"{_name}_explorer"
        input:
            results_of(_name, _tier, ["explorer"]),

    for _check in report_parts.checks():

        rule:
            name:
                f"{_name}_{_check}"
            input:
                checked(_name, _tier, _check),
