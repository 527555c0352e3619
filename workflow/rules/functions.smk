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


def metagradient_settings(w):
    s = settings_of(w)
    return json.dumps(plan.target_settings(s, "training") | {"metagradient": {"start": s["metagradient"]["start"]}})


def point(w):
    """Return where training is differentiated: as the wildcard says, else the first place of all."""
    return getattr(w, "at", settings_of(w)["metagradient"]["at"][0])


def point_subsets(w):
    """Input: the members' own subsets, where training is differentiated there."""
    return [f"{root_of(w)}/subsets/members.npy"] if point(w) == "members" else []


def point_arguments(w):
    subsets = f" --subsets {words(point_subsets(w))}" if point_subsets(w) else ""
    return f"--at {point(w)} --fraction {settings_of(w)['bank']['fraction']}{subsets}"


def influence_settings(w):
    s = settings_of(w)
    return json.dumps(plan.target_settings(s, "curvature") | {"scores": {"damping": s["scores"]["damping"]}})


def execution(key):
    """Params that never change a result: a function of the input is not among what Snakemake compares."""
    return lambda w, input: settings_of(w)["execution"][key]


def device(w, input):
    """Params, likewise not compared: where to compute."""
    return DEVICE


@functools.cache
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


def method_code(script, names):
    """Input: likewise of a script that runs the methods which a function of the wildcards names."""

    def files(w):
        chosen = plan.methods_of(settings_of(w))
        return code(script, *(chosen[name].file for name in names(w) if chosen[name].file))

    return files


def shard_with(w, ensemble, index):
    """Input: the descriptions of the shards of an ensemble that hold a model: one, or none."""
    files = shard_files(w, ensemble, "train", ".json")
    return [file for file in files if int(index) in plan.shard_range(Path(file).stem)]


def ensembles_of(w):
    return list(plan.ensemble_sizes(settings_of(w)))


def shard_files(w, ensemble, folder, suffix):
    """Return one path a shard, e.g. results/demo/NAME/outputs/evaluation/00000-00025.npy."""
    return below(w, plan.shard_files(settings_of(w), ensemble, folder, suffix))


def results_of(name, tier, files):
    """Return paths below an experiment's folder."""
    return [f"{ROOT.format(tier=tier, name=name)}/{file}" for file in files]


def below(w, files):
    """Return paths below the folder of the wildcards' experiment."""
    return results_of(w.name, w.tier, files)


def words(files):
    """Return files as words of a command line, those of all shards as one word."""
    return " ".join(map(shlex.quote, plan.compact(as_list(files))))


def pictures_of(w):
    """Return what lies beside the table of targets, such as generated images and their journeys."""
    return below(w, [f"targets/{file}" for file in plan.modality_of(settings_of(w)).target_files])


def own_places(w):
    """Return the user's own files and folders that the data come from."""
    return plan.data_files(settings_of(w)) + plan.data_folders(settings_of(w))


def own_data(w):
    """Input: the user's own files that the data come from, and a stamp that changes when they or folders do."""
    return plan.data_files(settings_of(w)) + stamps(own_places(w), f"{root_of(w)}/data/own")


def seen_data(w, input):
    """Params: where to take down what the user's own files and folders hold, now that it is read."""
    return f"--own {words([f'{root_of(w)}/data/own'])}" if own_places(w) else ""


def stamps(places, folder):
    """Return a stamp in a folder that changes when the user's own files or folders do; none where there are none."""
    return [str(stamped(places, Path(folder)))] if places else []


def exchanged(w, input):
    """Params, likewise not compared: for how many samples the data must have captions of several classes."""
    targets = settings_of(w)["targets"]
    return f"--exchanged {targets['exchanged']}" if targets["exchanged"] > len(targets["captions"]) else ""


def data_of(w):
    """Input: the prepared data, with what is encoded of them where the experiment's own task reads it."""
    encodes = plan.modality_of(settings_of(w)).encodes and getattr(w, "ensemble", "members") not in plan.ALONE
    encoded = ["data/encoding.json"] if encodes else []
    return below(w, ["data/meta.json", "data/examples.parquet", *encoded])


