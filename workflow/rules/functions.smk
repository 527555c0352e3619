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
    return [plan.shortest(file) for file in plan.code_files(REPOSITORY / f"scripts/{script}.py", *further)]


def task_code(script, *further):
    """Input: likewise of a script that works on the task of an ensemble, of members where none is a wildcard.

    Args:
        further: other ensembles whose tasks it works on too, where the experiment has them.
    """

    def files(w):
        s = settings_of(w)
        named = [getattr(w, "ensemble", "members"), *(e for e in further if e in plan.ensemble_sizes(s))]
        return code(script, *(file for ensemble in named for file in plan.definitions(s, ensemble)))

    return files


def method_code(script, methods):
    """Input: likewise of a script that runs attribution methods, told by a function of the wildcards."""
    return lambda w: code(script, *(REPOSITORY / f"src/trakway/attribution/methods/{m}.py" for m in methods(w)))


def ensembles_of(w):
    return list(plan.ensemble_sizes(settings_of(w)))


def shards_of(w, ensemble):
    """Return the shards of an ensemble: members in jobs of their own size, since features follow the same cut."""
    s = settings_of(w)
    subsets, seeds = plan.ensemble_sizes(s)[ensemble]
    return plan.shards(
        subsets * seeds, s["execution"]["members_per_job" if ensemble == "members" else "models_per_job"]
    )


def shard_files(w, ensemble, folder, suffix):
    """Return one path a shard, e.g. results/demo/NAME/outputs/evaluation/00000-00025.npy."""
    return [f"{root_of(w)}/{folder}/{ensemble}/{shard}{suffix}" for shard in shards_of(w, ensemble)]


def pictures_of(w):
    """Return what lies beside the table of targets, such as generated images and their journeys."""
    return [f"{root_of(w)}/targets/{file}" for file in plan.modality_of(settings_of(w)).target_files]


def outputs_of(ensemble):
    return lambda w: shard_files(w, ensemble, "outputs", ".npy")


def feature_files(w, need="features", pattern="features/{}/info.json", projection=None, checkpoints=None):
    """Return a file a shard of members: by default of the experiment's own projection and the final checkpoint."""
    s = settings_of(w)
    projection = projection or plan.projection_name(s["projection"])
    if checkpoints is None:
        checkpoints = all_checkpoints(w) if need == "checkpoints" else [s["training"]["checkpoints"] - 1]
    shards = [
        f"{projection}/{function}/{checkpoint}/{shard}"
        for function in plan.feature_functions(need, s)
        for checkpoint in checkpoints
        for shard in shards_of(w, "members")
    ]
    return [f"{root_of(w)}/{pattern.format(shard)}" for shard in shards]


def all_checkpoints(w):
    return range(settings_of(w)["training"]["checkpoints"])


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


def checked_settings(s):
    """Return what the tasks of an experiment and of its domain are built from, with all that decides their targets."""
    return plan.target_settings(s, "training") | ({"domain": s["domain"]} if s["domain"] else {})


def adopted(w):
    """Params: a user's own checkpoints in the place of trained members."""
    folders = settings_of(w)["members"]["checkpoints"] if w.ensemble == "members" else None
    return f"--adopt {words(folders)}" if folders else ""


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
        return words(os.path.dirname(file) for file in as_list(files))

    s = settings_of(w)
    found = [f"--block {s['execution']['block']}"]
    for name in ("features", "checkpoints", "norm", "windows", "representations"):
        if hasattr(input, name):
            found.append(f"--{name} {folders(getattr(input, name))}")
    if hasattr(input, "estimation_subsets"):
        outputs = words(input.estimation_outputs)
        found.append(f"--estimation-subsets {words(input.estimation_subsets)} --estimation-outputs {outputs}")
        found.append(f"--estimation-seeds {s['bank']['estimation']['seeds']}")
    return " ".join(found)


def words(files):
    """Return one file or several as words of a command line."""
    return " ".join(map(shlex.quote, as_list(files)))


def as_list(files):
    """Snakemake hands over one file as text, several as a list."""
    return [files] if isinstance(files, str) else list(files)


def scores_of(suffix):
    return lambda w: [f"{root_of(w)}/scores/{m}{suffix}" for m in settings_of(w)["methods"]]


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
        f"--{kind}-costs {words(getattr(input, f'{kind}_costs'))}" for kind in kinds if hasattr(input, f"{kind}_costs")
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


def title(text):
    return lambda w: f"{w.name} ({w.tier}): {text}"


def figure(name, subcategory, suffix="png"):
    return report(
        f"{ROOT}/figures/{name}.{suffix}", caption=f"../report/{name}.rst", category="{name}", subcategory=subcategory
    )


def completion_files(w):
    """Return the index of every shard's completions, those of the original model first."""
    return [
        f"{root_of(w)}/completions/{ensemble}/{shard}/index.parquet"
        for ensemble in ("reference", "removal")
        for shard in shards_of(w, ensemble)
    ]


def all_costs(w):
    """Return the cost of everything but the ablation, which a run need not have."""
    s = settings_of(w)
    root = root_of(w)
    needs = sorted({need for method in s["methods"] for need in plan.NEEDS[method]})
    stages = ["data", "lds", "cost", "removal"] + (["representations"] if "representations" in needs else [])
    files = [file for e in ensembles_of(w) for file in shard_files(w, e, "costs/train", ".json")]
    files += [file for e in ensembles_of(w) for file in shard_files(w, e, "costs/outputs", ".json")]
    files += [file for need in needs for file in feature_files(w, need, "costs/features/{}.json")]
    files += [f"{root}/costs/scores/{method}.json" for method in s["methods"]]
    if plan.modality_of(s).has(needs=("steps",)):
        stages += ["targets", "shift", "emergence", "timestep_correlation"]
        files += shard_files(w, "reference", "costs/completions", ".json")
        files += shard_files(w, "removal", "costs/completions", ".json")
    return [f"{root}/costs/{stage}.json" for stage in stages] + list(dict.fromkeys(files))


def whole(name, tier):
    """Return what an experiment's report is made of."""
    root = ROOT.format(tier=tier, name=name)
    settings = SETTINGS[tier][name]
    figures = [f"{figure}.png" for figure in those_of(FIGURES, settings)]
    if plan.modality_of(settings).has(needs=("steps",)):
        figures += ["animation.gif"] + (["localisation.png"] if settings["journey"]["patches"] else [])
    return (
        [f"{root}/tables/{table}.csv" for table in those_of(TABLES, settings)]
        + [f"{root}/figures/{figure}" for figure in figures]
        + [f"{root}/provenance.json"]
    )


def ablation(name, tier):
    root = ROOT.format(tier=tier, name=name)
    return [f"{root}/tables/ablation.csv", f"{root}/figures/ablation.png"]
