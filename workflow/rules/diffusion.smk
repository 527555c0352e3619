# What only generated images have: completions from their x_t.
COMPLETIONS = f"{ROOT}/completions/{{ensemble}}/{{shard}}"


rule completions:
    input:
        data=data_of,
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
        'python "$TRAKWAY_SCRIPTS/completions.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --models {input.models:q} --classifier {input.classifier:q} {params.rows}"
        ' --output "$(dirname {output.index:q})" --cost {output.cost:q} --device {params.device} > {log:q} 2>&1'
