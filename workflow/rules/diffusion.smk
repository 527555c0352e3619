# What only generated images have: completions from their x_t, and samples of captions.
COMPLETIONS = f"{ROOT}/completions/{{ensemble}}/{{shard}}"


rule completions:
    input:
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        models=f"{ROOT}/train/{{ensemble}}/{{shard}}.json",
        classifier=lambda w: shard_files(w, "domain", "train", ".json"),
        rows=lambda w: [f"{root_of(w)}/subsets/removal.parquet"] if plan.subsets_of(w.ensemble) == "removal" else [],
        code=task_code("completions", "domain"),
    output:
        features=f"{COMPLETIONS}/features.npy",
        probabilities=f"{COMPLETIONS}/probabilities.npy",
        pictures=f"{COMPLETIONS}/pictures.npy",
        final=f"{COMPLETIONS}/final.npy",
        index=f"{COMPLETIONS}/index.parquet",
        cost=f"{ROOT}/costs/completions/{{ensemble}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/completions/{{ensemble}}/{{shard}}.log",
    wildcard_constraints:
        ensemble="|".join(plan.COMPLETING),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(plan.target_settings(settings_of(w), "domain", "removal")),
        rows=lambda w, input: f"--rows {words(input.rows)}" if input.rows else "",
    shell:
        'python "$TRAKWAY_SCRIPTS/completions.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --models {input.models:q} --classifier {input.classifier:q} {params.rows}"
        ' --output "$(dirname {output.index:q})" --cost {output.cost:q} --device {params.device} > {log:q} 2>&1'


# What models draw that are told a caption.
SAMPLES = f"{ROOT}/captions/{{ensemble}}/{{shard}}"


rule caption_samples:
    input:
        data=data_of,
        models=f"{ROOT}/train/{{ensemble}}/{{shard}}.json",
        classifier=lambda w: shard_files(w, "domain", "train", ".json"),
        code=task_code("caption_samples", "domain"),
    output:
        probabilities=f"{SAMPLES}/probabilities.npy",
        pictures=f"{SAMPLES}/pictures.npy",
        prompts=f"{SAMPLES}/prompts.parquet",
        cost=f"{ROOT}/costs/captions/{{ensemble}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/captions/{{ensemble}}/{{shard}}.log",
    wildcard_constraints:
        name=names_where(lambda modality: modality.has(needs=("caption",))),
        ensemble="reference|evaluation",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(plan.task_settings(settings_of(w), "members", "domain")),
        samples=lambda w: settings_of(w)["captions"]["samples" if w.ensemble == "reference" else "bank"],
    shell:
        'python "$TRAKWAY_SCRIPTS/caption_samples.py" --settings {params.settings:q}'
        ' --data "$(dirname {input.data[0]:q})" --models {input.models:q} --classifier {input.classifier:q}'
        ' --samples {params.samples} --output "$(dirname {output.prompts:q})" --cost {output.cost:q}'
        " --device {params.device} > {log:q} 2>&1"
