# Figures, a rule each: what it reads and shows is declared in its file of trakway.figures.
for _file, _figure in FIGURES.items():
    _first, *_further = [f"{ROOT}/figures/{_file.stem}.{suffix}" for suffix in _figure.suffixes]

    rule:
        name:
            f"figure_{_file.stem}"
        input:
            files_of(_figure),
            code=part_code("figure", _file),
        output:
            in_report(_first, _figure),
            _further,
        log:
            f"{ROOT}/logs/figure_{_file.stem}.log",
        localrule: True
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=more(4000),
            runtime=more(30),
        params:
            arguments=part_arguments(_file),
            title=figure_title(_figure),
            values=values_of(_figure),
            caption=caption(_figure),
        shell:
            'python "$TRAKWAY_SCRIPTS/figure.py" {params.arguments} --title {params.title:q} > {log:q} 2>&1'
