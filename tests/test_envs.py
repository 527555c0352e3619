"""The pins, the conda environments and pyproject.toml must tell the same story."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "envs" / "constraints.txt").read_text().splitlines()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {extra: [Requirement(line) for line in lines] for extra, lines in PROJECT["optional-dependencies"].items()}


def pins(lines):
    """Return {canonical name: version} of ``name==version`` lines whose marker, if any, holds here."""
    requirements = [Requirement(line) for line in lines]
    return {
        canonicalize_name(r.name): Version(str(r.specifier).removeprefix("=="))
        for r in requirements
        if r.marker is None or r.marker.evaluate()
    }


def names(requirements):
    return {canonicalize_name(r.name) for r in requirements}


def conda(kind):
    """Return the parsed ``envs/<kind>.yaml`` and its pip section."""
    env = yaml.safe_load((ROOT / "envs" / f"{kind}.yaml").read_text())
    (section,) = [entry["pip"] for entry in env["dependencies"] if isinstance(entry, dict)]
    return env, section


def test_constraints_are_only_sorted_names_and_versions():
    pin = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!]*( ; [a-z_]+ [<>=!]+ ['\"][A-Za-z0-9.]+['\"])?")
    assert [line for line in LINES if not pin.fullmatch(line)] == []
    keys = [line.split("==")[0].upper() for line in LINES]
    assert keys == sorted(keys)
    if not any(";" in line for line in LINES):
        assert len({canonicalize_name(key) for key in keys}) == len(keys)


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_every_dependency_is_pinned_within_its_bounds(extra):
    pinned = pins(LINES)
    for requirement in EXTRAS[extra] if extra else DIRECT:
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in envs/constraints.txt"
        assert version in requirement.specifier, f"{requirement} does not admit the pinned {version}"
        assert requirement.specifier, f"{requirement.name} has no lower bound in pyproject.toml"


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_conda_pins_equal_the_constraints(kind):
    env, section = conda(kind)
    pinned = pins(LINES)
    assert pins(section) == {name: pinned.get(name) for name in pins(section)}
    assert env["channels"] == ["conda-forge", "nodefaults"]
    (python,) = [entry for entry in env["dependencies"] if str(entry).startswith("python=")]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python.split("=")[1])


def test_conda_environments_hold_what_jobs_import():
    jobs = {name for name in names(DIRECT) if not name.startswith("snakemake")}
    assert set(pins(conda("cpu")[1])) == jobs
    assert set(pins(conda("cuda")[1])) == jobs | names(EXTRAS["cuda"])


def test_the_image_holds_what_the_conda_environment_with_cuda_holds():
    definition = (ROOT / "envs/trakway.def").read_text()
    command = re.search(r"sed -n .* /opt/cuda.yaml", definition).group().replace("/opt", str(ROOT / "envs"))
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout.split()
    env, section = conda("cuda")
    assert found == section
    (python,) = [entry.removeprefix("python=") for entry in env["dependencies"] if str(entry).startswith("python=")]
    assert f"From: python:{python}-" in definition


def needs(requirement, version):
    """Return what ``requirement`` (with its extras) needs; nothing if another version than the pinned is installed."""
    try:
        distribution = metadata.distribution(requirement.name)
    except metadata.PackageNotFoundError:
        return []
    if Version(distribution.version) != version:
        return []
    lines = [Requirement(line) for line in distribution.requires or []]
    extras = [{"extra": extra} for extra in requirement.extras or {""}]
    return [r for r in lines if r.marker is None or any(r.marker.evaluate(extra) for extra in extras)]


def test_constraints_are_complete_and_agree_with_each_other():
    """What a pinned package needs is pinned too, at a version it admits."""
    pinned = pins(LINES)
    waiting = [*DIRECT, *(r for extra in EXTRAS.values() for r in extra)]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{requirement} is needed but not in envs/constraints.txt"
        version = pinned[name]
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, but pinned {version}"
        if (name, *sorted(requirement.extras)) not in seen:
            seen.add((name, *sorted(requirement.extras)))
            waiting += needs(requirement, version)


def test_installed_versions_equal_the_pins():
    if not (Path(sys.prefix) / ".trakway" / "constraints.txt").exists():
        pytest.skip("this environment was not made by the Makefile")
    pinned = pins(LINES)
    wanted = {name: str(pinned[name]) for name in names(DIRECT + EXTRAS["dev"])}
    assert {name: metadata.version(name) for name in wanted} == wanted, "remove the environment and call make again"
