# Shards of models.


onstart:
    # The display counts models, of which a job trains many.
    totals = Counter()
    for job in workflow.dag.needrun_jobs():
        if job.rule.name in ("train", "train_alone"):
            totals[f"{job.wildcards.ensemble} trained"] += len(plan.shard_range(job.wildcards.shard))
    announce(totals)
    # With its limit on submissions a second, Snakemake 9 looks at all ready jobs again every second, and once more each
    # second for every job that has ended: hundreds of looks a second in the end. Profiles say how many jobs run at once.
    workflow.scheduler.job_rate_limiter = None


# Of a user's own task, network or data: tried before anything is trained with them.
rule check_task:
    input:
        data=data_of,
        code=task_code("check_task", "domain"),
    output:
        f"{ROOT}/checked.json",
    log:
        f"{ROOT}/logs/check_task.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(30),
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(checked_settings(settings_of(w))),
    shell:
        'python "$TRAKWAY_SCRIPTS/check_task.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --output {output:q} --device {params.device} > {log:q} 2>&1"


# A model as a folder of its own, by its path: results/TIER/NAME/exported/ENSEMBLE/INDEX.
rule export_model:
    input:
        data=data_of,
        models=lambda w: shard_with(w, w.ensemble, w.index),
        code=task_code("export_model"),
    output:
        directory(f"{ROOT}/exported/{{ensemble}}/{{index}}"),
    log:
        f"{ROOT}/logs/export_model/{{ensemble}}/{{index}}.log",
    wildcard_constraints:
        name=names_where(lambda modality: modality.encodes),
        index=r"\d+",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(30),
    params:
        settings=lambda w: json.dumps(plan.task_settings(settings_of(w))),
    shell:
        'python "$TRAKWAY_SCRIPTS/export_model.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --models {input.models:q} --index {wildcards.index} --output {output:q} > {log:q} 2>&1"


rule train:
    input:
        data=data_of,
        checked=lambda w: [f"{root_of(w)}/checked.json"] if plan.has_own(settings_of(w)) else [],
        subsets=lambda w: f"{root_of(w)}/subsets/{plan.subsets_of(w.ensemble)}.npy",
        adopted=adopted_files,
        code=task_code("train"),
    output:
        models=f"{ROOT}/train/{{ensemble}}/{{shard}}.json",
        curves=f"{ROOT}/train/{{ensemble}}/{{shard}}.curves.parquet",
        cost=f"{ROOT}/costs/train/{{ensemble}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/train/{{ensemble}}/{{shard}}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=training_settings,
        seeds=lambda w: plan.ensemble_sizes(settings_of(w))[w.ensemble][1],
        adopt=adopted,
    shell:
        'python "$TRAKWAY_SCRIPTS/train.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --ensemble {wildcards.ensemble} --subsets {input.subsets:q} --seeds {params.seeds} --shard {wildcards.shard} {params.adopt}"
        " --curves {output.curves:q} --output {output.models:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


# What is trained on all examples goes first: the classifier tells at once where there is nothing to tell apart.
use rule train as train_alone with:
    wildcard_constraints:
        ensemble="|".join(plan.ALONE),
    priority: 1


ruleorder: train_alone > train


# A user's own checkpoints in the place of members are looked at before anything trains.
use rule train as adopt with:
    wildcard_constraints:
        name=pattern_of(name for name, tier in TIER_OF.items() if SETTINGS[tier][name]["members"]["checkpoints"]),
        ensemble="members",
    priority: 1


ruleorder: adopt > train
