# Provenance, and the published results.


rule provenance:
    input:
        data=rules.prepare_data.output.meta,
        timing=f"{ROOT}/tables/timing.csv",
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
        'python "$TRAKWAY_SCRIPTS/provenance.py" --tier {wildcards.tier} --settings {params.settings:q}'
        ' --data "$(dirname {input.data:q})" --timing {input.timing:q} --output {output:q} --device {params.device} > {log:q} 2>&1'


rule publish:
    input:
        lambda w: whole(w.name, w.tier) + optional(w.name, w.tier),
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
        'python "$TRAKWAY_SCRIPTS/publish.py" --files {input:q} --output {params.folder:q} > {log:q} 2>&1'
