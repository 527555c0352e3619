"""The pages in a real browser, from a folder: what they show is what the arrays and tables hold."""

import csv
import io
import itertools
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trakway.explorer.rankings import ranks

N = 30

VIEWS = ["", "#target=1&other=pixel&count=4", "#example=3&view=example", "#view=leaderboard"]


def signed(value, digits):
    """Write a number as the page does."""
    text = (
        f"{abs(value):.1e}".replace("e-0", "e-").replace("e+0", "e+") if digits is None else f"{abs(value):.{digits}f}"
    )
    return ("\N{MINUS SIGN}" if value < 0 and float(text) else "+") + text


def digits_of(largest):
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    return max(0, 2 - power) if -4 <= power <= 5 else None


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def number(text):
    return float(re.search(r"[+−-]?[\d.]+(e[+-]?\d+)?", text)[0].replace("−", "-"))


def position_of(made, target, timestep=None, patch=""):
    table = made.experiment.table
    same = table["timestep"].isna() if timestep is None else table["timestep"].eq(timestep).fillna(False)
    (position,) = np.flatnonzero((table["target"] == target) & same & (table["patch"] == patch))
    return int(position)


@pytest.fixture(params=["texts", "captions"])
def made(request, explorer_of):
    """The two that have everything: texts and borders, and pictures, captions and steps."""
    return explorer_of(request.param)


@pytest.mark.parametrize("kind", ["pictures", "texts", "steps", "captions"])
def test_every_view_opens_and_no_text_is_run(explorer_of, explorer_page, kind):
    """Whatever can be pressed has a name for a screen reader, and every picture and chart; there is one title."""
    made = explorer_of(kind)
    shown = explorer_page(made.folder)
    for view in VIEWS:
        shown.open(view)
        assert shown.page.evaluate("window.ran") is None
        assert shown.page.evaluate("document.querySelectorAll('main script, main b, main i, main img').length") == 0
        assert shown.page.title().endswith(" · made_up: explorer")
        assert "</title><script>window.ran = 1</script>" in shown.text("header")
        foot = shown.text("footer")
        for words in ("<b>made up</b>", "none & nobody's", "<i>a</i>", "commit c0ffeec0ffee", "12 subsets"):
            assert words in foot
        nameless = shown.page.evaluate(
            """() => [...document.querySelectorAll('a, button, select, input, [role=img]')]
                 .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length))
                 .map((one) => one.outerHTML)"""
        )
        assert nameless == []
        heads = "[...document.querySelectorAll('main h2, main h3, main h4')].map((head) => +head.tagName[1])"
        levels = shown.page.evaluate(heads)
        assert levels[0] == 2
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert shown.page.locator("h1").count() == 1
        ids = shown.page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
        assert len(ids) == len(set(ids))


def test_texts_are_shown_as_they_are(explorer_of, explorer_page):
    made = explorer_of("texts")
    shown = explorer_page(made.folder)
    examples = made.experiment.split("train")
    for row in range(8):
        shown.open(f"#view=example&example={row}")
        found = shown.page.text_content(".summary .words")
        assert found == examples["text"][row]
    assert shown.page.evaluate("window.ran") is None


def test_captions_are_shown_as_they_are(explorer_of, explorer_page):
    made = explorer_of("captions")
    shown = explorer_page(made.folder)
    for target in range(3):
        shown.open(f"#target={target}")
        caption = made.experiment.table.query("target == @target")["caption"].iloc[0]
        assert shown.page.text_content(".summary .caption") == f"“{caption}”"
        assert shown.page.text_content(".summary dd") == made.experiment.meta["classes"][target % 3]
    assert shown.page.evaluate("window.ran") is None


