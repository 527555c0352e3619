# What is made of scores beside the plain tables: LDS against compute, the subsets of removal, the ablation.


rule cost:
    input:
        unpack(cost_inputs),
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        subsets=f"{ROOT}/subsets/evaluation.npy",
        outputs=outputs_of("evaluation"),
        code=method_code("cost", lambda w: settings_of(w)["methods"]),
    output:
        table=in_report(f"{ROOT}/tables/cost.csv", own_table("cost")),
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
        settings=sections("seed", "task", "scores", "methods", "cost", "lds"),
        material=lambda w, input: material_arguments(w, input),
        costs=lambda w, input: cost_arguments(w, input),
        seeds=evaluation_seeds,
        caption=caption(own_table("cost")),
    shell:
        'python scripts/cost.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} {params.material} {params.costs}"
        " --subsets {input.subsets:q} --outputs {input.outputs:q} --seeds {params.seeds}"
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
    shell:
        'python scripts/removal_subsets.py --settings {params.settings:q} --data "$(dirname {input.data:q})"'
        " --targets {input.targets:q} --scores {input.scores:q} --table {output.rows:q} --output {output.subsets:q} > {log:q} 2>&1"


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
        table=in_report(f"{ROOT}/tables/ablation.csv", own_table("ablation")),
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
        settings=sections("seed", "task", "methods", "projection", "scores", "ablation", "lds"),
        material=lambda w, input: material_arguments(w, input),
        variants=lambda w, input: " ".join(os.path.dirname(file) for file in as_list(input.variants)),
        seeds=evaluation_seeds,
        caption=caption(own_table("ablation")),
    shell:
        'python scripts/ablation.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} {params.material} --variants {params.variants}"
        " --subsets {input.subsets:q} --outputs {input.outputs:q} --seeds {params.seeds}"
        " --output {output.table:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
