from trakway.features import members as module
from trakway.features.members import members_of


def test_members_of_a_shard(monkeypatch, tmp_path):
    """Their index, the file of the checkpoint that is asked for, and how it is loaded, when it is."""
    calls = []
    monkeypatch.setattr(module, "load_model", lambda *given: calls.append(given) or len(calls))
    models = [
        {"index": index, "checkpoints": [{"file": f"{index}-{kept}.safetensors"} for kept in range(3)]}
        for index in (5, 6)
    ]
    for checkpoint, last in ((-1, 2), (0, 0), (1, 1)):
        found = members_of("task", {"models": models}, tmp_path, checkpoint)
        assert [(member.index, member.file) for member in found] == [(i, f"{i}-{last}.safetensors") for i in (5, 6)]
        assert not calls
        assert [member.load() for member in found] == [1, 2]
        assert calls == [("task", tmp_path, model, checkpoint) for model in models]
        calls.clear()
    assert members_of("task", {"models": models}, tmp_path)[1].file == "6-2.safetensors"
