# Training runs differentiated as a whole.


# First one of them is looked at: six trainings and a few targets say whether the rest is worth its price.
rule preflight:
    input:
        data=data_of,
        checked=lambda w: [f"{root_of(w)}/checked.json"] if plan.has_own(settings_of(w)) else [],
        targets=TARGETS,
        pictures=pictures_of,
        subsets=point_subsets,
        code=task_code("preflight"),
    output:
        found=f"{ROOT}/metagradients/preflight.json",
        cost=f"{ROOT}/costs/preflight.json",
    log:
        f"{ROOT}/logs/preflight.log",
    priority: 1
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda w, attempt: attempt * (4000 + settings_of(w)["execution"]["memory"]),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=metagradient_settings,
        point=point_arguments,
        memory=execution("memory"),
    shell:
        'python "$TRAKWAY_SCRIPTS/preflight.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} {params.point} --memory {params.memory}"
        " --output {output.found:q} --cost {output.cost:q} --device {params.device} > {log:q} 2>&1"


rule metagradients:
    input:
        data=data_of,
        checked=lambda w: [f"{root_of(w)}/checked.json"] if plan.has_own(settings_of(w)) else [],
        targets=TARGETS,
        pictures=pictures_of,
        subsets=point_subsets,
        preflight=ancient(rules.preflight.output.found),
        code=task_code("metagradients"),
    output:
        scores=f"{ROOT}/metagradients/{{at}}/{{run}}.npy",
        info=f"{ROOT}/metagradients/{{at}}/{{run}}.json",
        cost=f"{ROOT}/costs/metagradients/{{at}}/{{run}}.json",
    log:
        f"{ROOT}/logs/metagradients/{{at}}/{{run}}.log",
    wildcard_constraints:
        at="full|middle|members",
        run=r"\d+",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda w, attempt: attempt * (4000 + settings_of(w)["execution"]["memory"]),
        runtime=more(1440),
        gpu=GPU,
    params:
        device=device,
        settings=metagradient_settings,
        point=point_arguments,
        memory=execution("memory"),
        group=execution("targets_at_once"),
    shell:
        'python "$TRAKWAY_SCRIPTS/metagradients.py" --settings {params.settings:q} --data "$(dirname {input.data[0]:q})"'
        " --targets {input.targets:q} --run {wildcards.run} {params.point}"
        " --memory {params.memory} --group {params.group} --output {output.info:q} --cost {output.cost:q}"
        " --device {params.device} > {log:q} 2>&1"
