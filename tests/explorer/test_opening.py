import threading
import time
import urllib.request

import pytest

from trakway.errors import UserError
from trakway.explorer import opening


@pytest.fixture
def results(tmp_path):
    for tier in ("demo", "smoke"):
        page = tmp_path / f"results/{tier}/mine/explorer/index.html"
        (page.parent / "data").mkdir(parents=True)
        (page.parent / "data/index.js").touch()
        page.write_text(f"<p>{tier}")
        time.sleep(0.02)
    return tmp_path / "results"


@pytest.mark.parametrize("words", ["demo/mine", "demo/mine/explorer", "demo/mine/explorer/index.html"])
def test_an_explorer_is_found_by_its_folder(results, words):
    assert opening.find(str(results / words)) == results / "demo/mine/explorer/index.html"


def test_of_a_name_alone_the_one_built_last_is_taken(results):
    assert opening.find("mine", results) == results / "smoke/mine/explorer/index.html"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("other", "Build it with snakemake --cores all -- other_explorer"),  # an experiment that has none yet
        ("results/demo/other", "Build it with snakemake --cores all -- other_explorer"),
        ("mime", 'Did you mean "mine"?'),
        ("othr", 'Did you mean "other"?'),
        (".", "Build it with snakemake --cores all -- NAME_explorer"),
        ("*", "Build it with snakemake --cores all -- NAME_explorer"),
    ],
)
def test_what_is_there_is_said_where_something_else_was_asked_for(results, monkeypatch, words, advice):
    monkeypatch.chdir(results.parent)
    file = opening.EXPERIMENTS / "other.yaml"
    file.parent.mkdir(parents=True)
    file.touch()
    with pytest.raises(UserError) as error:
        opening.find(words)
    assert str(error.value) == f"{words}: found no explorer; allowed: results/demo/mine, results/smoke/mine. {advice}"


def test_a_page_without_data_is_no_explorer(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    (results / "demo/mine").rename(results / "demo/two words")
    (results / "smoke/mine/explorer/data/index.js").unlink()
    with pytest.raises(UserError, match="allowed: 'results/demo/two words'\\."):
        opening.find("results/smoke/mine/explorer")


def test_the_browser_is_opened(results, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(opening.webbrowser, "open", lambda link: opened.append(link) or False)
    opening.main(["explore", "mine", "--results", str(results)])
    assert opened == [(results / "smoke/mine/explorer/index.html").as_uri()]
    assert "--serve" in capsys.readouterr().out


def test_it_is_served_to_this_machine(results, monkeypatch):
    found = {}
    ready = threading.Event()

    class Server(opening.ThreadingHTTPServer):
        def serve_forever(self):
            found["server"] = self
            ready.set()
            super().serve_forever()

    monkeypatch.setattr(opening, "ThreadingHTTPServer", Server)
    words = ["explore", str(results / "demo/mine"), "--serve", "0"]
    thread = threading.Thread(target=opening.main, args=(words,))
    thread.start()
    assert ready.wait(10)
    host, port = found["server"].server_address
    try:
        assert host == "127.0.0.1"
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}/").read() == b"<p>demo"
    finally:
        found["server"].shutdown()
        thread.join(10)


@pytest.mark.parametrize("words", [["explore", "none"], ["explore", "mine", "--serve", "700000"]])
def test_mistakes_are_told(results, monkeypatch, words):
    monkeypatch.chdir(results.parent)
    with pytest.raises(SystemExit, match="error: .*allowed"):
        opening.main(words)
