# Shards of models.


onstart:
    # The display counts models, of which a job trains many.
    totals = Counter()
    for job in workflow.dag.needrun_jobs():
        if job.rule.name == "train":
            totals[f"{job.wildcards.ensemble} trained"] += len(plan.shard_range(job.wildcards.shard))
    announce(totals)


rule train:
    input:
        data=DATA,
        subsets=f"{ROOT}/subsets/{{ensemble}}.npy",
        code=task_code("train"),
    output:
        models=f"{ROOT}/train/{{ensemble}}/{{shard}}.json",
        curves=f"{ROOT}/train/{{ensemble}}/{{shard}}.curves.parquet",
        cost=f"{ROOT}/costs/train/{{ensemble}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/train/{{ensemble}}/{{shard}}.log",
    benchmark:
        f"{ROOT}/benchmarks/train/{{ensemble}}/{{shard}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=1440,
        gpu=GPU,
    params:
        device=device,
        settings=training_settings,
        seeds=lambda w: plan.ensemble_sizes(settings_of(w))[w.ensemble][1],
        adopt=adopted,
    shell:
        'python scripts/train.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --ensemble {wildcards.ensemble} --subsets {input.subsets:q} --seeds {params.seeds} --shard {wildcards.shard} {params.adopt}"
        " --curves {output.curves:q} --output {output.models:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
