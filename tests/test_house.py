"""Where things belong: tasks and images in rooms of their own, imports one way, nothing heavy to read a workflow."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from trakway import plan

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/trakway"
MODULES = sorted(PACKAGE.rglob("*.py"))

LEVELS = (
    ("errors", "seeds"),
    ("plan",),
    ("runtime", "storage"),
    ("targets",),
    ("metrics", "subsets"),
    ("data", "models"),
    ("tasks",),
    ("training",),
    ("outputs", "generation", "projection"),
    ("gradients",),
    ("curvature", "metagradients"),
    ("features",),
    ("attribution",),
    ("report",),
    ("validation", "forecast"),
    ("figures",),
    ("explorer",),
    ("config", "notebook"),
)
"""The rooms, lowest first: each imports from lower levels and itself alone, `runtime` and `storage` from each other."""

OPENS_IMAGES = ("data/", "models/", "tasks/", "figures/")
NOT_YET: set[str] = set()
"""Files that still open images, and should not."""


def names_of_tasks() -> list[str]:
    classes = [plan.place("task", name).name for name in plan.modalities()]
    return [*plan.modalities(), *classes]


def texts() -> dict[str, str]:
    """Return source files that may name no task: of the library, the scripts and the workflow."""
    files = [*MODULES, *ROOT.glob("scripts/*.py"), *ROOT.glob("workflow/**/*.smk"), ROOT / "workflow/Snakefile"]
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files if file.parent != PACKAGE / "tasks"}


def test_no_task_is_named_outside_its_room():
    words = re.compile("|".join(rf"\b{name}\b" for name in (*names_of_tasks(), "DIFFUSION")))
    found = [f"{name}: {match[0]}" for name, text in texts().items() for match in words.finditer(text)]
    assert not found


def room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> set[str]:
    """Return the dotted names of this library that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("trakway.")}


def test_images_are_opened_by_their_own_rooms():
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in MODULES
        if any(name.startswith("trakway.data.images") or name.endswith(".ImageData") for name in imports(file))
    }
    assert {name for name in found if not name.startswith(OPENS_IMAGES)} == NOT_YET


def test_imports_go_one_way():
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    together = {"runtime", "storage"}
    wrong = []
    for file in MODULES:
        own = room(file)
        for name in imports(file):
            other = name.split(".")[1]
            if own == "__init__" or other in (own, "__version__") or {own, other} == together:
                continue
            if level[other] >= level[own]:
                wrong.append(f"{file.relative_to(PACKAGE)} imports {name}")
    assert not wrong


def test_every_room_has_a_level_and_few_modules_lie_loose():
    rooms = {room(file) for file in MODULES} - {"__init__"}
    assert rooms == {name for names in LEVELS for name in names}
    assert len(list(PACKAGE.glob("*.py"))) <= 5


HEAVY = {"torch", "pandas", "numba", "scipy", "matplotlib", "sklearn", "diffusers"}
if importlib.util.find_spec("snakemake_executor_plugin_slurm"):
    HEAVY.remove("pandas")  # Snakemake loads every executor that is installed, and SLURM's takes it


def test_reading_the_workflow_imports_nothing_heavy(tmp_path):
    """Where nothing has been built; Snakemake itself takes pandas to compare the settings of an earlier run."""
    program = (
        "import sys\nfrom snakemake.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as status:\n    assert not status.code, status.code\n"
        f"heavy = {HEAVY!r}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    words = [
        "-s",
        str(ROOT / "Snakefile"),
        "--dry-run",
        "--quiet",
        "all",
        "--cores",
        "1",
        "--config",
        "tier=smoke",
        "--",
        "fashion_resnet_lds",
    ]
    done = subprocess.run([sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
