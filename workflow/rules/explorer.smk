# The explorer: the attributions of an experiment as pages that open from a folder.
SITE = [plan.shortest(file) for file in sorted((REPOSITORY / "src/trakway/explorer/site").iterdir())]


rule explorer:
    input:
        explorer_inputs,
        site=SITE,
        code=code("explorer"),
    output:
        report(
            directory(f"{ROOT}/explorer"),
            htmlindex="index.html",
            caption=CAPTION,
            category="{name}",
            subcategory="Explorer",
        ),
    log:
        f"{ROOT}/logs/explorer.log",
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=more(8000),
        runtime=more(120),
    params:
        settings=lambda w, input: json.dumps(settings_of(w)),
        folder=lambda w, input: root_of(w),
        values=explorer_values,
        caption=lambda w, input: explorer.CAPTION,
    shell:
        'python "$TRAKWAY_SCRIPTS/explorer.py" --folder {params.folder:q} --settings {params.settings:q}'
        " --tier {wildcards.tier} --output {output:q} > {log:q} 2>&1"
