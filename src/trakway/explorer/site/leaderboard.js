// The leaderboard of the experiment: LDS of every method with its interval, what it costs, and what removal says.
"use strict";

class Leaderboard {
  constructor(experiment) {
    this.experiment = experiment;
    this.elements = [el("div", {})];
  }

  said() {
    return `Methods, ${this.groupWords(this.group()[1])}`;
  }

  update() {
    fill(
      this.elements[0],
      el("h2", {}, "Which method can be trusted?"),
      help(this.experiment),
      this.ranking(),
      this.steps(),
      this.fixed(),
      this.removal(),
      this.shift(),
    );
  }

  groups() {
    const rows = records(this.experiment.tables.lds);
    return [...new Map(rows.map((row) => [`${row.kind}|${row.timestep ?? "whole"}`, row])).entries()];
  }

  groupWords({ kind, timestep }) {
    const kinds = { generated: "samples", test: "test examples", exchanged: "samples under another caption" };
    const what = kinds[kind] ?? kind.replaceAll("_", " ");
    return timestep === null ? (this.experiment.steps ? `${what}, as a whole` : what) : `${what}, t = ${timestep}`;
  }

  /** The targets whose LDS are shown: those asked for, or samples at the best step. */
  group() {
    const groups = this.groups();
    const best = this.experiment.bestStep();
    const wanted = address.read().group ?? (best === null ? null : `generated|${best}`);
    return groups.find(([name]) => name === wanted) ?? groups[0];
  }

  /** A button that saves a table of the index as it is. */
  saved(name, label) {
    const { experiment } = this;
    const { columns, rows } = experiment.tables[name];
    return csvButton(`${experiment.name}-${name.replaceAll("_", "-")}`, () => [columns, ...rows], label);
  }

  ranking() {
    const { experiment } = this;
    const groups = this.groups();
    const [key, one] = this.group();
    const rows = records(experiment.tables.lds)
      .filter((row) => row.kind === one.kind && row.timestep === one.timestep)
      .sort((a, b) => b.lds - a.lds);
    const costs = new Map(records(experiment.tables.cost).map((row) => [row.method, row])); // the last: with all models
    const low = Math.min(0, ...rows.map((row) => row.lds_low));
    const high = Math.max(...rows.map((row) => Math.max(row.lds_high, row.ceiling ?? 0)), 0.1);
    const line = (row) => {
      const cost = costs.get(row.method);
      const words = `${format.lds(row.lds)} ${format.interval([row.lds_low, row.lds_high])}`;
      return [
        experiment.label(row.method),
        words,
        charts.bar({
          value: row.lds,
          interval: [row.lds_low, row.lds_high],
          ceiling: row.ceiling,
          low,
          high,
          color: experiment.methodOf.get(row.method)?.color ?? "#888",
          title: words,
        }),
        cost ? format.count(Math.round(cost.cpu_seconds)) : "–",
        row.members ?? "–",
        row.ridge ?? "–",
      ];
    };
    const first = rows[0];
    const level = format.percent(experiment.level);
    return el(
      "section",
      {},
      el(
        "p",
        { class: "note" },
        `LDS: how well the scores foretell what retraining gives, over ${first.subsets} parts of the training set and ${first.targets} targets; 1 is perfect, 0 chance. Whiskers: ${level} interval${first.ceiling === null ? "." : `; the line at ${format.lds(first.ceiling)} is the ceiling that the chance in training leaves.`}`,
      ),
      groups.length > 1 &&
        el(
          "div",
          { class: "controls" },
          select(
            "Targets",
            "group",
            key,
            groups.map(([name, row]) => [name, this.groupWords(row)]),
            (group) => address.go({ group }),
          ),
        ),
      table(
        `LDS of every method: ${this.groupWords(one)}`,
        ["method", `LDS [${level} interval]`, "drawn", "CPU seconds", "models", "ridge"],
        rows.map(line),
        { class: "ranking" },
      ),
      this.saved("lds", "Save all LDS as CSV"),
      this.saved("cost", "Save the costs as CSV"),
    );
  }

