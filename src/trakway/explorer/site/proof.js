// The proof: what became of a target when models were trained without the examples that a method names.
"use strict";

class Proof {
  constructor(experiment, shown, target, data) {
    Object.assign(this, { experiment, shown, target, data });
    this.element = el("section", { class: "proof", id: "proof", "aria-labelledby": "proof-title" });
  }

  update(state) {
    this.state = state;
    const { removals, removals_fixed, completions } = this.data;
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
      this.absent(),
      this.sentences(),
      this.chart(removals),
      this.numbers(removals, "removal"),
      removals_fixed && this.atFixedSeed(removals_fixed),
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

  /** The step nearest to the one that is chosen of which outputs after removal are known; the whole is the end. */
  step() {
    const wanted = this.state.entry.timestep ?? 0;
    const known = this.data.removals.map((one) => one.timestep);
    return known.reduce((best, t) => (Math.abs(t - wanted) < Math.abs(best - wanted) ? t : best));
  }

  /** Those of some removals of which the outputs at that step are known. */
  relevant(removals) {
    return removals.filter((one) => one.timestep === this.step());
  }

  /** The removal of which the sentence tells: of the method that is chosen, if there is one. */
  told() {
    const rows = this.relevant(this.data.removals);
    const own = rows.filter((one) => one.method === this.state.method && one.side === "top");
    return (own.length ? own : rows).at(-1);
  }

  /** What was not tried of what is chosen, and what is shown in its place. */
  absent() {
    const { entry, method } = this.state;
    const [at, { method: told }] = [this.step(), this.told()];
    const lacks = [
      at !== entry.timestep && `${entry.timestep === null ? "the sample as a whole" : "this step"}: shown is t = ${at}`,
      entry.patch && "a patch alone: shown is the whole picture",
      told !== method && `${this.experiment.label(method)}: the sentence below is about ${this.experiment.label(told)}`,
    ].filter(Boolean);
    const sentences = lacks.map((one) => `Nothing was removed for ${one}. `);
    return lacks.length > 0 && el("p", { class: "note absent" }, sentences);
  }

  /** Which examples were left out; the scores may be of a step, or of the whole. */
  name({ method, side, k, ranked }) {
    const which = side === "bottom" ? "most harmful" : "most helpful";
    return `without the ${k} ${which} by ${this.experiment.label(method)}${this.rankedWords(ranked)}`;
  }

  rankedWords(ranked) {
    if (!this.experiment.steps) return "";
    return ranked === null ? " for the whole" : ` for t = ${ranked}`;
  }

  sentences() {
    const { experiment } = this;
    const one = this.told();
    const [before, after, control] = [mean(one.before), mean(one.after), mean(one.control)];
    const digits = format.digits(Math.max(...[before, after, control].filter((value) => value !== null).map(Math.abs)));
    const what = outputWords(experiment).split(":")[0];
    const at = one.timestep === null ? "" : `at t = ${one.timestep} of `;
    const flip =
      experiment.border && before > 0 ? (after <= 0 ? ": the prediction flips" : ": the prediction holds") : "";
    return el(
      "p",
      { class: "sentence" },
      `Trained on everything${experiment.paired ? " with the same seed" : ""}, models give this target the ${what} ${at}${format.signed(before, digits)}. Trained ${this.name(one)}: ${format.signed(after, digits)}${flip}. `,
      control !== null && `Trained without as many at random: ${format.signed(control, digits)}.`,
    );
  }

  outputAt() {
    const at = this.step();
    return `${outputWords(this.experiment)}${at === null ? "" : ` at t = ${at}`}`;
  }

  /** The same of models that differ from the runs that were differentiated by nothing else. */
  atFixedSeed(removals) {
    return el(
      "div",
      { class: "fixed" },
      el("h4", {}, "At the seeds of the runs that were differentiated"),
      el(
        "p",
        { class: "note" },
        "Here the examples are dropped at their places, and all else is that of the runs themselves: no noise of retraining is in the differences.",
      ),
      this.chart(removals),
      this.numbers(removals, "removal-fixed"),
    );
  }

  chart(removals) {
    const { experiment } = this;
    const rows = this.relevant(removals).map((one) => ({
      text: this.name(one),
      before: mean(one.before),
      after: one.after,
      control: one.control,
    }));
    return el(
      "figure",
      {},
      el(
        "figcaption",
        {},
        `${this.outputAt()}: `,
        key("before", "before (mean)"),
        key("after", "after removal, one a model"),
        key("random", "as many removed at random"),
      ),
      charts.beforeAfter({
        rows,
        border: experiment.border,
        title: `${this.outputAt()} before and after removal`,
      }),
    );
  }

  numbers(removals, name) {
    const { experiment, target } = this;
    const digits = format.digits(Math.max(...removals.flatMap((one) => [...one.before, ...one.after].map(Math.abs))));
    const rows = removals.map((one) => {
      const [before, after, random] = [mean(one.before), mean(one.after), mean(one.control)];
      return {
        what: [one.method, one.ranked, one.side, one.k, one.timestep],
        numbers: [before, after, random, after - before, random === null ? null : random - before],
      };
    });
    const whole = (t) => t ?? "whole";
    const shown = rows.map(({ what: [method, ranked, side, k, t], numbers }) => [
      experiment.label(method),
      ...(experiment.steps ? [whole(ranked)] : []),
      { top: "most helpful", bottom: "most harmful" }[side],
      k,
      ...(experiment.steps ? [whole(t)] : []),
      ...numbers.map((cell) => format.signed(cell, digits)),
    ]);
    const heads = [
      "method",
      ...(experiment.steps ? ["ranked for t"] : []),
      "side",
      "removed",
      ...(experiment.steps ? ["output at t"] : []),
      "before",
      "after",
      "at random",
      "change",
      "change at random",
    ];
    const names = [
      ...PLACE,
      "method",
      "ranked_timestep",
      "side",
      "removed",
      "timestep",
      "before",
      "after",
      "random",
      "change",
      "change_random",
    ];
    return folded(
      `${name}-table`,
      "All removals of this target, as a table",
      table(`Mean ${outputWords(experiment)} before and after removal`, heads, shown),
      csvButton(
        `${experiment.name}-${name}-${target.target}`,
        () => [names, ...rows.map(({ what, numbers }) => [...experiment.placeOf(target), ...what, ...numbers])],
        "Save the removals as CSV",
      ),
    );
  }

  completions() {
    const { sheet, each, timesteps, groups } = this.data.completions;
    const at = timesteps.includes(this.state.entry.timestep) ? this.state.entry.timestep : this.step();
    const place = timesteps.indexOf(at);
    const size = this.experiment.target_pictures;
    const name = ({ method, timestep, k }) => {
      if (method === null) return "trained on everything";
      if (method === "random") return `without ${k} at random`;
      return `without the ${k} that ${this.experiment.label(method)} names${this.rankedWords(timestep)}`;
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
    const [first] = rows;
    const { method, k } = rows.find((row) => row.group === "removed") ?? {};
    const at = first.emergence_timestep;
    const looks = {
      original: ["before", "trained on everything"],
      removed: ["after", `without the ${k} that ${this.experiment.label(method)} names${this.rankedWords(at)}`],
      random: ["random", "without as many at random"],
    };
    const lines = Object.keys(looks).flatMap((group) => {
      const own = timesteps.map((t) => rows.find((row) => row.group === group && row.timestep === t));
      if (own.some((row) => !row)) return [];
      return [
        {
          look: looks[group][0],
          text: looks[group][1],
          values: own.map((row) => row.probability),
          low: own.map((row) => row.probability_low),
          high: own.map((row) => row.probability_high),
        },
      ];
    });
    const title = `Probability that a completion from xₜ shows the class ${first.label}`;
    return el(
      "div",
      { class: "emergence" },
      el("h4", {}, `When the class appears: ${first.label}`),
      el(
        "p",
        { class: "note" },
        `${title}, in the eyes of a classifier; bands are intervals over completions and models.${at === null ? "" : ` The class rises near t = ${at}.`}`,
      ),
      el(
        "p",
        { class: "keys" },
        lines.map(({ look, text }) => key(look, text)),
      ),
      charts.curves({ timesteps, lines, at: this.state.entry.timestep, title }),
      folded(
        "emergence-table",
        "The same as a table",
        table(
          `${title}, with its interval`,
          ["models", ...timesteps.map((t) => `t = ${t}`)],
          lines.map(({ text, values, low, high }) => [
            text,
            ...values.map((value, i) => `${format.plain(value, 2)} ${format.interval([low[i], high[i]])}`),
          ]),
        ),
        csvButton(
          `${this.experiment.name}-emergence-${this.target.target}`,
          () => [
            [...PLACE, ...this.data.emergence.columns],
            ...this.data.emergence.rows.map((row) => [...this.experiment.placeOf(this.target), ...row]),
          ],
          "Save the curves as CSV",
        ),
      ),
    );
  }
}

/** A symbol of the charts and what it stands for. */
function key(look, text) {
  return el(
    "span",
    { class: "key" },
    el("svg", { viewBox: "0 0 14 14", class: "keysign", "aria-hidden": "true" }, charts.symbol(look, 7, 7)),
    text,
  );
}

function mean(values) {
  return values.length ? values.reduce((a, b) => a + b, 0) / values.length : null;
}
