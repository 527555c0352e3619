# Scores of every method, from what the method needs and nothing else.


def method_inputs(w):
    """Return what a method reads, and the estimation bank where options are chosen with it."""
    s = settings_of(w)
    root = ROOT.format(tier=w.tier, name=w.name)
    needs = plan.NEEDS[w.method]
    found = {}
    if "features" in needs:
        found["features"] = [f"{folder}/info.json" for folder in feature_folders(w)]
    if "checkpoints" in needs:
        found["checkpoints"] = [f"{folder}/info.json" for folder in feature_folders(w, checkpoints=all_checkpoints(w))]
    if "representations" in needs:
        found["representations"] = f"{root}/representations/train.npy"
    if "estimation" in needs or plan.is_tuned(w.method, s["scores"]):
        found["estimation_subsets"] = f"{root}/subsets/estimation.npy"
        found["estimation_outputs"] = shard_files(w, "estimation", "outputs", ".npy")
    return found


def material_arguments(w, input):
    """Return the command-line arguments of trakway.attribution.arguments for the inputs of a rule."""

    def folders(files):
        return " ".join(os.path.dirname(file) for file in as_list(files))

    s = settings_of(w)
    words = [f"--block {s['execution']['block']}"]
    for name in ("features", "checkpoints", "representations"):
        if hasattr(input, name):
            words.append(f"--{name} {folders(getattr(input, name))}")
    if hasattr(input, "estimation_subsets"):
        outputs = " ".join(as_list(input.estimation_outputs))
        words.append(f"--estimation-subsets {input.estimation_subsets} --estimation-outputs {outputs}")
        words.append(f"--estimation-seeds {s['bank']['estimation']['seeds']}")
    return " ".join(words)


def as_list(files):
    return [files] if isinstance(files, str) else list(files)


rule scores:
    input:
        unpack(method_inputs),
        data=DATA,
        targets=rules.draw_targets.output,
        code=lambda w: code(f"attribution/{w.method}.py", "attribution/similarity.py", "validation/tuning.py"),
    output:
        scores=f"{ROOT}/scores/{{method}}.npy",
        record=f"{ROOT}/scores/{{method}}.json",
        cost=f"{ROOT}/costs/scores/{{method}}.json",
    params:
        settings=lambda w: json.dumps(plan.score_settings(w.method, settings_of(w))),
        material=material_arguments,
    log:
        f"{ROOT}/logs/scores/{{method}}.log",
    benchmark:
        f"{ROOT}/benchmarks/scores/{{method}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
        gpu=GPU,
    shell:
        "python scripts/scores.py --method {wildcards.method} --settings {params.settings:q}"
        " --data $(dirname {input.data[0]:q}) --targets {input.targets:q} {params.material}"
        " --record {output.record:q} --output {output.scores:q} --cost {output.cost:q} --device {DEVICE} > {log:q} 2>&1"
