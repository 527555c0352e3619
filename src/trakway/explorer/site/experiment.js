// The experiment: what the data mean. Nothing here touches the page.
"use strict";

/** Scores of one entry: the most helpful and most harmful examples of every method, and their ranks in all. */
class Entry {
  constructor(data, size, shown) {
    this.size = size;
    this.shown = shown;
    this.data = data;
    this.names = Object.keys(data.methods);
    const kept = trakway.unpacked(data.examples, 1, size);
    this.rows = [...kept.keys()].filter((row) => kept[row]);
    this.place = new Map(this.rows.map((row, i) => [row, i]));
    const width = Math.max(1, Math.ceil(Math.log2(size)));
    const ranks = trakway.unpacked(data.ranks, width, this.names.length * this.rows.length);
    this.ranks = {};
    this.order = {};
    this.scores = {};
    this.names.forEach((name, m) => {
      const own = ranks.subarray(m * this.rows.length, (m + 1) * this.rows.length);
      this.ranks[name] = own;
      this.order[name] = new Map([...own].map((rank, i) => [rank, this.rows[i]]));
      this.scores[name] = trakway.decimals(data.methods[name].scores);
    });
  }

  /** Rank of an example, 1 for the most helpful; null where it is not known. */
  rank(method, row) {
    const place = this.place.get(row);
    return place === undefined ? null : this.ranks[method][place] + 1;
  }

  /** Score of an example, null between the most helpful and the most harmful. */
  score(method, row) {
    const rank = this.rank(method, row);
    if (rank === null) return null;
    if (rank <= this.shown) return this.scores[method][rank - 1];
    const fromEnd = this.size - rank;
    return fromEnd < this.shown ? this.scores[method].at(-1 - fromEnd) : null;
  }

  /** The most helpful or most harmful examples, the most extreme first. */
  list(method, side, count) {
    const ranks = Array.from({ length: Math.min(count, this.shown) }, (_, i) =>
      side === "helpful" ? i : this.size - 1 - i,
    );
    return ranks.map((rank) => this.order[method].get(rank));
  }

  /** Digits in which scores of a method are written. */
  digits(method) {
    return format.digits(Math.max(...this.scores[method].map(Math.abs)));
  }

  /** Where an example lies in the histogram: its score, or the middle of the bar that its rank falls into. */
  position(method, row) {
    const score = this.score(method, row);
    if (score !== null) return score;
    const rank = this.rank(method, row);
    if (rank === null) return null;
    const { counts, low, high } = this.data.methods[method];
    let left = rank;
    for (let bar = counts.length - 1; bar >= 0; bar--) {
      left -= counts[bar];
      if (left <= 0) return low + ((bar + 0.5) * (high - low)) / counts.length;
    }
    return low;
  }
}

/** Models on subsets: what they say of an example, whatever any method says. */
class Bank {
  constructor(data, size) {
    this.subsets = data.subsets;
    this.size = size;
    this.masks = trakway.unpacked(data.masks, 1, data.subsets * size);
    this.outputs = trakway.doubles(data.outputs);
  }

  /** Mean output of an entry over models with an example less that over models without, ± its standard error. */
  effect(position, row) {
    const sums = [0, 1].map(() => ({ count: 0, mean: 0, square: 0 }));
    for (let subset = 0; subset < this.subsets; subset++) {
      const part = sums[this.masks[subset * this.size + row]];
      const value = this.outputs[position * this.subsets + subset];
      part.count += 1;
      const step = value - part.mean;
      part.mean += step / part.count;
      part.square += step * (value - part.mean);
    }
    const [without, with_] = sums;
    if (Math.min(without.count, with_.count) < 2) return { difference: NaN, error: NaN };
    const error = Math.sqrt(sums.reduce((sum, one) => sum + one.square / (one.count - 1) / one.count, 0));
    return { difference: with_.mean - without.mean, error };
  }
}

/** The index, and what follows from it. */
class Experiment {
  constructor(index) {
    Object.assign(this, index);
    this.methodOf = new Map(index.methods.map((method) => [method.name, method]));
    this.numbers = new Map(index.targets.map((target) => [target.target, target]));
    this.places = new Map(index.targets.map((target, i) => [target.target, i]));
    this.exchanged = new Map(index.targets.filter((target) => target.of !== null).map((target) => [target.of, target]));
    this.steps = index.timesteps.length > 0;
    this.entryOf = new Map();
    for (const target of index.targets)
      for (const [position, timestep, patch] of target.entries)
        this.entryOf.set(position, { target, position, timestep, patch });
    this.entries = new Map();
  }

  label(method) {
    return this.methodOf.get(method)?.label ?? method;
  }

  className(row) {
    return this.classes[this.labels[row]];
  }

  /** What a target is called. */
  nameOf(target) {
    if (target.kind === "generated") return `Sample ${target.target}`;
    if (target.kind === "exchanged") return `Sample ${target.of}, told something else`; // has a number of its own
    return this.steps ? `Test example ${target.target}` : `Target ${target.target}`;
  }

  /** What says in a file which target a row is about, under the heads PLACE. */
  placeOf(target) {
    return [this.name, target.target, this.nameOf(target)];
  }

