# Functions that say what a rule reads, and with which settings.


def settings_of(w):
    return SETTINGS[w.tier][w.name]


def root_of(w):
    return ROOT.format(tier=w.tier, name=w.name)


def sections(*names):
    """Params: the named sections as JSON. A rule is run again when, and only when, their values change."""
    return lambda w: json.dumps(section(settings_of(w), *names))


def decisive_settings(w):
    """Params: all settings that a result depends on."""
    return json.dumps({name: value for name, value in settings_of(w).items() if name != "execution"})


def execution(key):
    """Params that never change a result: a function of the input is not among what Snakemake compares."""
    return lambda w, input: settings_of(w)["execution"][key]


def device(w, input):
    """Params, likewise not compared: where to compute."""
    return DEVICE


def code(script, *further):
    """Input: the source files that decide a rule's numbers, compared by content: a script, and all that it imports."""
    return [os.path.relpath(file) for file in plan.code_files(REPOSITORY / f"scripts/{script}.py", *further)]


def task_code(script):
    """Input: likewise of a script that works on an experiment's task."""
    return lambda w: code(script, REPOSITORY / f"src/trakway/tasks/{settings_of(w)['task']}.py")


def method_code(script, methods):
    """Input: likewise of a script that runs attribution methods, told by a function of the wildcards."""
    return lambda w: code(script, *(REPOSITORY / f"src/trakway/attribution/methods/{m}.py" for m in methods(w)))


def ensembles_of(w):
    return list(plan.ensemble_sizes(settings_of(w)))


def shards_of(w, ensemble):
    return plan.ensemble_shards(settings_of(w), ensemble)


def shard_files(w, ensemble, folder, suffix):
    """Return one path a shard, e.g. results/demo/NAME/outputs/evaluation/00000-00025.npy."""
    return [f"{root_of(w)}/{folder}/{ensemble}/{shard}{suffix}" for shard in shards_of(w, ensemble)]


def pictures_of(w):
    """Return what lies beside the table of targets: the images of a diffusion experiment, and their journeys."""
    generated = settings_of(w)["task"] == "image_diffusion"
    return [f"{root_of(w)}/targets/{file}" for file in PICTURES] if generated else []


def outputs_of(ensemble):
    return lambda w: shard_files(w, ensemble, "outputs", ".npy")


def feature_files(w, need="features", pattern="features/{}/info.json", projection=None, checkpoints=None):
    """Return a file a shard of members: by default of the experiment's own projection and the final checkpoint."""
    shards = plan.feature_shards(need, settings_of(w), projection, checkpoints)
    return [f"{root_of(w)}/{pattern.format(shard)}" for shard in shards]


def subset_count(w):
    return plan.ensemble_sizes(settings_of(w))[w.ensemble][0]


def subset_fraction(w):
    s = settings_of(w)
    own = {"members": s["members"]["fraction"], "reference": 1.0, "domain": 1.0}
    return own.get(w.ensemble, s["bank"]["fraction"])


def training_settings(w):
    """Params: members keep intermediate checkpoints, all others the final model alone."""
    s = copy.deepcopy(plan.task_settings(settings_of(w), w.ensemble, "training"))
    if w.ensemble != "members":
        s["training"]["checkpoints"] = 1
    return json.dumps(s)


def adopted(w):
    """Params: a user's own checkpoints in the place of trained members."""
    folders = settings_of(w)["members"]["checkpoints"] if w.ensemble == "members" else None
    return f"--adopt {' '.join(map(shlex.quote, folders))}" if folders else ""


def output_roles(w):
    """Params: the roles of the targets that an ensemble's models are evaluated on."""
    return " ".join(plan.OUTPUT_ROLES.get(w.ensemble, ("evaluation",)))


def output_settings(w):
    s = settings_of(w)
    return json.dumps(plan.target_settings(s) if output_roles(w) else plan.task_settings(s, w.ensemble))


def feature_settings(w):
    s = settings_of(w)
    return json.dumps(plan.target_settings(s) | {"projection": plan.projections(s)[w.projection]})


