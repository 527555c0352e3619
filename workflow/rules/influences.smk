# Influence functions of single members.


rule influences:
    input:
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        models=lambda w: shard_with(w, "members", w.member),
        code=task_code("influences"),
    output:
        scores=f"{ROOT}/influences/{{kind}}/{{member}}.npy",
        info=f"{ROOT}/influences/{{kind}}/{{member}}.json",
        cost=f"{ROOT}/costs/influences/{{kind}}/{{member}}.json",
    log:
        f"{ROOT}/logs/influences/{{kind}}/{{member}}.log",
    wildcard_constraints:
        kind="|".join(plan.INFLUENCES),
        member=r"\d+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda w, attempt: attempt * (8000 + settings_of(w)["execution"]["memory"]),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=influence_settings,
        chunk=execution("chunk"),
        memory=execution("memory"),
    shell:
        'python "$TRAKWAY_SCRIPTS/influences.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --models {input.models:q} --member {wildcards.member} --kind {wildcards.kind}"
        " --chunk {params.chunk} --memory {params.memory} --output {output.info:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"
