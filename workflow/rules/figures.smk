# Figures, PNG for the report and PDF beside it.


rule figure_lds:
    input:
        table=rules.lds.output.lds,
        code=code("figure_lds"),
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
        "python {SCRIPTS:q}/figure_lds.py --table {input.table:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/lds > {log:q} 2>&1'


rule figure_cost:
    input:
        table=rules.cost.output.table,
        code=code("figure_cost"),
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
        "python {SCRIPTS:q}/figure_cost.py --table {input.table:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/cost > {log:q} 2>&1'


rule figure_removal:
    input:
        table=rules.removal.output.removal,
        code=code("figure_removal"),
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
        "python {SCRIPTS:q}/figure_removal.py --table {input.table:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/removal > {log:q} 2>&1'


rule figure_examples:
    input:
        data=DATA,
        targets=TARGETS,
        scores=f"{ROOT}/scores/trak.npy",
        outputs=outputs_of("reference"),
        code=code("figure_examples"),
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
        'python {SCRIPTS:q}/figure_examples.py --data "$(dirname {input.data[0]:q})" --targets {input.targets:q}'
        " --scores {input.scores:q} --outputs {input.outputs:q} --count {params.number} --examples {params.examples}"
        ' --title {params.title:q} --output "$(dirname {output.png:q})"/examples > {log:q} 2>&1'


rule figure_ablation:
    input:
        table=rules.ablation.output.table,
        code=code("figure_ablation"),
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
        title=title("{method}, one setting changed at a time"),
        method=lambda w: plan.main_method(settings_of(w)),
    shell:
        "python {SCRIPTS:q}/figure_ablation.py --table {input.table:q} --method {params.method} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/ablation > {log:q} 2>&1'


rule figure_training:
    input:
        curves=lambda w: [file for e in ensembles_of(w) for file in shard_files(w, e, "train", ".curves.parquet")],
        models=f"{ROOT}/tables/models.csv",
        code=code("figure_training"),
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
        "python {SCRIPTS:q}/figure_training.py --curves {input.curves:q} --models {input.models:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/training > {log:q} 2>&1'


rule figure_lds_timesteps:
    input:
        table=rules.lds.output.lds,
        code=code("figure_lds_timesteps"),
    output:
        png=figure("lds_timesteps", "LDS"),
        pdf=f"{ROOT}/figures/lds_timesteps.pdf",
    log:
        f"{ROOT}/logs/figure_lds_timesteps.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_lds_timesteps.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("LDS along the sampling trajectory"),
    shell:
        "python {SCRIPTS:q}/figure_lds_timesteps.py --table {input.table:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/lds_timesteps > {log:q} 2>&1'


rule figure_timestep_correlation:
    input:
        table=rules.timestep_correlation.output.table,
        code=code("figure_timestep_correlation"),
    output:
        png=figure("timestep_correlation", "Journey"),
        pdf=f"{ROOT}/figures/timestep_correlation.pdf",
    log:
        f"{ROOT}/logs/figure_timestep_correlation.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_timestep_correlation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("do neighbouring steps name the same examples?"),
    shell:
        "python {SCRIPTS:q}/figure_timestep_correlation.py --table {input.table:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/timestep_correlation > {log:q} 2>&1'


rule figure_shift:
    input:
        table=rules.shift.output.table,
        code=code("figure_shift"),
    output:
        png=figure("shift", "Shift"),
        pdf=f"{ROOT}/figures/shift.pdf",
    log:
        f"{ROOT}/logs/figure_shift.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_shift.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("shift of the completions after removal"),
    shell:
        "python {SCRIPTS:q}/figure_shift.py --table {input.table:q} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/shift > {log:q} 2>&1'


rule figure_emergence:
    input:
        table=rules.emergence.output.table,
        code=code("figure_emergence"),
    output:
        png=figure("emergence", "Emergence"),
        pdf=f"{ROOT}/figures/emergence.pdf",
    log:
        f"{ROOT}/logs/figure_emergence.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_emergence.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("when a class appears, and without its examples"),
        number=lambda w: settings_of(w)["display"]["targets"],
    shell:
        "python {SCRIPTS:q}/figure_emergence.py --table {input.table:q} --count {params.number} --title {params.title:q}"
        ' --output "$(dirname {output.png:q})"/emergence > {log:q} 2>&1'


rule figure_journeys:
    input:
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        scores=f"{ROOT}/scores/journey_trak.npy",
        code=code("figure_journeys"),
    output:
        png=figure("journeys", "Journey"),
        pdf=f"{ROOT}/figures/journeys.pdf",
    log:
        f"{ROOT}/logs/figure_journeys.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_journeys.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("journeys, and the training images behind each step by journey-TRAK"),
        number=lambda w: settings_of(w)["display"]["targets"],
        examples=lambda w: settings_of(w)["display"]["examples"],
    shell:
        'python {SCRIPTS:q}/figure_journeys.py --data "$(dirname {input.data[0]:q})" --targets {input.targets:q}'
        " --scores {input.scores:q} --count {params.number} --examples {params.examples}"
        ' --title {params.title:q} --output "$(dirname {output.png:q})"/journeys > {log:q} 2>&1'


rule figure_localisation:
    input:
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        scores=f"{ROOT}/scores/journey_trak.npy",
        code=code("figure_localisation"),
    output:
        png=figure("localisation", "Journey"),
        pdf=f"{ROOT}/figures/localisation.pdf",
    log:
        f"{ROOT}/logs/figure_localisation.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_localisation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("training images behind a patch, by journey-TRAK"),
        settings=sections("journey"),
        number=lambda w: settings_of(w)["display"]["targets"],
        examples=lambda w: settings_of(w)["display"]["examples"],
    shell:
        'python {SCRIPTS:q}/figure_localisation.py --data "$(dirname {input.data[0]:q})" --targets {input.targets:q}'
        " --scores {input.scores:q} --count {params.number} --examples {params.examples} --settings {params.settings:q}"
        ' --title {params.title:q} --output "$(dirname {output.png:q})"/localisation > {log:q} 2>&1'


rule figure_animation:
    input:
        data=DATA,
        targets=TARGETS,
        pictures=pictures_of,
        scores=f"{ROOT}/scores/journey_trak.npy",
        code=code("figure_animation"),
    output:
        gif=figure("animation", "Journey", "gif"),
    log:
        f"{ROOT}/logs/figure_animation.log",
    benchmark:
        f"{ROOT}/benchmarks/figure_animation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        title=title("a journey"),
    shell:
        'python {SCRIPTS:q}/figure_animation.py --data "$(dirname {input.data[0]:q})" --targets {input.targets:q}'
        " --scores {input.scores:q} --title {params.title:q} --output {output.gif:q} > {log:q} 2>&1"
