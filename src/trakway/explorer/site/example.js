// The way back: a training example, what is nearly the same, and the targets and steps that it moves most.
"use strict";

class ExampleView {
  constructor(experiment, shown, row, { moved, duplicates, bank }) {
    Object.assign(this, { experiment, shown, row, moved, duplicates, bank });
    this.elements = [el("div", {})];
  }

  said() {
    return `Training example ${this.row}, by ${this.experiment.label(this.method())}`;
  }

  update(state) {
    this.state = state;
    fill(this.elements[0], this.summary(), help(this.experiment), this.near(), this.controls(), this.lists());
  }

  summary() {
    const { experiment, shown, row } = this;
    const own = experiment.self_influence;
    const rank = own && 1 + own.filter((value) => value > own[row]).length;
    return el(
      "div",
      { class: "summary" },
      shown.examplePicture(row),
      el(
        "div",
        {},
        el("h2", {}, `Training example ${row}`),
        shown.exampleWords(row, true),
        el(
          "dl",
          {},
          el("dt", {}, "Class"),
          el("dd", {}, experiment.className(row)),
          el("dt", {}, "Row in the source"),
          el("dd", {}, String(shown.words.id[row])),
          own && el("dt", {}, "Self-influence"),
          own &&
            el(
              "dd",
              { class: "self" },
              `${Number(own[row].toPrecision(3))}, rank ${format.count(rank)} of ${format.count(experiment.size)}`,
              el(
                "span",
                { class: "note" },
                ` by ${experiment.label(experiment.main)}: high where models have to learn it by heart, as rare or mislabelled examples`,
              ),
            ),
        ),
      ),
    );
  }

  near() {
    const { duplicates, row, shown, experiment } = this;
    if (!duplicates) return null;
    return el(
      "section",
      {},
      el("h3", {}, "Nearly the same in the training set"),
      el(
        "p",
        { class: "note" },
        experiment.pictures
          ? "by the cosine of the pixels, each picture less its mean"
          : "by the words in common (cosine of TF-IDF)",
      ),
      el(
        "ol",
        { class: experiment.pictures ? "cards pictured" : "cards" },
        duplicates.rows[row].map((other, i) =>
          el(
            "li",
            { class: "card plain", "data-example": other },
            shown.examplePicture(other),
            el(
              "div",
              { class: "about" },
              shown.exampleWords(other),
              el(
                "span",
                { class: experiment.labels[other] === experiment.labels[row] ? "class" : "class other" },
                `${experiment.labels[other] === experiment.labels[row] ? "" : "≠ "}${experiment.className(other)}`,
              ),
              el(
                "span",
                { class: "score" },
                duplicates.same[row][i] ? "a copy" : format.plain(duplicates.similarity[row][i], 3),
              ),
              el("a", { href: address.link({ view: "example", example: other }), class: "more" }, `№ ${other}`),
            ),
          ),
        ),
      ),
      csvButton(
        `${experiment.name}-example-${row}-near`,
        () => [
          ["experiment", "example", "near", "near_id", "near_class", "cosine", "copy"],
          ...duplicates.rows[row].map((other, i) => [
            experiment.name,
            row,
            other,
            shown.words.id[other],
            experiment.className(other),
            duplicates.similarity[row][i],
            duplicates.same[row][i],
          ]),
        ],
        "Save these as CSV",
      ),
    );
  }

  controls() {
    const { experiment, state } = this;
    return el(
      "div",
      { class: "controls" },
      select(
        "Method",
        "method",
        this.method(),
        experiment.methods.map(({ name, label }) => [name, label]),
        (method) => address.go({ method }),
      ),
      csvButton(`${experiment.name}-example-${this.row}`, () => this.csv(), "Save as CSV"),
    );
  }

  method() {
    const wanted = address.read().method;
    return this.experiment.methodOf.has(wanted) ? wanted : this.experiment.main;
  }

