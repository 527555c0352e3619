# Raw source to a table of examples and what it tells of (such as arrays of images, beside it); subsets; targets.
PREPARED = [f"{ROOT}/data/{file}" for file in ("meta.json", "examples.parquet")]


# First of all, of every experiment: what is wrong with data is told before anything trains.
rule prepare_data:
    input:
        own=own_data,
        code=lambda w: code("prepare_data", plan.place("dataset", settings_of(w)["dataset"]["name"]).file),
    output:
        meta=PREPARED[0],
        examples=PREPARED[1],
        cost=f"{ROOT}/costs/data.json",
    log:
        f"{ROOT}/logs/prepare_data.log",
    priority: 1
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(240),
    params:
        settings=sections("seed", "dataset"),
        seen=seen_data,
        exchanged=exchanged,
    shell:
        'python "$TRAKWAY_SCRIPTS/prepare_data.py" --settings {params.settings:q} --output "$(dirname {output.meta:q})"'
        " {params.seen} {params.exchanged} --cost {output.cost:q} > {log:q} 2>&1"


# What all models share of the examples, computed once: tokens, and the states of frozen layers.
rule encode:
    input:
        data=PREPARED,
        own=lambda w: plan.model_files(settings_of(w)),
        autoencoder=autoencoder_of,
        code=task_code("encode", "autoencoder"),
    output:
        encoding=f"{ROOT}/data/encoding.json",
        cost=f"{ROOT}/costs/encode.json",
    log:
        f"{ROOT}/logs/encode.log",
    wildcard_constraints:
        name=names_where(lambda modality: modality.encodes),
    priority: 1
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(720),
        gpu=GPU,
    params:
        device=device,
        settings=encoding_settings,
        autoencoder=lambda w, input: f"--autoencoder {words(input.autoencoder)}" if input.autoencoder else "",
    shell:
        'python "$TRAKWAY_SCRIPTS/encode.py" --settings {params.settings:q} --data "$(dirname {output.encoding:q})"'
        " {params.autoencoder} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


rule draw_subsets:
    input:
        data=rules.prepare_data.output.meta,
        code=code("draw_subsets"),
    output:
        f"{ROOT}/subsets/{{ensemble}}.npy",
    log:
        f"{ROOT}/logs/draw_subsets/{{ensemble}}.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        number=subset_count,
        fraction=subset_fraction,
        seed=lambda w: settings_of(w)["seed"],
    shell:
        'python "$TRAKWAY_SCRIPTS/draw_subsets.py" --data "$(dirname {input.data:q})" --ensemble {wildcards.ensemble}'
        " --count {params.number} --fraction {params.fraction} --seed {params.seed} --output {output:q} > {log:q} 2>&1"


rule draw_targets:
    input:
        data=rules.prepare_data.output.meta,
        code=code("draw_targets"),
    output:
        TARGETS,
    log:
        f"{ROOT}/logs/draw_targets.log",
    wildcard_constraints:
        name=names_where(lambda modality: modality.targets == "drawn"),
    priority: 1  # the pre-flight of a derivative waits for it, and goes before what trains
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        number=lambda w: settings_of(w)["targets"]["count"],
        tuning=lambda w: settings_of(w)["targets"]["tuning"],
        seed=lambda w: settings_of(w)["seed"],
    shell:
        'python "$TRAKWAY_SCRIPTS/draw_targets.py" --data "$(dirname {input.data:q})" --count {params.number}'
        " --tuning {params.tuning} --seed {params.seed} --output {output:q} > {log:q} 2>&1"


# Sampled targets bring files beside their table, which modality by modality are others.
for _task, _modality in plan.modalities().items():
    if _modality.targets != "sampled":
        continue

    rule:
        name:
            f"sample_targets_{_task}"
        input:
            data=data_of,
            models=lambda w: shard_files(w, "reference", "train", ".json")[0],
            code=task_code("sample_targets"),
        output:
            table=TARGETS,
            pictures=[f"{ROOT}/targets/{file}" for file in _modality.target_files],
            cost=f"{ROOT}/costs/targets.json",
        log:
            f"{ROOT}/logs/sample_targets.log",
        wildcard_constraints:
            name=names_where(lambda modality, files=_modality.target_files: modality.target_files == files),
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=more(8000),
            runtime=more(240),
            gpu=GPU,
        params:
            device=device,
            settings=lambda w: json.dumps(plan.target_settings(settings_of(w), "targets")),
        shell:
            'python "$TRAKWAY_SCRIPTS/sample_targets.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
            ' --models {input.models:q} --output "$(dirname {output.table:q})" --cost {output.cost:q}'
            " --device {params.device} > {log:q} 2>&1"
