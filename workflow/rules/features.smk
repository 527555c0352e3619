# Projected gradients and representations of the members.


rule features:
    input:
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        models=f"{ROOT}/train/members/{{shard}}.json",
        code=task_code("features"),
    output:
        train=f"{ROOT}/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}/train.npy",
        weights=f"{ROOT}/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}/weights.npy",
        targets=f"{ROOT}/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}/targets.npy",
        info=f"{ROOT}/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}/info.json",
        cost=f"{ROOT}/costs/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}.log",
    benchmark:
        f"{ROOT}/benchmarks/features/{{projection}}/{{function}}/{{checkpoint}}/{{shard}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=1440,
        gpu=GPU,
    params:
        device=device,
        settings=feature_settings,
        chunk=execution("chunk"),
    shell:
        'python {SCRIPTS:q}/features.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --models {input.models:q} --function {wildcards.function}"
        ' --checkpoint {wildcards.checkpoint} --chunk {params.chunk} --output "$(dirname {output.info:q})" --cost {output.cost:q} --device {params.device} > {log:q} 2>&1'


rule representations:
    input:
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        models=lambda w: shard_files(w, representing(w), "train", ".json"),
        code=task_code("representations", "domain"),
    output:
        train=f"{ROOT}/representations/train.npy",
        targets=f"{ROOT}/representations/targets.npy",
        cost=f"{ROOT}/costs/representations.json",
    log:
        f"{ROOT}/logs/representations.log",
    benchmark:
        f"{ROOT}/benchmarks/representations.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=240,
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(section(settings_of(w), "seed", "task", "model", "domain")),
    shell:
        'python {SCRIPTS:q}/representations.py --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        ' --targets {input.targets:q} --models {input.models:q} --output "$(dirname {output.train:q})"'
        " --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
