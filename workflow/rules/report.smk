# Provenance, and the published results.


rule provenance:
    input:
        data=rules.prepare_data.output.meta,
        timing=f"{ROOT}/tables/timing.csv",
    output:
        f"{ROOT}/provenance.json",
    log:
        f"{ROOT}/logs/provenance.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        settings=lambda w, input: json.dumps(settings_of(w)),
        decisive=decisive_settings,
    shell:
        'python "$TRAKWAY_SCRIPTS/provenance.py" --tier {wildcards.tier} --settings {params.settings:q}'
        ' --data "$(dirname {input.data:q})" --timing {input.timing:q} --output {output:q} > {log:q} 2>&1'


rule publish:
    input:
        lambda w: small(w.name, w.tier) + optional(w.name, w.tier),
    output:
        touch(f"{RESULTS}/{{tier}}/{{name}}/published.done"),
    log:
        f"{ROOT}/logs/publish.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        folder=lambda w: f"{RESULTS}/published/{w.name}",
    shell:
        'python "$TRAKWAY_SCRIPTS/publish.py" --files {input:q} --output {params.folder:q} > {log:q} 2>&1'


# All published results side by side: `snakemake leaderboard`, after NAME_publish of whatever should be on it.
PUBLISHED = sorted(path.parent.as_posix() for path in Path(RESULTS, "published").glob("*/lds.csv"))


rule leaderboard:
    input:
        tables=[f"{folder}/{name}.csv" for folder in PUBLISHED for name in ("lds", "cost", "timing")],
        beside=[path.as_posix() for folder in PUBLISHED for path in sorted(Path(folder).glob("*.csv"))],
        provenance=[f"{folder}/provenance.json" for folder in PUBLISHED],
        code=code("leaderboard"),
    output:
        table=f"{RESULTS}/published/leaderboard.csv",
        figure=[f"{RESULTS}/published/leaderboard.{suffix}" for suffix in ("png", "pdf")],
    log:
        f"{RESULTS}/logs/leaderboard.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(2000),
        runtime=more(30),
    params:
        folders=words(PUBLISHED),
    shell:
        'python "$TRAKWAY_SCRIPTS/leaderboard.py" {params.folders} --output {output.table:q} > {log:q} 2>&1'
