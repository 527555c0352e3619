# What only generated images have: completions from their x_t, and how these shift when training examples are removed.
COMPLETIONS = f"{ROOT}/completions/{{ensemble}}/{{shard}}"


rule completions:
    input:
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        models=f"{ROOT}/train/{{ensemble}}/{{shard}}.json",
        classifier=lambda w: shard_files(w, "domain", "train", ".json"),
        rows=lambda w: [f"{root_of(w)}/subsets/removal.parquet"] if w.ensemble == "removal" else [],
        code=task_code("completions", "domain"),
    output:
        features=f"{COMPLETIONS}/features.npy",
        probabilities=f"{COMPLETIONS}/probabilities.npy",
        final=f"{COMPLETIONS}/final.npy",
        index=f"{COMPLETIONS}/index.parquet",
        cost=f"{ROOT}/costs/completions/{{ensemble}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/completions/{{ensemble}}/{{shard}}.log",
    benchmark:
        f"{ROOT}/benchmarks/completions/{{ensemble}}/{{shard}}.tsv"
    wildcard_constraints:
        ensemble="reference|removal",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=1440,
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(plan.target_settings(settings_of(w), "domain", "removal")),
        rows=lambda w, input: f"--rows {words(input.rows)}" if w.ensemble == "removal" else "",
    shell:
        'python {SCRIPTS:q}/completions.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --models {input.models:q} --classifier {input.classifier:q} {params.rows}"
        ' --output "$(dirname {output.index:q})" --cost {output.cost:q} --device {params.device} > {log:q} 2>&1'


rule shift:
    input:
        completions=completion_files,
        rows=rules.removal_subsets.output.rows,
        code=code("shift"),
    output:
        table=report(
            f"{ROOT}/tables/shift.csv", caption="../report/shift_table.rst", category="{name}", subcategory="Shift"
        ),
        cost=f"{ROOT}/costs/shift.json",
    log:
        f"{ROOT}/logs/shift.log",
    benchmark:
        f"{ROOT}/benchmarks/shift.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        settings=sections("seed", "lds", "removal"),
        folders=lambda w, input: words(map(os.path.dirname, input.completions)),
        features=lambda w: "classifier on {dataset[name]}: {domain[model][name]}".format(**settings_of(w)),
    shell:
        "python {SCRIPTS:q}/shift.py --settings {params.settings:q} --rows {input.rows:q} --completions {params.folders}"
        " --features-name {params.features:q} --output {output.table:q} --cost {output.cost:q} > {log:q} 2>&1"


rule emergence:
    input:
        completions=completion_files,
        rows=rules.removal_subsets.output.rows,
        data=rules.prepare_data.output.meta,
        code=code("emergence"),
    output:
        table=report(
            f"{ROOT}/tables/emergence.csv",
            caption="../report/emergence_table.rst",
            category="{name}",
            subcategory="Emergence",
        ),
        cost=f"{ROOT}/costs/emergence.json",
    log:
        f"{ROOT}/logs/emergence.log",
    benchmark:
        f"{ROOT}/benchmarks/emergence.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        settings=sections("seed", "lds", "journey", "removal"),
        folders=lambda w, input: words(map(os.path.dirname, input.completions)),
        final=lambda w, input: f"{os.path.dirname(input.completions[0])}/final.npy",
    shell:
        'python {SCRIPTS:q}/emergence.py --settings {params.settings:q} --data "$(dirname {input.data:q})" --rows {input.rows:q}'
        " --completions {params.folders} --final {params.final:q} --output {output.table:q} --cost {output.cost:q}"
        " > {log:q} 2>&1"


rule timestep_correlation:
    input:
        scores=lambda w: [f"{root_of(w)}/scores/{m}.npy" for m in plan.step_methods(settings_of(w))],
        targets=TARGETS,
        code=code("timestep_correlation"),
    output:
        table=report(
            f"{ROOT}/tables/timestep_correlation.csv",
            caption="../report/timestep_correlation_table.rst",
            category="{name}",
            subcategory="Journey",
        ),
        cost=f"{ROOT}/costs/timestep_correlation.json",
    log:
        f"{ROOT}/logs/timestep_correlation.log",
    benchmark:
        f"{ROOT}/benchmarks/timestep_correlation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=sections("seed", "lds"),
    shell:
        "python {SCRIPTS:q}/timestep_correlation.py --settings {params.settings:q} --scores {input.scores:q}"
        " --targets {input.targets:q} --output {output.table:q} --cost {output.cost:q} > {log:q} 2>&1"
