from trakway import plan

SETTINGS = {
    "task": "image_classification",
    "methods": ["trak"],
    "members": {"count": 5, "checkpoints": None},
    "bank": {"evaluation": {"subsets": 4, "seeds": 3}, "estimation": {"subsets": 0, "seeds": 1}, "fixed": None},
    "removal": {"targets": 1, "fractions": [0.1], "sides": ["top"], "methods": ["trak"], "random": 2}
    | {"seeds": 2, "fixed": 0, "reference": 1},
    "autoencoder": None,
    "domain": None,
    "training": {"checkpoints": 4},
    "projection": {"kind": "sjlt", "dim": 8, "nonzeros": 1},
    "ablation": {"dim": [], "projection": ["identity"], "preconditioner": []},
    "execution": {"members_per_job": 3, "models_per_job": 10},
}
CHANGED = {"preconditioner": "kronecker", "preconditioner_examples": 6, "damping": 0.01}


def test_members_are_cut_in_a_way_of_their_own():
    assert plan.ensemble_shards(SETTINGS, "members") == ["00000-00003", "00003-00005"]
    assert plan.ensemble_shards(SETTINGS, "evaluation") == ["00000-00006", "00006-00012"]
    assert plan.ensemble_shards(SETTINGS, "removal") == ["00000-00006"]
    assert plan.ensemble_shards(SETTINGS, "estimation") == []


def test_files_of_shards():
    expected = ["outputs/members/00000-00003.npy", "outputs/members/00003-00005.npy"]
    assert plan.shard_files(SETTINGS, "members", "outputs", ".npy") == expected


def test_features_of_the_final_checkpoint_by_the_own_projection():
    expected = ["sjlt1-8/norm/3/00000-00003", "sjlt1-8/norm/3/00003-00005"]
    assert plan.feature_folders(SETTINGS, "norm") == expected
    assert plan.feature_folders(SETTINGS, "norm", [3], "sjlt1-8") == expected
    assert plan.final_checkpoint(SETTINGS) == 3


def test_features_of_other_checkpoints_and_projections():
    found = plan.feature_folders(SETTINGS, "output", range(2), "identity")
    assert found == [f"identity/output/{n}/{shard}" for n in (0, 1) for shard in ("00000-00003", "00003-00005")]


def test_descriptions_and_costs():
    folders = plan.feature_folders(SETTINGS, "output")[:1]
    assert plan.feature_files(folders) == [f"features/{folders[0]}/{name}.json" for name in ("train", "targets")]
    assert plan.feature_files(folders, targets=False) == [f"features/{folders[0]}/train.json"]
    assert plan.feature_costs(SETTINGS, folders) == [f"costs/{file}" for file in plan.feature_files(folders)]


def test_preconditioners_are_shared_by_functions_and_projections():
    settings = SETTINGS | {"projection": SETTINGS["projection"] | CHANGED}
    folders = [
        *plan.feature_folders(settings, "output"),
        *plan.feature_folders(settings, "norm"),
        *plan.feature_folders(settings, "output", projection="kronecker-6-0.01-identity"),
    ]
    costs = plan.feature_costs(settings, folders, targets=False)
    assert costs[:6] == [f"costs/features/{folder}/train.json" for folder in folders]
    shards = ("00000-00003", "00003-00005")
    assert costs[6:] == [f"costs/preconditioners/kronecker-6-0.01/3/{shard}.json" for shard in shards]
