// A target: what it is, the examples that helped and harmed it, how far the scores reach, and how ranks change along t.
"use strict";

class TargetView {
  constructor(experiment, shown, target, data, bank) {
    Object.assign(this, { experiment, shown, target, data, bank });
    const strip = data.strip && target.entries.some(([, timestep]) => timestep !== null);
    this.journey = strip ? new Journey(experiment, shown, target, data) : null;
    this.proof = new Proof(experiment, shown, target, data);
    this.head = el("div", { class: "head" });
    this.controls = el("div", { class: "controls" });
    this.columns = el("div", { class: "methods" });
    this.chosen = el("div", { class: "chosen-example", "aria-live": "polite" });
    this.lines = el("div", {});
    this.elements = [
      this.head,
      help(experiment),
      this.journey?.element,
      this.controls,
      this.chosen,
      this.columns,
      this.lines,
      this.proof.element,
    ];
  }

  update(state) {
    this.state = state;
    this.entry = this.data.entry(state.entry.position);
    this.journey?.update(state);
    fill(this.head, this.summary());
    fill(this.controls, this.choices());
    const methods = [state.method, state.other].filter(Boolean);
    fill(this.chosen, this.chosenWords());
    fill(
      this.columns,
      methods.map((method) =>
        this.ofMethod(
          method,
          methods.find((one) => one !== method),
        ),
      ),
    );
    this.columns.classList.toggle("two", methods.length === 2);
    this.columns.classList.toggle("worded", !this.experiment.pictures);
    fill(this.lines, this.rankLines());
    this.proof.update(state);
  }

  summary() {
    const { experiment, shown, target, state } = this;
    const { position } = state.entry;
    const [value, spread] = [experiment.outputs[position], experiment.output_spread[position]];
    const digits = format.digits(Math.max(Math.abs(value), spread ?? 0));
    const method = this.data.entries[position].methods[state.method];
    const lds = experiment.lds(position, state.method);
    const ceiling = experiment.groupOf(state.entry).find((row) => row.method === state.method)?.ceiling ?? null;
    const verdict = experiment.border ? (value > 0 ? ", predicted right" : ", predicted wrong") : "";
    const flips = Object.entries(target.brittleness);
    return el(
      "div",
      { class: "summary" },
      shown.targetPicture(target),
      el(
        "div",
        {},
        el("h2", {}, experiment.nameOf(target)),
        shown.targetWords(target, true),
        el(
          "dl",
          {},
          target.label !== null && [
            el("dt", {}, target.caption ? "Class of the caption" : "Class"),
            el("dd", {}, target.label),
          ],
          el("dt", {}, experiment.border ? "Margin" : "Output"),
          el(
            "dd",
            {},
            `${format.signed(value, digits)}${spread === null ? "" : ` ± ${format.plain(spread, digits)}`}${verdict}`,
            el(
              "span",
              { class: "note" },
              ` mean and spread of models trained on everything; ${outputWords(experiment, true)}`,
            ),
          ),
          lds !== null && el("dt", {}, `LDS of ${experiment.label(state.method)} here`),
          lds !== null &&
            el(
              "dd",
              { class: "lds" },
              `${format.lds(lds)} ${format.interval(method.lds_interval)}`,
              ceiling !== null && `, ceiling of such targets ${format.lds(ceiling)}`,
              el(
                "span",
                { class: "note" },
                " how well its scores foretell what retraining does to this target: 1 perfectly, 0 not at all",
              ),
            ),
          flips.length > 0 && el("dt", {}, "Brittleness"),
          flips.length > 0 && el("dd", {}, this.flips(flips)),
        ),
      ),
    );
  }

  /** The fewest removed examples that flip the prediction, of those that were tried. */
  flips(every) {
    const flipped = every.filter(([, k]) => k !== null).sort((a, b) => a[1] - b[1]);
    const held = every.filter(([, k]) => k === null);
    const first = flipped.map(([name, k]) => `flips without the ${k} named by ${this.experiment.label(name)}`);
    const names = held.map(([name]) => this.experiment.label(name));
    return [...first, held.length && `not flipped by what was removed for ${names.join(", ")}`]
      .filter(Boolean)
      .join("; ");
  }