def representing(w):
    """Return the ensemble whose last layer represents images."""
    return "domain" if settings_of(w)["domain"] else "members"


def method_inputs(w):
    """Return what a method reads, and the estimation bank where options are chosen with it."""
    s = settings_of(w)
    needs = plan.NEEDS[w.method]
    found = material_inputs(w, needs)
    if "estimation" not in needs and plan.is_tuned(w.method, s["scores"]):
        found |= material_inputs(w, ["estimation"])
    return found


def material_inputs(w, needs):
    """Return the files of needs, by the names of trakway.attribution.arguments."""
    root = root_of(w)
    found = {need: feature_files(w, need) for need in needs if plan.feature_functions(need, settings_of(w))}
    if "representations" in needs:
        found["representations"] = f"{root}/representations/train.npy"
    if "estimation" in needs:
        found["estimation_subsets"] = f"{root}/subsets/estimation.npy"
        found["estimation_outputs"] = shard_files(w, "estimation", "outputs", ".npy")
    return found


def material_arguments(w, input):
    """Return the command-line arguments of trakway.attribution.arguments for the inputs of a rule."""

    def folders(files):
        return " ".join(os.path.dirname(file) for file in as_list(files))

    s = settings_of(w)
    words = [f"--block {s['execution']['block']}"]
    for name in ("features", "checkpoints", "norm", "windows", "representations"):
        if hasattr(input, name):
            words.append(f"--{name} {folders(getattr(input, name))}")
    if hasattr(input, "estimation_subsets"):
        outputs = " ".join(as_list(input.estimation_outputs))
        words.append(f"--estimation-subsets {input.estimation_subsets} --estimation-outputs {outputs}")
        words.append(f"--estimation-seeds {s['bank']['estimation']['seeds']}")
    return " ".join(words)


def as_list(files):
    """Snakemake hands over one file as text, several as a list."""
    return [files] if isinstance(files, str) else list(files)


def evaluation_seeds(w):
    return settings_of(w)["bank"]["evaluation"]["seeds"]


def cost_inputs(w):
    """Return the material of all methods, and what its models cost."""
    s = settings_of(w)
    needs = sorted({"estimation", *(need for method in s["methods"] for need in plan.NEEDS[method])})
    found = material_inputs(w, needs)
    found["members_costs"] = shard_files(w, "members", "costs/train", ".json")
    found["estimation_costs"] = [
        *shard_files(w, "estimation", "costs/train", ".json"),
        *shard_files(w, "estimation", "costs/outputs", ".json"),
    ]
    for need in needs:
        if plan.feature_functions(need, s):
            found[f"{need}_costs"] = feature_files(w, need, "costs/features/{}.json")
    if "representations" in needs:
        found["representations_costs"] = [f"{root_of(w)}/costs/representations.json"]
        if s["domain"]:
            found["representations_costs"] += shard_files(w, "domain", "costs/train", ".json")
    return found


def cost_arguments(w, input):
    kinds = ("members", "estimation", "features", "checkpoints", "norm", "windows", "representations")
    return " ".join(
        f"--{kind}-costs {' '.join(as_list(getattr(input, f'{kind}_costs')))}"
        for kind in kinds
        if hasattr(input, f"{kind}_costs")
    )


def removal_settings(w):
    """Params: what decides which examples are removed; how many models and completions follow does not."""
    s = settings_of(w)
    counts = ("seeds", "reference", "completions")
    return json.dumps({"seed": s["seed"], "removal": {k: v for k, v in s["removal"].items() if k not in counts}})


def removal_methods(w):
    return [method for method in settings_of(w)["removal"]["methods"] if method != plan.CONTROL]


def ablation_inputs(w):
    s = settings_of(w)
    kept = range(s["training"]["checkpoints"] - max(s["ablation"]["checkpoints"]), s["training"]["checkpoints"])
    return material_inputs(w, ["estimation"]) | {
        "variants": [file for name in plan.projections(s) for file in feature_files(w, projection=name)],
        "checkpoints": feature_files(w, checkpoints=kept),
    }