  /** LDS of every method at every timestep, darker where it is higher. */
  steps() {
    const { experiment } = this;
    if (!experiment.steps) return null;
    const timesteps = [...experiment.timesteps].reverse();
    const rows = records(experiment.tables.lds).filter((row) => row.kind === "generated");
    const methods = experiment.methods.filter(({ name }) => rows.some((row) => row.method === name));
    const cell = (name, timestep) => {
      const row = rows.find((one) => one.method === name && one.timestep === timestep);
      if (!row) return "–";
      return el(
        "span",
        {
          class: "shade",
          style: { "--shade": Math.max(0, Math.min(1, row.lds)) },
          title: format.interval([row.lds_low, row.lds_high]),
        },
        format.lds(row.lds),
      );
    };
    return el(
      "section",
      {},
      el("h3", {}, "Along the timesteps"),
      table(
        "LDS on samples by timestep, from noise to the sample",
        ["method", ...timesteps.map((t) => `t = ${t}`), "whole"],
        methods.map(({ name, label }) => [label, ...timesteps.map((t) => cell(name, t)), cell(name, null)]),
      ),
    );
  }

  /** LDS of one run with examples dropped at their place, by how many are. */
  fixed() {
    const { experiment } = this;
    const rows = records(experiment.tables.lds_fixed ?? { columns: [], rows: [] });
    const like = (one) => (row) => row.kind === one.kind && row.timestep === one.timestep;
    const groups = rows.filter((row) => rows.find(like(row)) === row);
    return groups.map((group) => {
      const own = rows.filter(like(group));
      const dropped = [...new Set(own.map((row) => row.dropped))];
      const methods = [...new Set(own.map((row) => row.method))];
      const cell = (method, share) => {
        const row = own.find((one) => one.method === method && one.dropped === share);
        return row ? `${format.lds(row.lds)} ${format.interval([row.lds_low, row.lds_high])}` : "–";
      };
      const caption = `LDS at a fixed seed: ${this.groupWords(group)}`;
      return el(
        "section",
        {},
        group === rows[0] && el("h3", {}, "One training run without some of its examples"),
        group === rows[0] &&
          el("p", { class: "note" }, "The same seed and the same order, and a share of the examples is left out."),
        table(
          caption,
          ["method", ...dropped.map((share) => `${format.percent(share)} dropped`)],
          methods.map((method) => [experiment.label(method), ...dropped.map((share) => cell(method, share))]),
        ),
        group === groups.at(-1) && this.saved("lds_fixed", "Save the LDS at a fixed seed as CSV"),
      );
    });
  }

  removal() {
    const { experiment } = this;
    const rows = records(experiment.tables.removal);
    if (!rows.length) return null;
    const digits = format.digits(Math.max(...rows.map((row) => Math.abs(row.change))));
    const flips = rows.some((row) => row.flipped !== null);
    const steps = rows.some((row) => row.timestep !== null);
    const heads = [
      "method",
      ...(steps ? ["t"] : []),
      "removed",
      "number",
      "change of the output",
      ...(flips ? ["predictions flipped"] : []),
    ];
    return el(
      "section",
      {},
      el("h3", {}, "What removal and retraining say"),
      el(
        "p",
        { class: "note" },
        `Models trained without the examples that a method names, less models trained on all; mean over ${rows[0].targets_change} targets with its interval. The random control is what losing as many examples does by itself.`,
      ),
      table(
        "Change after removal",
        heads,
        rows.map((row) => [
          experiment.label(row.method),
          ...(steps ? [row.timestep ?? "whole"] : []),
          { top: "most helpful", bottom: "most harmful", random: "at random" }[row.side] ?? row.side,
          row.k,
          `${format.signed(row.change, digits)} [${format.signed(row.change_low, digits)}, ${format.signed(row.change_high, digits)}]`,
          ...(flips ? [row.flipped === null ? "–" : format.percent(Math.round(1000 * row.flipped) / 1000)] : []),
        ]),
      ),
      this.saved("removal", "Save the removals as CSV"),
    );
  }

  shift() {
    const { experiment } = this;
    if (!experiment.tables.shift) return null;
    const rows = records(experiment.tables.shift);
    const name = (row) =>
      ({ "same model": "the same model, drawn again", retrained: "trained on everything, another seed" })[row.method] ??
      `without ${row.k} by ${experiment.label(row.method)}`;
    return el(
      "section",
      {},
      el("h3", {}, "How far completions move"),
      el(
        "p",
        { class: "note" },
        `Distance (FID) between what models draw from the same xₜ and what the original draws, in the features of a ${rows[0].features}; 0 is the same.`,
      ),
      table(
        "Shift of completions",
        ["models", "t", "FID"],
        rows.map((row) => [
          name(row),
          row.timestep,
          `${format.plain(row.fid, format.digits(row.fid))} [${format.plain(row.fid_low, format.digits(row.fid))}, ${format.plain(row.fid_high, format.digits(row.fid))}]`,
        ]),
      ),
      this.saved("shift", "Save the shifts as CSV"),
    );
  }
}