def test_cards_show_the_scores_and_what_the_bank_measured(made, explorer_page):
    """Of two methods beside each other: order, score, rank in the other, class, and the measured effect."""
    steps = made.kind in ("steps", "captions")
    at = 300 if steps else None
    shown = explorer_page(made.folder).open(f"#target=1&t={at or 'whole'}&method=pixel&other=random&count=4")
    position = position_of(made, 1, at)
    labels = made.experiment.split("train")["label"]
    ranked = {name: ranks(made.found["scores"][name][position]) for name in ("pixel", "random")}
    for method, other in (("pixel", "random"), ("random", "pixel")):
        values = made.found["scores"][method][position].astype(float)
        digits = digits_of(np.abs(np.sort(values)[[0, -1]]).max())
        order = np.argsort(-values, kind="stable")
        for side, expected in (("helpful", order[:4]), ("harmful", order[::-1][:4])):
            where = f"[data-method={method}] .side.{side} .card"
            cards = shown.page.locator(where)
            assert [int(cards.nth(i).get_attribute("data-example")) for i in range(4)] == expected.tolist()
            for i, row in enumerate(expected):
                card = cards.nth(i)
                assert card.locator(".score").inner_text() == signed(values[row], digits)
                assert made.experiment.meta["classes"][labels[row]] in card.locator(".class").inner_text()
                assert f"rank {ranked[other][row] + 1} of 30" in card.locator(".other-rank").inner_text()
                difference, error = made.effect(position, row)
                measured = card.locator(".measured").inner_text().removeprefix("measured ")
                if np.isnan(error):
                    assert measured == "not measured"
                else:
                    low, high = (number(part) for part in measured.split("±"))
                    assert low == pytest.approx(difference, abs=0.06 * error)
                    assert high == pytest.approx(error, rel=0.06)


def test_scores_of_one_sign_are_not_called_harmful(made, explorer_page):
    """The lowest are called so, equal ones tied, and signs are those of the scores."""
    steps = made.kind in ("steps", "captions")
    shown = explorer_page(made.folder).open(
        f"#target={0 if steps else 2}&t={300 if steps else 'whole'}&method=pixel&count=8"
    )
    assert shown.texts(".side h4") == ["Most helpful", "Lowest scores"]
    values = made.found["scores"]["pixel"][2]
    lowest = np.argsort(-values, kind="stable")[::-1][:8]
    tied = [text.endswith(" tied") for text in shown.texts(".side.harmful .scored")]
    assert tied == [value == 0 for value in values[lowest]]
    assert sum(tied) == 4
    effects = [made.effect(2, row) for row in lowest if values[row]]
    signs = [difference > 0 for difference, error in effects if not np.isnan(error)]
    assert f"agrees in sign on {sum(signs)} of {len(signs)}" in shown.text(".side.harmful .note")
    assert shown.open(shown.address().replace("count=8", "count=3")).text(".side.harmful .note").startswith("all are 0")


def test_the_head_shows_output_and_lds_of_the_entry(made, explorer_page):
    at = 700 if made.kind in ("steps", "captions") else None
    shown = explorer_page(made.folder).open(f"#target=2&t={at or 'whole'}&method=random")
    position = position_of(made, 2, at)
    head = shown.text(".summary")
    output = made.experiment.reference[:, position]
    assert number(re.search(r"(Margin|Output)\s+(.*)", head)[2]) == pytest.approx(output.mean(), rel=0.01)
    lds = made.found["lds_targets"]
    same = lds["timestep"].isna() if at is None else lds["timestep"] == at
    kind = "generated" if at else "test"
    (value,) = lds[same & (lds["kind"] == kind) & (lds["method"] == "random") & (lds["target"] == 2)]["lds"]
    assert number(shown.text(".summary .lds")) == pytest.approx(value, abs=0.006)
    assert re.search(r"\[−?0?\.\d\d, −?0?\.\d\d\]|\[−?\d\.\d\d, −?\d\.\d\d\]", shown.text(".summary .lds"))


def test_brittleness(explorer_of, explorer_page):
    shown = explorer_page(explorer_of("texts").folder).open("#target=0")
    assert "flips without the 6 named by journey-TRAK" in shown.text(".summary")
    assert "not flipped by what was removed for journey-TRAK" in shown.open("#target=1").text(".summary")
    assert "Brittleness" not in shown.open("#target=2").text(".summary")


