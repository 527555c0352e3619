# Plain tables, a rule each: what it reads and holds is declared in its file of trakway.validation.
for _file, _table in TABLES.items():
    if _table.own_rule:
        continue
    _shown = [f"{ROOT}/tables/{name}.csv" for name in [_file.stem, *_table.beside] if _table.beside.get(name, "shown")]

    rule:
        name:
            _file.stem
        input:
            files_of(_table),
            code=part_code("table", _file),
        output:
            [in_report(path, _table) for path in _shown],
            [f"{ROOT}/tables/{name}.csv" for name, text in _table.beside.items() if not text],
            cost=f"{ROOT}/costs/{_file.stem}.json",
        log:
            f"{ROOT}/logs/{_file.stem}.log",
        localrule: True
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=more(8000),
            runtime=more(240),
        params:
            arguments=part_arguments(_file),
            values=values_of(_table),
            caption=caption(_table, _file.stem),
        shell:
            'python "$TRAKWAY_SCRIPTS/table.py" {params.arguments} --cost {output.cost:q} > {log:q} 2>&1'