  choices() {
    const { experiment, state } = this;
    const possible = experiment.methodsAt(state.entry.timestep);
    const named = (names) => names.map((name) => [name, experiment.label(name)]);
    const counts = [4, 8, 12, 20, 50, 100].filter((count) => count <= experiment.shown);
    if (!counts.includes(state.count)) counts.push(state.count);
    const keep = { target: state.target.target, t: state.entry.timestep ?? "whole" };
    return [
      select("Method", "method", state.method, named(possible), (method) =>
        address.go({ ...keep, method, other: method === state.other ? null : state.other }),
      ),
      select(
        "Beside it",
        "other",
        state.other ?? "",
        [["", "no other"], ...named(possible.filter((name) => name !== state.method))],
        (other) => address.go({ ...keep, other }),
      ),
      select(
        "Examples",
        "count",
        String(state.count),
        counts.sort((a, b) => a - b).map((count) => [String(count), String(count)]),
        (count) => address.go({ ...keep, count }),
      ),
      csvButton(`${experiment.name}-target-${state.target.target}`, () => this.csv(), "Save these examples as CSV"),
    ];
  }

  measured(row) {
    return this.bank.effect(this.state.entry.position, row);
  }

  ofMethod(method, other) {
    const { experiment, entry, state } = this;
    const lds = experiment.lds(state.entry.position, method);
    const lists = {
      helpful: entry.list(method, "helpful", state.count),
      harmful: entry.list(method, "harmful", state.count),
    };
    const every = [...lists.helpful, ...lists.harmful]
      .map((row) => this.measured(row))
      .filter((one) => !Number.isNaN(one.error));
    const reach = Math.max(...every.map((one) => Math.abs(one.difference) + one.error), 1e-12);
    return el(
      "section",
      { class: "method", "data-method": method, "aria-label": experiment.label(method) },
      el(
        "h3",
        {},
        el("span", { class: "swatch", style: { "background-color": experiment.methodOf.get(method).color } }),
        experiment.label(method),
        lds !== null && el("span", { class: "note" }, ` LDS ${format.lds(lds)}`),
      ),
      el(
        "div",
        { class: "sides" },
        ["helpful", "harmful"].map((side) => this.side(method, other, side, lists[side], reach)),
      ),
      this.histogram(method, lists),
    );
  }

  side(method, other, side, rows, reach) {
    const agreeing = rows.map((row) => this.measured(row)).filter((one) => !Number.isNaN(one.error));
    const same = agreeing.filter((one) => (side === "helpful" ? one.difference > 0 : one.difference < 0)).length;
    return el(
      "div",
      { class: `side ${side}` },
      el("h4", {}, side === "helpful" ? "Most helpful" : "Most harmful"),
      el(
        "p",
        { class: "note" },
        agreeing.length
          ? `retraining agrees in sign on ${same} of ${agreeing.length}`
          : "too few subsets to measure single examples",
      ),
      el(
        "ol",
        { class: this.experiment.pictures ? "cards pictured" : "cards" },
        rows.map((row) => this.card(method, other, side, row, reach)),
      ),
    );
  }