def autoencoder_of(w):
    """Input: the autoencoder that was trained to encode with; none where there is none, or the user's own."""
    trained = "autoencoder" in plan.ensemble_sizes(settings_of(w))
    return shard_files(w, "autoencoder", "train", ".json") if trained else []


def encoding_settings(w):
    """Params: what decides how examples are encoded."""
    s = settings_of(w)
    return json.dumps(section(s, "seed", "task", "model", *(["autoencoder"] if s["autoencoder"] else [])))


def outputs_of(ensemble):
    return lambda w: shard_files(w, ensemble, "outputs", ".npy")


def subset_count(w):
    return plan.ensemble_sizes(settings_of(w))[w.ensemble][0]


def subset_fraction(w):
    """Params: the shares of the training set that an ensemble's subsets hold, as many of each."""
    s = settings_of(w)
    if w.ensemble == "fixed":
        return [1 - dropped for dropped in s["bank"]["fixed"]["dropped"]]
    own = {"members": s["members"]["fraction"], "reference": 1.0, **dict.fromkeys(plan.ALONE, 1.0)}
    return own.get(w.ensemble, s["bank"]["fraction"])


def training_settings(w):
    """Params: members keep intermediate checkpoints, all others the final model alone."""
    s = copy.deepcopy(plan.task_settings(settings_of(w), w.ensemble, "training"))
    if w.ensemble != "members":
        s["training"]["checkpoints"] = 1
    return json.dumps(s)


def checked_settings(s):
    """Return what the tasks of an experiment and of its domain are built from, with all that decides their targets."""
    return plan.target_settings(s, "training") | {name: s[name] for name in plan.ALONE if s[name]}


def adopted(w):
    """Params: a user's own checkpoints in the place of trained members."""
    folders = settings_of(w)["members"]["checkpoints"] if w.ensemble == "members" else None
    return f"--adopt {' '.join(map(shlex.quote, folders))}" if folders else ""


def adopted_files(w):
    """Input: a stamp that changes when the user's own checkpoints do."""
    folders = settings_of(w)["members"]["checkpoints"] if w.ensemble == "members" else None
    return stamps(folders, f"{root_of(w)}/train/adopted")


def output_roles(w):
    """Params: the roles of the targets that an ensemble's models are evaluated on."""
    return " ".join(plan.OUTPUT_ROLES.get(w.ensemble, ("evaluation",)))


def output_settings(w):
    s = settings_of(w)
    return json.dumps(plan.target_settings(s) if output_roles(w) else plan.task_settings(s, w.ensemble))


def feature_settings(w):
    s = settings_of(w)
    return json.dumps(plan.feature_settings(s) | {"projection": plan.projections(s)[w.projection]})


def target_feature_settings(w):
    s = settings_of(w)
    return json.dumps(plan.target_settings(s) | {"projection": plan.projections(s)[w.projection]})


def preconditioner_settings(w):
    s = settings_of(w)
    named = {plan.preconditioner_name(projection): projection for projection in plan.projections(s).values()}
    keys = ("preconditioner", "preconditioner_examples", "damping")
    chosen = {key: named[w.preconditioner][key] for key in keys}
    return json.dumps(plan.feature_settings(s) | {"projection": chosen})


def preconditioner_of(w):
    """Return the preconditioners of a shard that a projection asks for."""
    name = plan.preconditioner_name(plan.projections(settings_of(w))[w.projection])
    return [f"{root_of(w)}/preconditioners/{name}/{w.checkpoint}/{w.shard}/info.json"] if name else []


def preconditioner_argument(w, input):
    return "".join(f"--preconditioner {shlex.quote(file)}" for file in preconditioner_of(w))


def method_inputs(w):
    """Return what a method reads, the estimation bank where options are chosen with it, or its array of scores."""
    chosen = plan.method_of(settings_of(w), w.method)
    return material_inputs(w, [chosen]) | ({"given": chosen.scores} if chosen.scores else {})


def own_method(w):
    """Input: a user's own array, or the file of a function, with a stamp that changes when its contents do."""
    chosen = plan.method_of(settings_of(w), w.method)
    file = str(chosen.scores or chosen.file)
    return [file, *stamps([file], own_method_folder(w))]


def own_method_folder(w):
    return f"{root_of(w)}/checked/{w.method}"


