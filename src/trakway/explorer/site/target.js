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

  said({ entry, method, other, count }) {
    const { experiment } = this;
    const by = [method, other].filter(Boolean).map((name) => experiment.label(name));
    const where = [experiment.nameOf(this.target), experiment.whereWords(entry)].filter(Boolean);
    return `${where.join(", ")}, by ${by.join(" beside ")}, ${count} examples`;
  }

  update(state) {
    this.state = state;
    this.entry = this.data.entry(state.entry.position);
    this.journey?.update(state);
    fill(this.head, this.summary());
    fill(this.controls, this.choices());
    const methods = [state.method, state.other].filter(Boolean);
    fill(this.chosen, this.chosenWords());
    const reach = this.reach(methods);
    fill(
      this.columns,
      methods.map((method) =>
        this.ofMethod(
          method,
          methods.find((one) => one !== method),
          reach,
        ),
      ),
    );
    this.columns.classList.toggle("two", methods.length === 2);
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
          target.of !== null && [el("dt", {}, "In links and tables"), el("dd", {}, `target ${target.target}`)],
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
      csvButton(`${experiment.name}-lds-${state.target.target}`, () => this.ldsCsv(), "Save its LDS as CSV"),
    ];
  }

  measured(row) {
    return this.bank.effect(this.state.entry.position, row);
  }

  lists(method) {
    const { entry, state } = this;
    const of = (side) => entry.list(method, side, state.count);
    return { helpful: of("helpful"), harmful: of("harmful") };
  }

  /** How far the gauges reach: the same for all in view, so that they can be compared. */
  reach(methods) {
    const every = methods
      .flatMap((method) => Object.values(this.lists(method)).flat())
      .map((row) => this.measured(row))
      .filter((one) => !Number.isNaN(one.error));
    return Math.max(...every.map((one) => Math.abs(one.difference) + one.error), 1e-12);
  }

  ofMethod(method, other, reach) {
    const { experiment, state } = this;
    const lds = experiment.lds(state.entry.position, method);
    const lists = this.lists(method);
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
    const scores = rows.map((row) => this.entry.score(method, row));
    const measured = rows.map((row) => this.measured(row));
    const told = [...rows.keys()].filter((i) => scores[i] !== 0 && !Number.isNaN(measured[i].error));
    const same = told.filter((i) => Math.sign(scores[i]) === Math.sign(measured[i].difference)).length;
    const [sign, title, neutral] =
      side === "helpful" ? [1, "Most helpful", "Highest scores"] : [-1, "Most harmful", "Lowest scores"];
    return el(
      "div",
      { class: `side ${side}` },
      el("h4", {}, scores.every((score) => Math.sign(score) === sign) ? title : neutral),
      el(
        "p",
        { class: "note" },
        measured.every((one) => Number.isNaN(one.error))
          ? "too few subsets to measure single examples"
          : told.length
            ? `retraining agrees in sign on ${same} of ${told.length}`
            : "all are 0 and have no sign",
      ),
      el(
        "ol",
        { class: this.experiment.pictures ? "cards pictured" : "cards" },
        rows.map((row, i) => {
          const tied = scores.indexOf(scores[i]) !== scores.lastIndexOf(scores[i]);
          return this.card(method, other, side, row, { reach, tied });
        }),
      ),
    );
  }

  card(method, other, side, row, { reach, tied }) {
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
          "aria-label": `№ ${row}, ${experiment.className(row)}, score ${score}: mark it in all charts`,
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
        el("span", { class: "scored" }, el("span", { class: "score strong" }, score), tied && " tied"),
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
      return { method, rank, score };
    });
    const rows = ranks.map(({ method, rank, score }) => [
      experiment.label(method),
      rank === null ? `between ${entry.shown} and ${format.count(entry.size - entry.shown)}` : format.count(rank),
      score === null ? "" : format.signed(score, entry.digits(method)),
    ]);
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
          el(
            "a",
            { href: address.link({ example: null }), "data-key": "unmark", "data-next": this.faceOf(row) },
            "Unmark",
          ),
        ),
        folded(
          "ranks-of-one",
          "Its rank by every method",
          table(`Ranks of example ${row} among ${format.count(entry.size)}`, ["method", "rank", "score"], rows),
          csvButton(
            `${experiment.name}-target-${this.target.target}-example-${row}`,
            () => [
              [...this.placeHeads(), "example", "method", "rank", "score"],
              ...ranks.map(({ method, rank, score }) => [...this.place(), row, method, rank, score]),
            ],
            "Save its ranks as CSV",
          ),
        ),
      ),
    );
  }

  /** The key of a card's face; none where the example is in no list. */
  faceOf(row) {
    const { method } = this.state;
    const side = Object.entries(this.lists(method)).find(([, rows]) => rows.includes(row))?.[0];
    return side ? `${method}-${side}-${row}` : null;
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
        return rank !== null && rank > entry.size - shownRanks ? "lowest" : "middle";
      }),
    }));
    const where = state.entry.timestep === null ? "the whole sample" : `t = ${state.entry.timestep}`;
    const name = experiment.label(state.method);
    const pick = (row) => address.go({ example: row }, true);
    return el(
      "section",
      { class: "ranks" },
      el("h3", {}, "How the most helpful examples change along the way"),
      el(
        "p",
        { class: "note" },
        `The ${followed.length} examples that ${name} names for ${where}, and their ranks at the other steps. Press a line, or its number in the table, to mark its example.`,
      ),
      charts.rankLines({
        timesteps,
        at: state.entry.timestep,
        lines,
        shown: shownRanks,
        chosen: state.example,
        pick,
        title: `Ranks along the timesteps of the examples most helpful at ${where}`,
      }),
      folded(
        "rank-table",
        "The same as a table",
        table(
          `Ranks by ${name}`,
          ["example", ...timesteps.map((t) => `t = ${t}`)],
          lines.map(({ example, ranks }) => [
            el(
              "button",
              {
                type: "button",
                "data-key": `line-${example}`,
                "aria-pressed": String(example === state.example),
                onclick: () => pick(example),
              },
              `№ ${example}`,
            ),
            ...ranks.map((rank) => (typeof rank === "number" ? rank : charts.rankWords(rank, shownRanks))),
          ]),
        ),
        csvButton(
          `${experiment.name}-ranks-${target.target}`,
          () => [
            [...PLACE, "method", "example", "timestep", "rank"],
            ...lines.flatMap(({ example }) =>
              packed.map((entry, i) => [
                ...experiment.placeOf(target),
                state.method,
                example,
                timesteps[i],
                entry.rank(state.method, example),
              ]),
            ),
          ],
          "Save the ranks as CSV",
        ),
      ),
    );
  }

  /** What says in a file which entry a row is about. */
  placeHeads() {
    return [...PLACE, "timestep", "patch"];
  }

  place(entry = this.state.entry) {
    return [...this.experiment.placeOf(this.target), entry.timestep, entry.patch];
  }

  /** LDS of the target at all of its entries, by every method. */
  ldsCsv() {
    const { experiment, data, target } = this;
    const rows = target.entries.flatMap(([position, timestep, patch]) =>
      Object.entries(data.entries[position].methods).map(([method, { lds_interval: interval }]) => [
        ...this.place({ timestep, patch }),
        method,
        experiment.lds(position, method),
        ...interval,
      ]),
    );
    return [[...this.placeHeads(), "method", "lds", "lds_low", "lds_high"], ...rows];
  }

  csv() {
    const { experiment, entry, state } = this;
    const methods = [state.method, state.other].filter(Boolean);
    const words = this.shown.wordColumns();
    const heads = [
      ...this.placeHeads(),
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
      ...words,
    ];
    const rows = methods.flatMap((method) =>
      ["helpful", "harmful"].flatMap((side) =>
        entry.list(method, side, state.count).map((row) => {
          const other = methods.find((one) => one !== method);
          const { difference, error } = this.measured(row);
          return [
            ...this.place(),
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
            ...words.map((name) => this.shown.wordOf(name, row)),
          ];
        }),
      ),
    );
    return [heads, ...rows];
  }
}