  card(method, other, side, row, reach) {
    const { experiment, shown, entry, state, target } = this;
    const digits = entry.digits(method);
    const score = format.signed(entry.score(method, row), digits);
    const measured = this.measured(row);
    const sameClass = target.label === null || experiment.className(row) === target.label;
    const rank = other && entry.rank(other, row);
    return el(
      "li",
      {
        class: `card ${row === state.example ? "chosen" : ""}`,
        "data-example": row,
        "data-rank": entry.rank(method, row),
      },
      el(
        "button",
        {
          type: "button",
          class: "face",
          "data-key": `${method}-${side}-${row}`,
          "aria-pressed": String(row === state.example),
          "aria-label": `training example ${row}, ${experiment.className(row)}, score ${score}: mark it in all charts`,
          onclick: () =>
            address.go(
              {
                target: target.target,
                t: state.entry.timestep ?? "whole",
                example: row === state.example ? null : row,
              },
              true,
            ),
        },
        shown.examplePicture(row) ?? el("span", { class: "number" }, `№ ${row}`),
      ),
      el(
        "div",
        { class: "about" },
        shown.exampleWords(row),
        el(
          "span",
          { class: sameClass ? "class" : "class other" },
          `${sameClass ? "" : "≠ "}${experiment.className(row)}`,
        ),
        el("span", { class: "score strong" }, score),
        el(
          "span",
          { class: "measured" },
          Number.isNaN(measured.error) ? null : charts.gauge({ ...measured, reach }),
          `measured ${format.measured(measured)}`,
        ),
        other &&
          el(
            "span",
            { class: "other-rank" },
            `${experiment.label(other)}: ${rank === null ? `rank between ${entry.shown} and ${format.count(entry.size - entry.shown)}` : `rank ${format.count(rank)}`} of ${format.count(entry.size)}`,
          ),
        el(
          "a",
          {
            href: address.link({ view: "example", example: row, method }),
            class: "more",
            title: "what else it moves, and what is like it",
          },
          `№ ${row}`,
        ),
      ),
    );
  }

  histogram(method, lists) {
    const { experiment, entry, state } = this;
    const { low, high, counts } = this.data.entries[state.entry.position].methods[method];
    const digits = entry.digits(method);
    const marks = ["helpful", "harmful"].flatMap((side) =>
      lists[side].map((row) => ({ value: entry.score(method, row), side })),
    );
    const value = state.example === null ? null : entry.position(method, state.example);
    const chosen = value === null ? null : { value, text: `№ ${state.example}` };
    const title = `Scores of all ${format.count(experiment.size)} training examples by ${experiment.label(method)}, from ${format.signed(low, digits)} to ${format.signed(high, digits)}; the examples shown are marked below the bars`;
    return el(
      "figure",
      {},
      charts.histogram({ low, high, counts, marks, chosen, digits, title }),
      el(
        "figcaption",
        { class: "note" },
        `Scores of all ${format.count(experiment.size)} training examples; the height is the square root of their number. Marked are those shown${chosen ? `, and № ${state.example}` : ""}.`,
      ),
    );
  }

  chosenWords() {
    const { experiment, entry, state, shown } = this;
    const row = state.example;
    if (row === null) return null;
    const ranks = experiment.methodsAt(state.entry.timestep).map((method) => {
      const [rank, score] = [entry.rank(method, row), entry.score(method, row)];
      return [
        experiment.label(method),
        rank === null ? `between ${entry.shown} and ${format.count(entry.size - entry.shown)}` : format.count(rank),
        score === null ? "" : format.signed(score, entry.digits(method)),
      ];
    });
    return el(
      "div",
      { class: "marked" },
      shown.examplePicture(row),
      el(
        "div",
        {},
        el(
          "p",
          {},
          el("strong", {}, `№ ${row}, ${experiment.className(row)}`),
          ` is marked. Measured: ${format.measured(this.measured(row))}. `,
          el("a", { href: address.link({ view: "example", example: row }) }, "All that it moves"),
          " · ",
          el("a", { href: address.link({ example: null }), "data-key": "unmark" }, "Unmark"),
        ),
        el(
          "details",
          {},
          el("summary", {}, "Its rank by every method"),
          table(`Ranks of example ${row} among ${format.count(entry.size)}`, ["method", "rank", "score"], ranks),
        ),
      ),
    );
  }

