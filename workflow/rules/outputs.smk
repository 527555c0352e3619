# Model outputs on targets: the ground truth that all methods share.


rule outputs:
    input:
        data=data_of,
        targets=lambda w: [TARGETS.format(tier=w.tier, name=w.name)] if output_roles(w) else [],
        pictures=lambda w: pictures_of(w) if output_roles(w) else [],
        models=rules.train.output.models,
        code=task_code("outputs"),
    output:
        outputs=f"{ROOT}/outputs/{{ensemble}}/{{shard}}.npy",
        table=f"{ROOT}/outputs/{{ensemble}}/{{shard}}.models.parquet",
        cost=f"{ROOT}/costs/outputs/{{ensemble}}/{{shard}}.json",
    log:
        f"{ROOT}/logs/outputs/{{ensemble}}/{{shard}}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(240),
        gpu=GPU,
    params:
        device=device,
        settings=output_settings,
        targets=lambda w, input: f"--targets {words(input.targets)}" if output_roles(w) else "",
        roles=output_roles,
    shell:
        'python "$TRAKWAY_SCRIPTS/outputs.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " {params.targets} --roles {params.roles} --models {input.models:q} --table {output.table:q} --output {output.outputs:q}"
        " --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
