# Figures, PNG for the report and PDF beside it.


rule figure_lds:
    input:
        table=rules.lds.output.lds,
        code=code("figures/lds_bars.py", "figures/style.py"),
    output:
        png=figure("lds", "LDS"),
        pdf=f"{ROOT}/figures/lds.pdf",
    log:
        f"{ROOT}/logs/figure_lds.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_lds.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        title=title("linear datamodeling score"),
    shell:
        "python scripts/figure_lds.py --table {input.table:q} --title {params.title:q}"
        " --output $(dirname {output.png:q})/lds > {log:q} 2>&1"


rule figure_cost:
    input:
        table=rules.cost.output.table,
        lds=rules.lds.output.lds,
        code=code("figures/lds_cost.py", "figures/style.py"),
    output:
        png=figure("cost", "LDS"),
        pdf=f"{ROOT}/figures/cost.pdf",
    log:
        f"{ROOT}/logs/figure_cost.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_cost.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        title=title("LDS against compute"),
    shell:
        "python scripts/figure_cost.py --table {input.table:q} --lds {input.lds:q} --title {params.title:q}"
        " --output $(dirname {output.png:q})/cost > {log:q} 2>&1"


rule figure_removal:
    input:
        table=rules.removal.output.removal,
        code=code("figures/removal.py", "figures/style.py"),
    output:
        png=figure("removal", "Removal"),
        pdf=f"{ROOT}/figures/removal.pdf",
    log:
        f"{ROOT}/logs/figure_removal.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_removal.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        title=title("removal and retraining"),
    shell:
        "python scripts/figure_removal.py --table {input.table:q} --title {params.title:q}"
        " --output $(dirname {output.png:q})/removal > {log:q} 2>&1"


rule figure_examples:
    input:
        data=DATA,
        targets=rules.draw_targets.output,
        scores=f"{ROOT}/scores/trak.npy",
        outputs=outputs_of("reference"),
        code=code("figures/examples.py", "figures/style.py"),
    output:
        png=figure("examples", "Examples"),
        pdf=f"{ROOT}/figures/examples.pdf",
    log:
        f"{ROOT}/logs/figure_examples.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_examples.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("training images behind a prediction, by TRAK"),
        number=lambda w: settings_of(w)["display"]["targets"],
        examples=lambda w: settings_of(w)["display"]["examples"],
    shell:
        "python scripts/figure_examples.py --data $(dirname {input.data[0]:q}) --targets {input.targets:q}"
        " --scores {input.scores:q} --outputs {input.outputs:q} --count {params.number} --examples {params.examples}"
        " --title {params.title:q} --output $(dirname {output.png:q})/examples > {log:q} 2>&1"


rule figure_ablation:
    input:
        table=rules.ablation.output.table,
        code=code("figures/ablation.py", "figures/style.py"),
    output:
        png=figure("ablation", "Ablation"),
        pdf=f"{ROOT}/figures/ablation.pdf",
    log:
        f"{ROOT}/logs/figure_ablation.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_ablation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        title=title("TRAK, one setting changed at a time"),
    shell:
        "python scripts/figure_ablation.py --table {input.table:q} --title {params.title:q}"
        " --output $(dirname {output.png:q})/ablation > {log:q} 2>&1"


rule figure_training:
    input:
        curves=lambda w: [file for e in ENSEMBLES for file in shard_files(w, e, "train", ".curves.parquet")],
        models=f"{ROOT}/tables/models.csv",
        code=code("figures/training.py", "figures/style.py"),
    output:
        png=figure("training", "Models"),
        pdf=f"{ROOT}/figures/training.pdf",
    log:
        f"{ROOT}/logs/figure_training.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_training.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("training of the ensembles"),
    shell:
        "python scripts/figure_training.py --curves {input.curves:q} --models {input.models:q} --title {params.title:q}"
        " --output $(dirname {output.png:q})/training > {log:q} 2>&1"
