// The proof: what became of a target when models were trained without the examples that a method names.
"use strict";

class Proof {
  constructor(experiment, shown, target, data) {
    Object.assign(this, { experiment, shown, target, data });
    this.element = el("section", { class: "proof", id: "proof", "aria-labelledby": "proof-title" });
  }

  update(state) {
    this.state = state;
    const { removals, completions } = this.data;
    if (!removals.length) {
      fill(
        this.element,
        el("h3", { id: "proof-title" }, "The proof"),
        el("p", { class: "note" }, "Nothing was removed for this target. ", this.others()),
      );
      return;
    }
    fill(
      this.element,
      el("h3", { id: "proof-title" }, "The proof: train again without them"),
      this.sentences(),
      this.chart(),
      this.numbers(),
      completions && this.completions(),
      this.data.emergence && this.emergence(),
    );
  }

  /** Targets of which there is a proof: the first ones. */
  others() {
    const with_ = this.experiment.proven;
    if (!with_.length) return null;
    return [
      "There is a proof of ",
      with_
        .slice(0, 12)
        .map((number, i) => [
          i ? ", " : "",
          el(
            "a",
            { href: address.link({ target: number, example: null }) },
            this.experiment.nameOf(this.experiment.numbers.get(number)),
          ),
        ]),
      with_.length > 12 ? ", …" : ".",
    ];
  }

  /** Removals that are about the step that is shown, all where there are none of it. */
  relevant() {
    const { removals } = this.data;
    const here = removals.filter((one) => one.timestep === this.state.entry.timestep);
    return here.length ? here : removals;
  }

  name({ method, side, k, timestep }) {
    const which = side === "bottom" ? "most harmful" : "most helpful";
    return `without the ${k} ${which} by ${this.experiment.label(method)}${timestep === null ? "" : `, t = ${timestep}`}`;
  }

  sentences() {
    const { experiment } = this;
    const rows = this.relevant();
    const shown = rows.filter((one) => one.method === this.state.method && one.side === "top");
    const one = (shown.length ? shown : rows).at(-1);
    const [before, after, control] = [mean(one.before), mean(one.after), mean(one.control)];
    const digits = format.digits(Math.max(...[before, after, control].filter((value) => value !== null).map(Math.abs)));
    const what = outputWords(experiment).split(":")[0];
    const flip =
      experiment.border && before > 0 ? (after <= 0 ? ": the prediction flips" : ": the prediction holds") : "";
    return el(
      "p",
      { class: "sentence" },
      `Trained on everything${experiment.paired ? " with the same seed" : ""}, models give this target the ${what} ${format.signed(before, digits)}. Trained ${this.name(one)}: ${format.signed(after, digits)}${flip}. `,
      control !== null && `Trained without as many at random: ${format.signed(control, digits)}.`,
    );
  }

  chart() {
    const { experiment } = this;
    const rows = this.relevant().map((one) => ({
      text: this.name(one),
      before: mean(one.before),
      after: one.after,
      control: one.control,
    }));
    const key = (look, text) =>
      el(
        "span",
        { class: "key" },
        el("svg", { viewBox: "0 0 14 14", class: "keysign", "aria-hidden": "true" }, charts.symbol(look, 7, 7)),
        text,
      );
    return el(
      "figure",
      {},
      el(
        "figcaption",
        {},
        key("before", "before (mean)"),
        key("after", "after removal, one a model"),
        key("random", "as many removed at random"),
      ),
      charts.beforeAfter({
        rows,
        border: experiment.border,
        title: `${outputWords(experiment)} before and after removal`,
      }),
    );
  }

  numbers() {
    const { experiment, data, target } = this;
    const digits = format.digits(
      Math.max(...data.removals.flatMap((one) => [...one.before, ...one.after].map(Math.abs))),
    );
    const rows = data.removals.map((one) => [
      experiment.label(one.method),
      one.side,
      one.k,
      one.timestep ?? "whole",
      mean(one.before),
      mean(one.after),
      mean(one.control),
    ]);
    const heads = ["method", "side", "removed", "t", "before", "after", "at random", "change", "change at random"];
    const changed = rows.map((row) => [...row, row[5] - row[4], row[6] === null ? null : row[6] - row[4]]);
    const shown = changed.map((row) => row.map((cell, i) => (i < 4 ? cell : format.signed(cell, digits))));
    return el(
      "details",
      { "data-key": "removal-table" },
      el("summary", {}, "All removals of this target, as a table"),
      table(`Mean ${outputWords(experiment)} before and after removal`, heads, shown),
      csvButton(`${experiment.name}-removal-${target.target}`, () => [heads, ...changed], "Save the removals as CSV"),
    );
  }

  completions() {
    const { completions, removals } = this.data;
    const { sheet, each, timesteps, groups } = completions;
    const at = timesteps.includes(this.state.entry.timestep)
      ? this.state.entry.timestep
      : (removals[0].timestep ?? timesteps[0]);
    const place = timesteps.indexOf(at);
    const size = this.experiment.target_pictures;
    const name = ({ method, timestep, k }) => {
      if (method === null) return "trained on everything";
      if (method === "random") return `without ${k} at random`;
      return `without the ${k} that ${this.experiment.label(method)} names${timestep === null ? "" : ` at t = ${timestep}`}`;
    };
    return el(
      "div",
      { class: "completions" },
      el("h4", {}, `What the models draw from the same xₜ, t = ${at}`),
      el(
        "p",
        { class: "note" },
        "Each column has the same noise, so that only the training set differs. While t is high, much is open; near the end all draw the same. Choose the step with the slider above.",
      ),
      groups.map((group, row) =>
        el(
          "div",
          { class: "drawn" },
          el("span", { class: "row-name" }, name(group)),
          Array.from({ length: each }, (_, i) =>
            this.shown.tile(
              sheet,
              (row * timesteps.length + place) * each + i,
              size,
              `${name(group)}, completion ${i + 1}`,
            ),
          ),
        ),
      ),
    );
  }

  emergence() {
    const rows = records(this.data.emergence);
    const timesteps = [...new Set(rows.map((row) => row.timestep))].sort((a, b) => b - a);
    const looks = {
      original: ["before", "trained on everything"],
      removed: ["after", "without the examples named"],
      random: ["random", "without as many at random"],
    };
    const lines = Object.keys(looks).flatMap((group) => {
      const own = timesteps.map((t) => rows.find((row) => row.group === group && row.timestep === t));
      if (own.some((row) => !row)) return [];
      return [
        {
          look: looks[group][0],
          values: own.map((row) => row.probability),
          low: own.map((row) => row.probability_low),
          high: own.map((row) => row.probability_high),
        },
      ];
    });
    const [first] = rows;
    const key = ([look, text]) =>
      el(
        "span",
        { class: "key" },
        el("svg", { viewBox: "0 0 14 14", class: "keysign", "aria-hidden": "true" }, charts.symbol(look, 7, 7)),
        text,
      );
    const title = `Probability that a completion from xₜ shows the class ${first.label}`;
    return el(
      "div",
      { class: "emergence" },
      el("h4", {}, `When the class appears: ${first.label}`),
      el(
        "p",
        { class: "note" },
        `${title}, in the eyes of a classifier; bands are intervals over completions and models.${first.emergence_timestep === null ? "" : ` Removed are the examples named at t = ${first.emergence_timestep}, near the rise.`}`,
      ),
      el("p", { class: "keys" }, Object.values(looks).map(key)),
      charts.curves({ timesteps, lines, at: this.state.entry.timestep, title }),
    );
  }
}

function mean(values) {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
}
