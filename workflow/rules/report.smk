# Tables about the run itself, provenance, and the published results.


rule models:
    input:
        models=lambda w: [file for e in ensembles_of(w) for file in shard_files(w, e, "outputs", ".models.parquet")],
    output:
        report(f"{ROOT}/tables/models.csv", caption="../report/models.rst", category="{name}", subcategory="Models"),
    log:
        f"{ROOT}/logs/models.log",
    benchmark:
        f"{ROOT}/benchmarks/models.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        "python {SCRIPTS:q}/models.py --models {input.models:q} --output {output:q} > {log:q} 2>&1"


rule timing:
    input:
        costs=all_costs,
    output:
        report(f"{ROOT}/tables/timing.csv", caption="../report/timing.rst", category="{name}", subcategory="Models"),
    log:
        f"{ROOT}/logs/timing.log",
    benchmark:
        f"{ROOT}/benchmarks/timing.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        folder=lambda w: f"{root_of(w)}/costs",
    shell:
        "python {SCRIPTS:q}/timing.py --folder {params.folder:q} --costs {input.costs:q} --output {output:q} > {log:q} 2>&1"


rule provenance:
    input:
        data=rules.prepare_data.output.meta,
        timing=rules.timing.output,
    output:
        f"{ROOT}/provenance.json",
    log:
        f"{ROOT}/logs/provenance.log",
    benchmark:
        f"{ROOT}/benchmarks/provenance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
        gpu=GPU,
    params:
        device=device,
        settings=lambda w, input: json.dumps(settings_of(w)),
        decisive=decisive_settings,
    shell:
        "python {SCRIPTS:q}/provenance.py --tier {wildcards.tier} --settings {params.settings:q}"
        ' --data "$(dirname {input.data:q})" --timing {input.timing:q} --output {output:q} --device {params.device} > {log:q} 2>&1'


rule publish:
    input:
        lambda w: whole(w.name, w.tier) + ablation(w.name, w.tier),
    output:
        touch(f"{RESULTS}/{{tier}}/{{name}}/published.done"),
    log:
        f"{ROOT}/logs/publish.log",
    benchmark:
        f"{ROOT}/benchmarks/publish.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        folder=lambda w: f"{RESULTS}/published/{w.name}",
    shell:
        "python {SCRIPTS:q}/publish.py --files {input:q} --output {params.folder:q} > {log:q} 2>&1"