  /** Entries that the example moves most by a method, from the one helped most to the one harmed most. */
  entries() {
    const { experiment, row } = this;
    const method = this.method();
    const packed = this.moved[method];
    const count = Math.min(
      experiment.reverse,
      experiment.size - Math.floor(row / experiment.reverse) * experiment.reverse,
    );
    const width = (size) => Math.max(1, Math.ceil(Math.log2(size)));
    const first = (row % experiment.reverse) * packed.each;
    const part = (values) => [...values.slice(first, first + packed.each)];
    const positions = part(trakway.unpacked(packed.entries, width(experiment.outputs.length), count * packed.each));
    const ranks = part(trakway.unpacked(packed.ranks, width(experiment.size), count * packed.each));
    const scores = part(trakway.singles(packed.scores));
    return positions.map((position, i) => ({
      ...experiment.entryOf.get(position),
      rank: ranks[i] + 1,
      score: scores[i],
      measured: this.bank.effect(position, row),
    }));
  }

  lists() {
    const { experiment } = this;
    const every = this.entries();
    const half = every.length / 2;
    const sides = [
      ["helpful", every.slice(0, half).filter((one) => one.score > 0)],
      [
        "harmful",
        every
          .slice(half)
          .filter((one) => one.score < 0)
          .reverse(),
      ],
    ];
    const what = experiment.steps ? "targets and steps" : "targets";
    return el(
      "section",
      { class: "method" },
      el("h3", {}, `The ${what} that it moves most, by ${experiment.label(this.method())}`),
      el(
        "p",
        { class: "note" },
        "Ordered by the score in units of the spread of the scores at the same place, since steps have units of their own.",
      ),
      el(
        "div",
        { class: "sides" },
        sides.map(([side, rows]) =>
          el(
            "div",
            { class: `side ${side}` },
            el("h4", {}, side === "helpful" ? "Helps most" : "Harms most"),
            rows.length
              ? el(
                  "ol",
                  { class: "cards rows" },
                  rows.map((one) => this.card(one)),
                )
              : el("p", { class: "note" }, "none"),
          ),
        ),
      ),
    );
  }

  card({ target, position, timestep, patch, rank, score, measured }) {
    const { experiment, shown, row } = this;
    const where = experiment.whereWords({ timestep, patch });
    return el(
      "li",
      { class: "card", "data-position": position },
      el(
        "a",
        {
          class: "face",
          "aria-label": `${experiment.nameOf(target)}${where && `, ${where}`}`,
          href: address.link({
            view: null,
            target: target.target,
            t: timestep ?? "whole",
            patch: patch || null,
            example: row,
            method: this.method(),
            other: null,
          }),
        },
        shown.targetPicture(target) ?? el("span", { class: "number" }, experiment.nameOf(target)),
      ),
      el(
        "div",
        { class: "about" },
        el("strong", {}, experiment.nameOf(target), where && `, ${where}`),
        el("span", { class: "line" }, shown.targetLine(target)),
        el("span", { class: "score strong" }, format.signed(score, format.digits(Math.abs(score)))),
        el("span", { class: "rank" }, `rank ${format.count(rank)} of ${format.count(experiment.size)}`),
        el("span", { class: "measured" }, `measured ${format.measured(measured)}`),
      ),
    );
  }

  csv() {
    const { experiment, row, shown } = this;
    const heads = [
      "experiment",
      "example",
      "id",
      "class",
      "method",
      "target",
      "target_name",
      "timestep",
      "patch",
      "score",
      "rank",
      "measured",
      "standard_error",
    ];
    return [
      heads,
      ...this.entries().map((one) => [
        experiment.name,
        row,
        shown.words.id[row],
        experiment.className(row),
        this.method(),
        one.target.target,
        experiment.nameOf(one.target),
        one.timestep,
        one.patch,
        one.score,
        one.rank,
        one.measured.difference,
        one.measured.error,
      ]),
    ];
  }
}