def test_the_csv_holds_scores_ranks_and_effects(made, explorer_page):
    at = 50 if made.kind in ("steps", "captions") else None
    shown = explorer_page(made.folder).open(f"#target=0&t={at or 'whole'}&method=journey_trak&other=pixel&count=3")
    rows = rows_of(shown.saved("text=Save these examples as CSV"))
    assert len(rows) == 2 * 2 * 3
    position, classes = position_of(made, 0, at), made.experiment.meta["classes"]
    examples = made.experiment.split("train")
    for row in rows:
        example = int(row["example"])
        values = made.found["scores"][row["method"]][position].astype(float)
        assert float(row["score"]) == pytest.approx(values[example], abs=2e-4 * np.abs(values).max())
        assert int(row["rank"]) == ranks(values)[example] + 1
        other = made.found["scores"][row["other_method"]][position]
        assert int(row["other_rank"]) == ranks(other)[example] + 1
        assert int(row["id"]) == examples["id"][example]
        assert row["class"] == classes[examples["label"][example]]
        difference, error = made.effect(position, example)
        assert row["measured"] == "" if np.isnan(error) else float(row["measured"]) == pytest.approx(difference)
        assert row["standard_error"] == "" if np.isnan(error) else float(row["standard_error"]) == pytest.approx(error)
        if made.kind == "texts":
            assert (row["target_name"], row["text"]) == ("Target 0", examples["text"][example])
    rows = rows_of(shown.saved("text=Save its LDS as CSV"))
    expected = made.found["lds_targets"].query("target == 0 and kind in ('generated', 'test')")
    found = {(row["timestep"], row["method"]): float(row["lds"]) for row in rows if not row["patch"]}
    for row in expected.itertuples():
        key = ("" if pd.isna(row.timestep) else str(row.timestep), row.method)
        assert found[key] == pytest.approx(row.lds, abs=1e-4)
    assert len(found) == len(expected)


def test_search_and_sort(made, explorer_page):
    shown = explorer_page(made.folder).open()
    bottom = "document.getElementById('list').getBoundingClientRect().bottom - innerHeight"
    assert shown.page.evaluate(bottom) == pytest.approx(0, abs=1)
    every = [
        target
        for target in made.experiment.table.query("role == 'evaluation' and kind != 'exchanged'")["target"].unique()
    ]
    items = shown.page.locator(".items a")  # out of view they are not laid out: no inner text
    names = items.locator("strong")
    assert names.count() == len(every)
    word = f"word{N + 2}" if made.kind == "texts" else "2"
    shown.page.fill("#search", word)
    shown.wait()
    found = names.all_text_contents()
    assert 0 < len(found) < len(every)
    assert any(name.endswith(" 2") for name in found)
    shown.page.fill("#search", "nothing is called so")
    assert names.count() == 0
    assert shown.text("#list .note").startswith("0 of")
    shown.page.fill("#search", "")
    shown.page.select_option("#sort", "output")
    shown.wait()
    outputs = [number(re.search(r"(margin|output) (\S+)", text)[2]) for text in items.all_text_contents()]
    assert len(outputs) == len(every)
    assert outputs == sorted(outputs)
    assert "sort=output" in shown.page.url


