"""The command ``trakway explore``: open the explorer of an experiment in the browser, or serve it."""

import argparse
import functools
import shlex
import sys
import webbrowser
from collections.abc import Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from trakway.errors import UserError
from trakway.plan.suggestions import did_you_mean

PORT = 8765
EXPERIMENTS = Path("config/experiments")  # below the folder where one works, as results are


def main(words: Sequence[str] | None = None) -> None:
    """Run ``trakway`` with the words of a command line, by default those of this process."""
    parser = argparse.ArgumentParser(prog="trakway", description="Look at what an experiment has found.")
    commands = parser.add_subparsers(dest="command", required=True)
    explore = commands.add_parser("explore", help="open the explorer of an experiment", description=__doc__)
    explore.add_argument("experiment", help="its results, e.g. results/demo/fashion_ldm, or its name alone")
    explore.add_argument("--results", type=Path, default=Path("results"), help="where a name alone is looked for")
    explore.add_argument(
        "--serve",
        type=int,
        nargs="?",
        const=PORT,
        metavar="PORT",
        help=f"serve it to browsers of this machine, on port {PORT} if none is given, in the place of opening one",
    )
    arguments = parser.parse_args(words)
    try:
        page = find(arguments.experiment, arguments.results)
        if arguments.serve is None:
            show(page)
        else:
            serve(page.parent, arguments.serve)
    except UserError as error:
        sys.exit(f"error: {error}")


def find(experiment: str, results: Path = Path("results")) -> Path:
    """Return the page of an explorer.

    Args:
        experiment: its folder of results, the explorer's own folder or page, or the experiment's name alone, of which
            the tier built last is taken.
        results: where a name alone is looked for.

    Raises:
        UserError: there is none.
    """
    named = Path(experiment)
    for page in (named / "explorer/index.html", named / "index.html", named):
        if _is_explorer(page):
            return page
    built = sorted(filter(_is_explorer, results.glob("*/*/explorer/index.html")))
    if own := [page for page in built if page.parents[1].name == experiment]:
        return max(own, key=lambda page: page.stat().st_mtime)
    there = ", ".join(shlex.quote(str(page.parents[1])) for page in built) or "none is built yet"
    name, known = named.resolve().name, {path.stem for path in EXPERIMENTS.glob("*.yaml")}
    advice = did_you_mean(name, known | {page.parents[1].name for page in built})
    if name in known or not advice:
        advice = f"Build it with snakemake --cores all -- {name if name in known else 'NAME'}_explorer"
    raise UserError(f"{experiment}: found no explorer; allowed: {there}. {advice.strip()}")


def _is_explorer(page: Path) -> bool:
    return page.name == "index.html" and page.is_file() and (page.parent / "data/index.js").is_file()


def show(page: Path) -> None:
    """Open a page in the browser, and say where it is."""
    print(page, flush=True)
    if not webbrowser.open(page.resolve().as_uri()):
        print("No browser can be opened here: copy the folder, or run again with --serve.", flush=True)


def serve(folder: Path, port: int) -> None:
    """Serve a folder to browsers of this machine until it is interrupted.

    Raises:
        UserError: the port is taken, or none.
    """
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        raise UserError(f"--serve: found port {port}, {error}; allowed: a free one; choose another") from None
    with server:
        print(f"http://127.0.0.1:{server.server_address[1]}/ (interrupt to end)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
