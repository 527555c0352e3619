# Preconditioners, projected gradients and representations of the members.
FEATURES = "{projection}/{function}/{checkpoint}/{shard}"


rule preconditioner:
    input:
        data=data_of,
        models=f"{ROOT}/train/members/{{shard}}.json",
        code=task_code("preconditioner"),
    output:
        info=f"{ROOT}/preconditioners/{{preconditioner}}/{{checkpoint}}/{{shard}}/info.json",
        cost=f"{ROOT}/costs/preconditioners/{{preconditioner}}/{{checkpoint}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/preconditioners/{{preconditioner}}/{{checkpoint}}/{{shard}}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(240),
        gpu=GPU,
    params:
        device=device,
        settings=preconditioner_settings,
        chunk=execution("chunk"),
    shell:
        'python "$TRAKWAY_SCRIPTS/preconditioner.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --models {input.models:q} --checkpoint {wildcards.checkpoint} --chunk {params.chunk}"
        " --output {output.info:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


rule train_features:
    input:
        data=data_of,
        models=f"{ROOT}/train/members/{{shard}}.json",
        preconditioner=preconditioner_of,
        code=task_code("features"),
    output:
        train=f"{ROOT}/features/{FEATURES}/train.npy",
        weights=f"{ROOT}/features/{FEATURES}/weights.npy",
        info=f"{ROOT}/features/{FEATURES}/train.json",
        cost=f"{ROOT}/costs/features/{FEATURES}/train.json",
    log:
        f"{ROOT}/logs/features/{FEATURES}/train.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=feature_settings,
        preconditioner=preconditioner_argument,
        chunk=execution("chunk"),
    shell:
        'python "$TRAKWAY_SCRIPTS/features.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --models {input.models:q} --function {wildcards.function} --checkpoint {wildcards.checkpoint}"
        " {params.preconditioner} --chunk {params.chunk} --output {output.info:q} --cost {output.cost:q}"
        " --device {params.device} > {log:q} 2>&1"


rule target_features:
    input:
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        models=f"{ROOT}/train/members/{{shard}}.json",
        preconditioner=preconditioner_of,
        code=task_code("features"),
    output:
        targets=f"{ROOT}/features/{FEATURES}/targets.npy",
        info=f"{ROOT}/features/{FEATURES}/targets.json",
        cost=f"{ROOT}/costs/features/{FEATURES}/targets.json",
    log:
        f"{ROOT}/logs/features/{FEATURES}/targets.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(720),
        gpu=GPU,
    params:
        device=device,
        settings=target_feature_settings,
        preconditioner=preconditioner_argument,
        chunk=execution("chunk"),
    shell:
        'python "$TRAKWAY_SCRIPTS/features.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --models {input.models:q} --function {wildcards.function}"
        " --checkpoint {wildcards.checkpoint} {params.preconditioner} --chunk {params.chunk} --output {output.info:q}"
        " --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


rule representations:
    input:
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        models=lambda w: shard_files(w, INPUTS["representations"].ensemble(settings_of(w)), "train", ".json"),
        code=task_code("representations", "domain"),
    output:
        train=f"{ROOT}/representations/train.npy",
        targets=f"{ROOT}/representations/targets.npy",
        cost=f"{ROOT}/costs/representations.json",
    log:
        f"{ROOT}/logs/representations.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(240),
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(section(settings_of(w), "seed", "task", "model", "domain")),
    shell:
        'python "$TRAKWAY_SCRIPTS/representations.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        ' --targets {input.targets:q} --models {input.models:q} --output "$(dirname {output.train:q})"'
        " --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