def material_inputs(w, chosen):
    """Return the files of the inputs of methods, by the names of the inputs."""
    s = settings_of(w)
    found = {name: below(w, INPUTS[name].files(s)) for name in inputs_of(chosen)}
    return {name: files for name, files in found.items() if files}


def material_arguments(w, input, methods=None):
    """Return the arguments of trakway.attribution.arguments for the inputs of a rule, and of those without files."""
    chosen = plan.methods_of(settings_of(w))
    names = inputs_of([chosen[name] for name in methods or chosen])
    found = [f"--input {name} {words(getattr(input, name, []))}" for name in names]
    return " ".join([f"--block {settings_of(w)['execution']['block']}", *found])


def as_list(files):
    """Snakemake hands over one file as text, several as a list."""
    return [files] if isinstance(files, str) else list(files)


def cost_inputs(w):
    """Return the material of all methods, and what their models cost."""
    chosen = list(plan.methods_of(settings_of(w)).values())
    arrays = {"given": [method.scores for method in chosen if method.scores]}
    costs = [file for files in cost_files(w).values() for file in files]
    return material_inputs(w, chosen) | arrays | {"costs": list(dict.fromkeys(costs))}


def cost_files(w):
    """Return for each method the files of what its models cost: each ensemble's training, and what the method reads."""
    s = settings_of(w)
    found = {}
    for name, chosen in plan.methods_of(s).items():
        reads = [INPUTS[read] for read in chosen.method.reads]
        ensembles = dict.fromkeys(filter(None, (read.ensemble(s) for read in reads)))
        trained = [file for ensemble in ensembles for file in plan.shard_files(s, ensemble, "costs/train", ".json")]
        encoded = ["costs/encode.json"] * (plan.modality_of(s).encodes and bool(ensembles))
        found[name] = below(
            w, dict.fromkeys(encoded + trained + [file for read in reads for file in read.paid(s, chosen.options)])
        )
    return found


def cost_arguments(w, input):
    return " ".join(f"--models-cost {name} {words(files)}" for name, files in cost_files(w).items() if files)


def method_settings(*names):
    """Params: what decides the scores of all methods, and the named sections."""

    def settings(w):
        s = settings_of(w)
        chosen = [method.settings() for method in plan.methods_of(s).values()]
        return json.dumps({"seed": s["seed"], "task": s["task"], "methods": chosen} | section(s, *names))

    return settings


def removal_settings(w):
    """Params: what decides which examples are removed; how many models and completions follow does not."""
    s = settings_of(w)
    counts = ("seeds", "fixed", "reference", "completions")
    return json.dumps({"seed": s["seed"], "removal": {k: v for k, v in s["removal"].items() if k not in counts}})


def removal_methods(w):
    return [method for method in settings_of(w)["removal"]["methods"] if method != plan.CONTROL]


def methods_per_step(w):
    """Params: those of the removal's methods whose scores differ from step to step."""
    return " ".join(name for name in plan.step_methods(settings_of(w)) if name in removal_methods(w))


def ablation_inputs(w):
    s = settings_of(w)
    chosen = plan.methods_of(s)[plan.main_method(s)]
    kept = range(s["training"]["checkpoints"] - max(s["ablation"]["checkpoints"]), s["training"]["checkpoints"])
    variants = [folder for name in plan.projections(s) for folder in plan.feature_folders(s, "output", projection=name)]
    return material_inputs(w, [chosen]) | {
        "variants": below(w, plan.feature_files(variants)),
        "checkpoints": below(w, plan.feature_files(plan.feature_folders(s, "output", kept))),
    }


def ablation_arguments(w, input):
    own = material_arguments(w, input, [plan.main_method(settings_of(w))])
    return f"{own} --input checkpoints {words(input.checkpoints)} --variants {words(input.variants)}"


def explorer_inputs(w):
    """Input: what the parts of the explorer read, by the experiment's modality."""
    s = settings_of(w)
    files = [file for part in explorer.parts_of(s) for file in files_of(part)(w)]
    return list(dict.fromkeys(files + below(w, explorer.feature_files(s))))


def explorer_values(w):
    """Params: the values of the settings that it is made from."""
    s = settings_of(w)
    return json.dumps([part.values(s) for part in explorer.parts_of(s)])