def test_keys(made, explorer_page):
    shown = explorer_page(made.folder).open("#target=1")
    shown.page.keyboard.press("n")  # a key alone does nothing until the list or the content has the focus
    shown.page.focus("#main")
    assert shown.wait().address() == "#target=1"
    shown.page.keyboard.press("n")
    shown.wait("target=2")
    shown.wait().page.keyboard.press("p")
    shown.wait("target=1")
    shown.wait().page.keyboard.press("/")
    assert shown.page.evaluate("document.activeElement.id") == "search"
    shown.page.keyboard.type("np")  # letters are typed there
    assert "target=1" in shown.page.url
    shown.page.fill("#search", "")
    shown.page.focus(".face")
    shown.page.keyboard.press("Enter")
    shown.wait("example=")
    assert shown.page.evaluate("document.activeElement.classList.contains('face')")  # the focus is where it was
    assert shown.page.get_attribute(".card.chosen .face", "aria-pressed") == "true"
    assert "is marked" in shown.text(".marked")
    shown.page.focus("text=Unmark")
    shown.page.keyboard.press("Enter")
    shown.gone(".marked")
    assert shown.page.evaluate("document.activeElement === document.querySelector('.face')")


def test_what_changes_is_said_and_nothing_is_lost(made, explorer_page):
    """Title and screen reader hear of it; what was open stays so, the focus goes on, and back is where one was."""
    shown = explorer_page(made.folder).open("#target=1&t=whole")
    shown.page.click("text=All removals of this target")
    shown.page.select_option("#choose-method", "pixel")
    shown.wait("method=pixel")
    assert shown.page.get_attribute(".removal-table", "open") is not None
    name = "Sample 1, as a whole" if made.kind == "captions" else "Target 1"
    assert shown.page.text_content("#status") == f"{name}, by Pixel similarity, 8 examples"
    assert shown.page.title().startswith(f"{name}, by Pixel similarity")
    shown.page.evaluate("scrollTo(0, 300)")
    shown.page.locator(".more").first.focus()
    shown.page.evaluate("scrollTo(0, 300)")
    shown.page.keyboard.press("Enter")
    shown.wait("view=example")
    assert shown.page.evaluate("[document.activeElement.tagName, scrollY]") == ["H2", 0]
    shown.page.go_back()
    shown.wait("#target=1")
    assert shown.page.evaluate("scrollY") == 300
    shown.page.reload()
    assert shown.wait().page.evaluate("scrollY") == 300