  rankLines() {
    const { experiment, state, data, target } = this;
    const timesteps = experiment.timesteps.toReversed?.() ?? [...experiment.timesteps].reverse();
    const entries = timesteps.map((t) => target.entries.find(([, timestep, patch]) => timestep === t && patch === ""));
    if (timesteps.length < 2 || entries.some((entry) => !entry)) return null;
    const packed = entries.map(([position]) => data.entry(position));
    const followed = this.entry.list(state.method, "helpful", Math.min(10, state.count));
    if (state.example !== null && !followed.includes(state.example)) followed.push(state.example);
    const shownRanks = this.entry.shown;
    const lines = followed.map((row) => ({
      example: row,
      ranks: packed.map((entry) => {
        const rank = entry.rank(state.method, row);
        if (rank !== null && rank <= shownRanks) return rank;
        return rank !== null && rank > entry.size - shownRanks ? "harmful" : "middle";
      }),
    }));
    const where = state.entry.timestep === null ? "the whole sample" : `t = ${state.entry.timestep}`;
    const name = experiment.label(state.method);
    return el(
      "section",
      { class: "ranks" },
      el("h3", {}, "How the most helpful examples change along the way"),
      el(
        "p",
        { class: "note" },
        `The ${followed.length} examples that ${name} names for ${where}, and their ranks at the other steps. Press a line to mark its example.`,
      ),
      charts.rankLines({
        timesteps,
        at: state.entry.timestep,
        lines,
        shown: shownRanks,
        chosen: state.example,
        pick: (row) => address.go({ example: row }, true),
        title: `Ranks along the timesteps of the examples most helpful at ${where}`,
      }),
      el(
        "details",
        {},
        el("summary", {}, "The same as a table"),
        table(
          `Ranks by ${name}`,
          ["example", ...timesteps.map((t) => `t = ${t}`)],
          lines.map(({ example, ranks }) => [
            `№ ${example}`,
            ...ranks.map((rank) => (typeof rank === "number" ? rank : charts.rankWords(rank, shownRanks))),
          ]),
        ),
      ),
    );
  }

  csv() {
    const { experiment, entry, state, target } = this;
    const methods = [state.method, state.other].filter(Boolean);
    const heads = [
      "experiment",
      "target",
      "timestep",
      "patch",
      "method",
      "side",
      "rank",
      "example",
      "id",
      "class",
      "score",
      "other_method",
      "other_rank",
      "measured",
      "standard_error",
    ];
    const rows = methods.flatMap((method) =>
      ["helpful", "harmful"].flatMap((side) =>
        entry.list(method, side, state.count).map((row) => {
          const other = methods.find((one) => one !== method);
          const { difference, error } = this.measured(row);
          return [
            experiment.name,
            target.target,
            state.entry.timestep,
            state.entry.patch,
            method,
            side,
            entry.rank(method, row),
            row,
            this.shown.words?.id[row] ?? "",
            experiment.className(row),
            entry.score(method, row),
            other,
            other && entry.rank(other, row),
            difference,
            error,
          ];
        }),
      ),
    );
    return [heads, ...rows];
  }
}

/** What the numbers mean, folded away. */
function help(experiment) {
  const term = (name, text) => [el("dt", {}, name), el("dd", {}, text)];
  return el(
    "details",
    { class: "help" },
    el("summary", {}, "How to read this page"),
    el(
      "dl",
      {},
      term(
        "Score",
        "what a method says without retraining: above 0, training on the example raised the output for this target; below 0, it lowered it. Methods have units of their own: compare signs and ranks.",
      ),
      term(
        "Measured",
        `${experiment.provenance.subsets} random parts of the training set were trained on anew. The mean output of the models that had seen the example, less that of the models that had not, ± its standard error. No method enters. One example moves little: where the error is as large as the difference, nothing was measured.`,
      ),
      term(
        "LDS",
        "linear datamodeling score: over those parts of the training set, the rank correlation of what the scores foretell with what retraining gave; in brackets its interval. The ceiling is what perfect scores would reach, given the chance in training.",
      ),
      experiment.steps &&
        term(
          "t",
          "the timestep of diffusion: high where there is almost nothing but noise, low where the picture is nearly done.",
        ),
      term("Frames", "solid blue: helpful; dashed orange: harmful. ≠: of another class than the target."),
      term(
        "Keys",
        `n and p: next and previous target; / : search${experiment.steps ? "; ← and → on the slider: steps" : ""}.`,
      ),
    ),
  );
}