  /** Methods that mean something at a step; null: the whole. */
  methodsAt(timestep) {
    return this.methods.filter((method) => timestep !== null || !method.steps_only).map((method) => method.name);
  }

  /** The group of entries of an entry in the table of LDS, with the ceiling: a row a method. */
  groupOf({ target, timestep, patch }) {
    const kind = patch ? `patch ${patch}` : target.kind;
    return records(this.tables.lds).filter((row) => row.kind === kind && row.timestep === timestep);
  }

  /** LDS of an entry by a method, null for none. */
  lds(position, method) {
    return this.lds_of_entries[position]?.[this.methods.findIndex((one) => one.name === method)] ?? null;
  }

  /** Timestep at which the main method's LDS is highest, where one starts to look; null where there are none. */
  bestStep() {
    const rows = records(this.tables.lds).filter(
      (row) => row.kind === "generated" && row.method === this.main && row.timestep !== null,
    );
    return rows.reduce((best, row) => (best === null || row.lds > best.lds ? row : best), null)?.timestep ?? null;
  }

  /** A promise of the data of a target, its entries unpacked when they are asked for. */
  async of(target) {
    const data = await trakway.need(`targets/${target.target}`);
    return {
      ...data,
      entry: (position) => {
        if (!this.entries.has(position))
          this.entries.set(position, new Entry(data.entries[position], this.size, this.shown));
        return this.entries.get(position);
      },
    };
  }

  /** A promise of the bank. */
  async bank() {
    this.measured ??= new Bank(await trakway.need("bank"), this.size);
    return this.measured;
  }

  /** Where an entry of a target is, in words; nothing where targets have no steps. */
  whereWords({ timestep, patch }) {
    const at = timestep === null ? this.steps && "as a whole" : `t = ${timestep}`;
    return [at, patch && `patch ${patch.replaceAll("_", " ")}`].filter(Boolean).join(", ");
  }

  /** The entry of a target that is asked for; else the best step; else the whole. */
  entryAt(target, words, miss) {
    const entries = target.entries.map(([position, timestep, patch]) => ({ target, position, timestep, patch }));
    const at = (timestep, patch) => entries.find((one) => one.timestep === timestep && one.patch === patch);
    const best = this.bestStep();
    const wanted = words.t === undefined ? best : words.t === "whole" ? null : Number(words.t);
    const patch = words.patch ?? "";
    const entry = at(wanted, patch) ?? at(wanted, "") ?? at(best, "") ?? at(null, "") ?? entries[0];
    if (entries.some(({ timestep }) => timestep !== null)) {
      if (words.t !== undefined && entry.timestep !== wanted)
        miss(`There is no step t = ${words.t}: shown is ${this.whereWords(entry)}.`);
      else if (entry.patch !== patch) miss(`There is no such patch at this step: shown is the whole picture.`);
    }
    return entry;
  }

  /** The methods that are asked for, of those that mean something at an entry. */
  methodsOf(entry, words, miss) {
    const possible = this.methodsAt(entry.timestep);
    const lacks = (name) =>
      this.methodOf.has(name) ? `${this.label(name)} ranks for single steps only` : `There is no method “${name}”`;
    const wanted = words.method || this.main;
    const method = possible.includes(wanted) ? wanted : possible[0];
    if (method !== wanted) miss(`${lacks(wanted)}: shown is ${this.label(method)}.`);
    const beside = words.other || null;
    if (beside && !possible.includes(beside)) miss(`${lacks(beside)}: nothing is beside.`);
    return [method, beside !== method && possible.includes(beside) ? beside : null];
  }

  /** What the address means here: what it leaves out or gets wrong gets its default; `notices` say what was wrong. */
  state(words) {
    const notices = [];
    const miss = (text) => notices.push(text);
    const view = ["example", "leaderboard"].includes(words.view) ? words.view : "target";
    if (words.view && words.view !== view) miss(`There is no view “${words.view}”.`);
    const missTarget = view === "target" ? miss : () => {}; // other views keep the words, and show none of it
    const target = this.numbers.get(Number(words.target)) ?? this.targets[0];
    if (words.target !== undefined && target.target !== Number(words.target))
      missTarget(`There is no target ${words.target}: shown is ${this.nameOf(target)}.`);
    const entry = this.entryAt(target, words, missTarget);
    const [method, other] = this.methodsOf(entry, words, missTarget);
    const count = Math.min(this.shown, Math.max(1, Math.round(Number(words.count)) || 8));
    if (words.count !== undefined && count !== Number(words.count))
      missTarget(`From 1 to ${this.shown} examples can be shown: shown are ${count}.`);
    const row = words.example === undefined || words.example === "" ? NaN : Number(words.example);
    const example = Number.isInteger(row) && row >= 0 && row < this.size ? row : null;
    if (words.example && example === null)
      miss(`There is no training example ${words.example}${view === "example" ? ": shown is 0" : ""}.`);
    return {
      notices,
      view,
      target,
      entry,
      method,
      other,
      count,
      example: view === "example" ? (example ?? 0) : example,
      sort: words.sort ?? "",
    };
  }
}

/** Heads of what says in a file which target a row is about. */
const PLACE = ["experiment", "target", "target_name"];

/** Rows of a table as objects. */
function records({ columns, rows }) {
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])));
}
