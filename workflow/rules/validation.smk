# LDS, LDS against compute, removal retraining, ablation.


rule lds:
    input:
        scores=scores_of(".npy"),
        records=scores_of(".json"),
        targets=TARGETS,
        subsets=f"{ROOT}/subsets/evaluation.npy",
        outputs=outputs_of("evaluation"),
        code=code("lds"),
    output:
        lds=report(f"{ROOT}/tables/lds.csv", caption="../report/lds_table.rst", category="{name}", subcategory="LDS"),
        targets=f"{ROOT}/tables/lds_targets.csv",
        pairs=report(
            f"{ROOT}/tables/lds_pairs.csv", caption="../report/lds_pairs.rst", category="{name}", subcategory="LDS"
        ),
        cost=f"{ROOT}/costs/lds.json",
    log:
        f"{ROOT}/logs/lds.log",
    benchmark:
        f"{ROOT}/benchmarks/lds.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        settings=sections("seed", "lds"),
        scores=lambda w, input: words(input.scores),
        records=lambda w, input: words(input.records),
        outputs=lambda w, input: words(input.outputs),
        steps_only=lambda w: " ".join(plan.steps_only(settings_of(w))),
    shell:
        "python {SCRIPTS:q}/lds.py --settings {params.settings:q} --scores {params.scores} --records {params.records}"
        " --targets {input.targets:q} --subsets {input.subsets:q} --outputs {params.outputs} --steps-only {params.steps_only}"
        ' --output "$(dirname {output.lds:q})" --cost {output.cost:q} > {log:q} 2>&1'


rule cost:
    input:
        unpack(cost_inputs),
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        subsets=f"{ROOT}/subsets/evaluation.npy",
        outputs=outputs_of("evaluation"),
        code=method_code("cost", lambda w: plan.method_names(settings_of(w))),
    output:
        table=report(
            f"{ROOT}/tables/cost.csv", caption="../report/cost_table.rst", category="{name}", subcategory="LDS"
        ),
        cost=f"{ROOT}/costs/cost.json",
    log:
        f"{ROOT}/logs/cost.log",
    benchmark:
        f"{ROOT}/benchmarks/cost.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=1440,
        gpu=GPU,
    params:
        device=device,
        settings=method_settings("cost", "lds"),
        material=lambda w, input: material_arguments(w, input),
        costs=lambda w, input: cost_arguments(w, input),
        outputs=lambda w, input: words(input.outputs),
        seeds=lambda w: settings_of(w)["bank"]["estimation"]["seeds"],
    shell:
        'python {SCRIPTS:q}/cost.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
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
    benchmark:
        f"{ROOT}/benchmarks/removal_subsets.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=removal_settings,
        per_step=methods_per_step,
    shell:
        'python {SCRIPTS:q}/removal_subsets.py --settings {params.settings:q} --data "$(dirname {input.data:q})"'
        " --targets {input.targets:q} --scores {input.scores:q} --per-step {params.per_step} --table {output.rows:q} --output {output.subsets:q} > {log:q} 2>&1"


rule removal:
    input:
        rows=rules.removal_subsets.output.rows,
        targets=TARGETS,
        reference=outputs_of("reference"),
        outputs=outputs_of("removal"),
        code=code("removal"),
    output:
        removal=report(
            f"{ROOT}/tables/removal.csv",
            caption="../report/removal_table.rst",
            category="{name}",
            subcategory="Removal",
        ),
        brittleness=f"{ROOT}/tables/brittleness.csv",
        ratios=report(
            f"{ROOT}/tables/flip_ratios.csv",
            caption="../report/flip_ratios.rst",
            category="{name}",
            subcategory="Removal",
        ),
        cost=f"{ROOT}/costs/removal.json",
    log:
        f"{ROOT}/logs/removal.log",
    benchmark:
        f"{ROOT}/benchmarks/removal.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=sections("seed", "task", "lds", "removal", "training.paired"),
        reference=lambda w, input: words(input.reference),
        outputs=lambda w, input: words(input.outputs),
    shell:
        "python {SCRIPTS:q}/removal.py --settings {params.settings:q} --rows {input.rows:q} --targets {input.targets:q}"
        ' --reference {params.reference} --outputs {params.outputs} --output "$(dirname {output.removal:q})" --cost {output.cost:q} > {log:q} 2>&1'


rule ablation:
    input:
        unpack(ablation_inputs),
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        subsets=f"{ROOT}/subsets/evaluation.npy",
        outputs=outputs_of("evaluation"),
        code=method_code("ablation", lambda w: [plan.main_method(settings_of(w))]),
    output:
        table=report(
            f"{ROOT}/tables/ablation.csv",
            caption="../report/ablation_table.rst",
            category="{name}",
            subcategory="Ablation",
        ),
        cost=f"{ROOT}/costs/ablation.json",
    log:
        f"{ROOT}/logs/ablation.log",
    benchmark:
        f"{ROOT}/benchmarks/ablation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=1440,
        gpu=GPU,
    params:
        device=device,
        settings=method_settings("projection", "ablation", "lds"),
        material=ablation_arguments,
        outputs=lambda w, input: words(input.outputs),
    shell:
        'python {SCRIPTS:q}/ablation.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} {params.material}"
        " --subsets {input.subsets:q} --outputs {params.outputs}"
        " --output {output.table:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
