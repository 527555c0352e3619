# What is made of scores beside the plain tables: LDS against compute, the subsets of removal, the ablation.


rule cost:
    input:
        unpack(cost_inputs),
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        subsets=f"{ROOT}/subsets/evaluation.npy",
        outputs=outputs_of("evaluation"),
        code=method_code("cost", lambda w: plan.method_names(settings_of(w))),
    output:
        table=in_report(f"{ROOT}/tables/cost.csv", own_table("cost")),
        cost=f"{ROOT}/costs/cost.json",
    log:
        f"{ROOT}/logs/cost.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=method_settings("cost", "lds"),
        material=lambda w, input: material_arguments(w, input),
        costs=lambda w, input: cost_arguments(w, input),
        outputs=lambda w, input: words(input.outputs),
        seeds=lambda w: settings_of(w)["bank"]["estimation"]["seeds"],
        caption=caption(own_table("cost")),
    shell:
        'python "$TRAKWAY_SCRIPTS/cost.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} {params.material} {params.costs}"
        " --subsets {input.subsets:q} --outputs {params.outputs} --estimation-seeds {params.seeds}"
        " --output {output.table:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


ruleorder: removal_subsets > draw_subsets


rule removal_subsets:
    input:
        data=f"{ROOT}/data/meta.json",
        scores=lambda w: [f"{root_of(w)}/scores/{m}.npy" for m in removal_methods(w)],
        targets=TARGETS,
        code=code("removal_subsets"),
    output:
        subsets=f"{ROOT}/subsets/removal.npy",
        rows=f"{ROOT}/subsets/removal.parquet",
    log:
        f"{ROOT}/logs/removal_subsets.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(60),
    params:
        settings=removal_settings,
        per_step=methods_per_step,
    shell:
        'python "$TRAKWAY_SCRIPTS/removal_subsets.py" --settings {params.settings:q} --data "$(dirname {input.data:q})"'
        " --targets {input.targets:q} --scores {input.scores:q} --per-step {params.per_step} --table {output.rows:q} --output {output.subsets:q} > {log:q} 2>&1"


rule ablation:
    input:
        unpack(ablation_inputs),
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        subsets=f"{ROOT}/subsets/evaluation.npy",
        outputs=outputs_of("evaluation"),
        code=method_code("ablation", lambda w: [plan.main_method(settings_of(w))]),
    output:
        table=in_report(f"{ROOT}/tables/ablation.csv", own_table("ablation")),
        cost=f"{ROOT}/costs/ablation.json",
    log:
        f"{ROOT}/logs/ablation.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=method_settings("projection", "ablation", "lds"),
        material=ablation_arguments,
        outputs=lambda w, input: words(input.outputs),
        caption=caption(own_table("ablation")),
    shell:
        'python "$TRAKWAY_SCRIPTS/ablation.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} {params.material}"
        " --subsets {input.subsets:q} --outputs {params.outputs}"
        " --output {output.table:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
