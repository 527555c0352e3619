import json
import os
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

from trakway import __version__
from trakway.runtime import provenance


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with one commit, as working directory; returns its git command."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def git(*words):
        identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
        return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "One")
    return git


class TestRevision:
    def test_clean(self, repository):
        assert provenance.revision() == {"commit": repository("rev-parse", "HEAD"), "changed": False}

    def test_a_changed_tracked_file_counts_and_an_untracked_one_does_not(self, repository, tmp_path):
        (tmp_path / "other").write_text("untracked")
        assert provenance.revision()["changed"] is False
        (tmp_path / "file").write_text("two")
        assert provenance.revision()["changed"] is True
        repository("add", "file")
        assert provenance.revision()["changed"] is True
        repository("commit", "-m", "Two")
        assert provenance.revision() == {"commit": repository("rev-parse", "HEAD"), "changed": False}

    def test_outside_git(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        assert provenance.revision() == {"commit": None, "changed": None}

    def test_without_git(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert provenance.revision() == {"commit": None, "changed": None}


def test_versions_of_what_is_installed(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-at-all", "torch"))
    assert provenance.versions() == {name: metadata.version(name) for name in ("numpy", "torch")}


def test_hardware():
    found = provenance.hardware()
    assert found["processor"]
    assert found["cores"] == os.cpu_count()
    assert 0.1 < found["memory_gib"] < 2**20
    assert set(found) == {"processor", "cores", "memory_gib", "system", "gpu"}


def test_a_computer_has_a_gpu_only_where_torch_is_in_use_and_sees_one(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "one kind")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert provenance.computer() == {"processor": provenance._processor(), "gpu": "one kind"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert provenance.computer()["gpu"] is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delitem(sys.modules, "torch")
    assert provenance.computer()["gpu"] is None


def test_processor_where_the_system_does_not_tell(monkeypatch):
    def refused(*arguments):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refused)
    monkeypatch.setattr(provenance.platform, "processor", lambda: "")
    monkeypatch.setattr(provenance.platform, "machine", lambda: "a machine")
    assert provenance._processor() == "a machine"


def test_the_record_is_plain_json_and_holds_the_settings():
    settings = {"name": "mine", "scores": {"ridge": [0.1]}}
    found = provenance.provenance("demo", settings)
    assert json.loads(json.dumps(found)) == found
    assert (found["tier"], found["settings"], found["trakway"]) == ("demo", settings, __version__)
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(found["revision"]) == {"commit", "changed"}
    assert found["packages"]["torch"] == metadata.version("torch")
