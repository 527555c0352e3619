# Scores of every method, from what the method needs and nothing else.


# Of a user's own method: imported, or its array read, before anything is trained.
rule check_method:
    input:
        own=own_method,
        data=f"{ROOT}/data/meta.json",
        code=method_code("check_method", lambda w: [w.method]),
    output:
        f"{ROOT}/checked/{{method}}.json",
    log:
        f"{ROOT}/logs/check_method/{{method}}.log",
    priority: 1
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(4000),
        runtime=more(30),
    params:
        settings=lambda w: json.dumps(
            plan.score_settings(w.method, settings_of(w)) | section(settings_of(w), "targets")
        ),
        seen=lambda w, input: words([own_method_folder(w)]),
    shell:
        'python "$TRAKWAY_SCRIPTS/check_method.py" --method {wildcards.method} --settings {params.settings:q}'
        ' --data "$(dirname {input.data:q})" --own {params.seen} --output {output:q} > {log:q} 2>&1'


rule scores:
    input:
        unpack(method_inputs),
        checked=lambda w: (
            [f"{root_of(w)}/checked/{w.method}.json"] if plan.method_of(settings_of(w), w.method).own else []
        ),
        data=data_of,
        targets=TARGETS,
        pictures=pictures_of,
        code=method_code("scores", lambda w: [w.method]),
    output:
        scores=f"{ROOT}/scores/{{method}}.npy",
        record=f"{ROOT}/scores/{{method}}.json",
        cost=f"{ROOT}/costs/scores/{{method}}.json",
    log:
        f"{ROOT}/logs/scores/{{method}}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(720),
        gpu=GPU,
    params:
        device=device,
        settings=lambda w: json.dumps(plan.score_settings(w.method, settings_of(w))),
        material=lambda w, input: material_arguments(w, input, [w.method]),
    shell:
        'python "$TRAKWAY_SCRIPTS/scores.py" --method {wildcards.method} --settings {params.settings:q}'
        ' --data "$(dirname {input.data[0]:q})" --targets {input.targets:q} {params.material}'
        " --record {output.record:q} --output {output.scores:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


# For whoever brings an array of scores: which row is which target, and which column which example.
rule orders:
    input:
        data=data_of,
        targets=TARGETS,
    output:
        targets=f"{ROOT}/orders/targets.csv",
        examples=f"{ROOT}/orders/examples.csv",
    log:
        f"{ROOT}/logs/orders.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    shell:
        'python "$TRAKWAY_SCRIPTS/orders.py" --data "$(dirname {input.data[0]:q})" --targets {input.targets:q}'
        ' --output "$(dirname {output.targets:q})" > {log:q} 2>&1'