def test_an_example_leads_to_what_it_moves_and_back(made, explorer_page):
    shown = explorer_page(made.folder).open("#view=example&example=3&method=pixel")
    near = shown.texts(".card.plain")
    assert made.kind == "texts" or any("№ 7" in text and "a copy" in text for text in near)
    rows = rows_of(shown.saved("text=Save these as CSV"))
    assert [f"№ {row['near']}" in text for row, text in zip(rows, near, strict=True)] == [True] * 5
    assert "rank 4 of 30" in shown.text(".self")
    cards = shown.page.locator(".method .card")
    scores = made.found["scores"]["pixel"]
    for i in range(cards.count()):
        position = int(cards.nth(i).get_attribute("data-position"))
        assert number(cards.nth(i).locator(".score").inner_text()) == pytest.approx(scores[position, 3], rel=5e-3)
        assert f"rank {ranks(scores[position])[3] + 1} of 30" in cards.nth(i).inner_text()
    spread = scores / scores.std(1, keepdims=True)
    best = int(np.argmax(spread[:, 3]))
    assert int(cards.first.get_attribute("data-position")) == best
    rows = rows_of(shown.saved("text=Save as CSV"))
    assert len(rows) == min(12, len(scores) // 2 * 2)
    cards.first.locator("a.face").click()
    shown.wait("example=3")
    assert "№ 3" in shown.text(".marked")
    target = made.experiment.table["target"].iloc[best]
    assert f"target={target}" in shown.page.url


def test_methods_with_intervals(made, explorer_page):
    shown = explorer_page(made.folder).open("#view=leaderboard")
    lds = made.found["lds"]
    key = {"steps": "generated|300", "captions": "generated|300"}.get(made.kind)
    if key:
        shown.page.select_option("#choose-group", key)
        shown.wait()
        lds = lds[(lds["kind"] == "generated") & (lds["timestep"] == 300)]
    lds = lds.sort_values("lds", ascending=False)
    rows = shown.page.locator(".ranking tbody tr")
    assert rows.count() == 3
    for i, row in enumerate(lds.itertuples()):
        value, low, high = (number(part) for part in re.split(r"[\[,]", rows.nth(i).locator("td").first.inner_text()))
        assert (value, low, high) == pytest.approx((row.lds, row.lds_low, row.lds_high), abs=0.006)
    if key:
        cells = shown.page.locator("[aria-label='LDS at a fixed seed: samples, t = 300'] tbody tr").first.locator("td")
        row = made.found["lds_fixed"].query("kind == 'generated' and timestep == 300").iloc[0]
        assert cells.count() == 2
        assert number(cells.first.inner_text()) == pytest.approx(row["lds"], abs=0.006)
        assert len(rows_of(shown.saved("text=Save the LDS at a fixed seed as CSV"))) == len(made.found["lds_fixed"])
    saved = rows_of(shown.saved("text=Save all LDS as CSV"))
    assert [float(row["lds"]) for row in saved] == pytest.approx(made.found["lds"]["lds"].tolist())
    assert len(rows_of(shown.saved("text=Save the removals as CSV"))) == len(made.found["removal"])


def test_the_proof_says_what_retraining_gave(made, explorer_page):
    steps = made.kind in ("steps", "captions")
    shown = explorer_page(made.folder).open(f"#target=1&t={300 if steps else 'whole'}")
    position = position_of(made, 1, 300 if steps else None)
    before = made.experiment.reference[:, position].mean()
    after = made.found["retrained"]["a"][2:4, position].mean()
    control = made.found["retrained"]["a"][8:, position].mean()
    said = [
        float(text.replace("−", "-")) for text in re.findall(r"(?<=[ ])[+−][\d.]+\d", shown.text(".proof .sentence"))
    ]
    assert said == pytest.approx([before, after, control], rel=0.01, abs=0.006)
    shown.page.locator("text=All removals of this target").first.click()
    rows = rows_of(shown.saved(".proof > details >> text=Save the removals as CSV"))
    assert [(row["method"], row["ranked_timestep"]) for row in rows] == [
        ("journey_trak", "300" if steps else ""), ("pixel", "")
    ]  # fmt: skip
    assert float(rows[0]["change"]) == pytest.approx(after - before)
    assert shown.page.locator(".completions .picture").count() == (4 * 3 if steps else 0)
    assert shown.page.locator(".absent").count() == 0
    if steps:
        assert "without the 6 most helpful by journey-TRAK for t = 300" in shown.text(".proof")
        assert "without the 6 most helpful by Pixel similarity for the whole" in shown.text(".proof")
        shown.page.click(".emergence summary")
        saved = rows_of(shown.saved("text=Save the curves as CSV"))
        assert len(saved) == (made.found["emergence"]["target"] == 1).sum()
        assert "without the 6 that journey-TRAK names for t = 300" in shown.text(".emergence .keys")
        assert "this step: shown is t = 300" in shown.open("#target=1&t=700").text(".absent")
        assert "a patch alone" in shown.open("#target=1&t=300&patch=upper_half").text(".absent")
    shown.open(f"#target=1&t={300 if steps else 'whole'}&method=random")
    assert shown.text(".absent") == "Nothing was removed for Random: the sentence below is about Pixel similarity."
    shown.open("#target=3")
    assert "Nothing was removed for this target" in shown.text(".proof")
    assert [link for link in shown.texts(".proof a")] == [f"{'Sample' if steps else 'Target'} {i}" for i in (0, 1)]


@pytest.mark.parametrize("kind", ["texts", "captions"])
def test_the_proof_at_a_fixed_seed(explorer_of, explorer_page, kind):
    made, step = explorer_of(kind), 300 if kind == "captions" else None
    shown = explorer_page(made.folder).open(f"#target=1&t={step or 'whole'}")
    position = position_of(made, 1, step)
    assert "At the seeds of the runs that were differentiated" in shown.text(".proof .fixed")
    assert shown.page.locator(".proof .fixed svg").count() > 0
    shown.page.click(".fixed summary")
    rows = rows_of(shown.saved(".fixed >> text=Save the removals as CSV"))
    before = made.found["reference_fixed"]["a"][0, position]
    after = made.found["retrained_fixed"]["a"][[1, 3], position]
    assert [float(row["before"]) for row in rows] == pytest.approx([before, before])
    assert [float(row["after"]) for row in rows] == pytest.approx(after)
    without = explorer_page(explorer_of("steps").folder).open("#target=1&t=300")
    assert without.page.locator(".proof .fixed").count() == 0


@pytest.fixture
def journey(explorer_of, explorer_page):
    return explorer_page(explorer_of("captions").folder)


def test_the_slider_moves_along_the_steps(journey):
    journey.open("#target=0&t=300&method=journey_trak")
    assert journey.page.input_value("#step") == "1"
    assert journey.text(".slide output") == "t = 300"
    before = journey.texts("[data-method] .score")
    journey.page.focus("#step")
    journey.page.keyboard.press("ArrowRight")
    journey.wait("t=50")
    assert journey.text(".slide output") == "t = 50"
    assert journey.texts("[data-method] .score") != before
    assert journey.page.evaluate("document.activeElement.id") == "step"
    journey.page.keyboard.press("ArrowRight")
    journey.wait("t=whole")
    assert journey.wait().text(".slide output") == "the sample as a whole"
    journey.page.click(".stop[data-stop='700']")
    journey.wait("t=700")
    assert journey.wait().page.get_attribute(".stop[data-stop='700']", "aria-pressed") == "true"
    assert journey.page.get_attribute("#step", "aria-valuetext") == "t = 700"


def test_rank_lines_hold_the_ranks_of_all_steps(journey, explorer_of):
    made = explorer_of("captions")
    journey.open("#target=0&t=300&method=journey_trak&count=4")
    journey.page.click("text=The same as a table")
    rows = journey.page.locator(".ranks tbody tr")
    scores = made.found["scores"]["journey_trak"]
    order = np.argsort(-scores[position_of(made, 0, 300)].astype(float), kind="stable")[:4]
    for i, example in enumerate(order):
        cells = rows.nth(i).locator("th, td").all_inner_texts()
        expected = [ranks(scores[position_of(made, 0, t)])[example] + 1 for t in (700, 300, 50)]
        assert cells == [
            f"№ {example}",
            *(str(rank) if rank <= 15 else "among the 15 lowest" for rank in expected),
        ]
    assert len(rows_of(journey.saved("text=Save the ranks as CSV"))) == 4 * 3
    names = "[...document.querySelectorAll('.ranks .line text')].map((name) => +name.getAttribute('y'))"
    assert (np.diff(sorted(journey.page.evaluate(names))) > 12.9).all()
    journey.page.focus(".ranks tbody button")  # the lines without a mouse
    journey.page.keyboard.press("Enter")
    journey.wait(f"example={order[0]}")
    assert journey.page.get_attribute(".ranks tbody button", "aria-pressed") == "true"
    journey.page.click("text=Its rank by every method")
    (own,) = [row for row in rows_of(journey.saved("text=Save its ranks as CSV")) if row["method"] == "journey_trak"]
    assert (own["example"], own["rank"]) == (str(order[0]), "1")


def test_patches_and_the_other_caption(journey):
    journey.open("#target=0&t=300")
    journey.page.focus(".patch")
    assert journey.page.evaluate("getComputedStyle(document.querySelector('.patch')).outlineWidth") == "3px"
    journey.page.click(".patch")
    journey.wait("patch=upper_half")
    assert journey.wait().text(".slide output") == "t = 300, patch upper half"
    journey.page.focus("text=Show the whole picture")
    journey.page.keyboard.press("Enter")
    journey.gone("text=Show the whole picture")
    assert "Show what shaped" in journey.page.evaluate("document.activeElement.textContent")
    journey.open("#target=0&t=300")
    assert "coat → <b>bag</b>. Rank correlation of the scores under both captions at this step: 0.25" in journey.text(
        ".captions"
    )
    journey.page.click(".told:not([aria-current])")
    journey.wait("target=6")
    assert journey.wait().text("main h2") == "Sample 0, told something else"
    assert "t=300" in journey.page.url


def test_pictures_are_cut_from_their_place(explorer_of, explorer_page):
    """The pixels on the screen are those of the array."""
    made = explorer_of("pictures")
    shown = explorer_page(made.folder, viewport={"width": 1280, "height": 900}).open("#view=example&example=12")
    picture = np.asarray(Image.open(io.BytesIO(shown.page.locator(".summary .picture").screenshot())).convert("L"))
    truth = np.load(made.found["data"] / "train_images.npy")[12, 0].astype(int)
    side = picture.shape[0] / 8
    middle = ((np.arange(8) + 0.5) * side).astype(int)
    assert np.abs(picture[np.ix_(middle, middle)].astype(int) - truth).max() <= 3


def test_a_phone_and_the_dark(made, explorer_page):
    shown = explorer_page(made.folder, viewport={"width": 360, "height": 700}, color_scheme="dark")
    for view in VIEWS:
        shown.open(view)
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= 360
        letters = shown.page.evaluate(
            """() => [...document.querySelectorAll('svg.chart:has(text)')].map((svg) =>
                 parseFloat(getComputedStyle(svg).fontSize) * svg.getScreenCTM().a)"""
        )
        assert all(size >= 10 for size in letters)
        tracks = "[...document.querySelectorAll('.sides')].map((one) => getComputedStyle(one).gridTemplateColumns)"
        assert not any(" " in columns for columns in shown.page.evaluate(tracks))
    back = "getComputedStyle(document.documentElement).backgroundColor"
    dark = shown.page.evaluate(back)
    assert shown.page.get_attribute(".theme", "aria-pressed") == "true"
    shown.page.emulate_media(media="print")
    assert shown.page.evaluate(back) == "rgb(255, 255, 255)"
    shown.page.emulate_media(media="screen")
    shown.page.click(".theme")
    assert shown.page.evaluate(back) != dark
    assert shown.page.get_attribute(".theme", "aria-pressed") == "false"
    assert shown.page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_link_that_means_nothing_shows_something(made, explorer_page):
    shown = explorer_page(made.folder)
    for link, notice in (
        ("#target=99&t=whole", "There is no target 99"),
        ("#target=1&t=whole&method=none", "There is no method “none”"),
        ("#target=1&count=-4&other=x", "There is no method “x”: nothing is beside. From 1 to 15 examples can be shown"),
        ("#view=example&example=1e9", "There is no training example 1e9: shown is 0."),
        ("#%%%", None),
    ):
        assert shown.open(link).page.locator("main h2").count() == 1
        assert (notice in shown.text(".notice")) if notice else shown.page.locator(".notice").is_hidden()
    if made.kind == "captions":
        assert (
            shown.open("#t=301").text(".notice") == f"There is no step t = 301: shown is {shown.text('.slide output')}."
        )


def test_a_method_of_single_steps_says_so_of_a_whole(explorer_of, explorer_page, tmp_path):
    """What is not shown is said, and shown again where it can be."""
    made = explorer_of("steps")
    shutil.copytree(made.folder, tmp_path / "copy")
    index = tmp_path / "copy/data/index.js"
    index.write_text(index.read_text().replace('"steps_only":false', '"steps_only":true', 1))
    shown = explorer_page(tmp_path / "copy").open("#target=1&t=whole")
    assert shown.text(".notice") == "journey-TRAK ranks for single steps only: shown is Random."
    shown.open("#target=1&t=300")
    assert shown.page.locator(".notice").is_hidden()
    assert shown.page.locator("[data-method=journey_trak]").count() == 1


@pytest.mark.parametrize("width", [1280, 1000, 740, 340])
def test_two_methods_break_no_number_and_cover_nothing(explorer_of, explorer_page, width):
    shown = explorer_page(explorer_of("captions").folder, viewport={"width": width, "height": 900})
    shown.open("#target=1&t=300&method=pixel&other=random&count=4")
    broken = shown.page.evaluate(
        """() => [...document.querySelectorAll('.score, .measured, .other-rank')].flatMap((one) => {
             const text = one.lastChild, range = document.createRange();
             return [...text.data.matchAll(/\\S+/g)].filter((word) => {
               range.setStart(text, word.index);
               range.setEnd(text, word.index + word[0].length);
               return range.getClientRects().length > 1;
             }).map((word) => word[0]);
           })"""
    )
    assert broken == []
    wider = "[...document.querySelectorAll('.card')].filter((card) => card.scrollWidth > card.clientWidth + 1).length"
    assert shown.page.evaluate(wider) == 0
    sideways = "document.documentElement.scrollWidth"
    assert shown.page.evaluate(sideways) <= width
    shown.page.evaluate("document.documentElement.style.fontSize = '32px'")
    assert width < 700 or shown.page.evaluate(sideways) <= width


def test_a_long_list_holds_what_is_shown(explorer_of, explorer_page, tmp_path):
    shutil.copytree(explorer_of("texts").folder, tmp_path / "copy")
    script = tmp_path / "copy/list.js"
    script.write_text(script.read_text().replace("const A_TIME = 300;", "const A_TIME = 10;"))
    shown = explorer_page(tmp_path / "copy").open("#view=example&example=25")
    items = shown.page.locator(".items strong")
    assert items.all_text_contents() == [f"№ {row}" for row in (*range(10), 25)]
    assert "the first 10 of 30" in shown.text("#list .note")
    shown.page.click("text=Show more")
    assert items.count() == 21
    assert shown.page.evaluate("document.activeElement.dataset.key") == "example-10"
    shown.page.fill("#search", "1012")
    assert items.all_text_contents() == ["№ 12"]
    assert "row 1012 of the source" in shown.page.text_content(".items")


def test_colours_stand_out_by_day_and_by_night(made):
    """WCAG 2.2: 4.5 for letters, 3 for what is drawn."""
    pairs = re.findall(r"--(\w+): light-dark\((#\w+), (#\w+)\)", (made.folder / "style.css").read_text())

    def luminance(colour):
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    for theme in (1, 2):
        light = {pair[0]: luminance(pair[theme]) + 0.05 for pair in pairs}
        contrast = {
            (a, b): max(light[a], light[b]) / min(light[a], light[b]) for a in light for b in ("back", "raised", "here")
        }
        for name, least in [("ink", 4.5), ("faint", 4.5), ("link", 4.5), ("helpful", 3), ("harmful", 3), ("bar", 3)]:
            assert contrast[name, "back"] >= least
        assert min(contrast["ink", "here"], contrast["strong", "here"], contrast["faint", "raised"]) >= 4.5
        assert min(contrast["focus", ground] for ground in ("back", "raised", "here")) >= 3


def test_a_folder_that_is_not_whole_says_so(explorer_of, browser, tmp_path):
    made = explorer_of("pictures")
    shutil.copytree(made.folder, tmp_path / "copy")
    (tmp_path / "copy/data/targets/2.js").unlink()
    page = browser.new_page()
    page.goto((tmp_path / "copy/index.html").as_uri() + "#target=2")
    assert "data/targets/2.js cannot be read: copy the folder" in page.inner_text("[role=alert]")
    page.close()


def test_the_code_is_small(made):
    files = [path for path in made.folder.iterdir() if path.is_file()]
    assert {path.suffix for path in files} == {".html", ".css", ".js"}
    assert sum(path.stat().st_size for path in files) < 300_000
    assert json.loads((made.folder / "data/index.js").read_text()[len('trakway.receive("index", ') : -3])["size"] == 30
