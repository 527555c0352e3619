// The list at the left: targets, or training examples, to search and sort.
"use strict";

const A_TIME = 300; // items shown at once

class List {
  constructor(element, experiment, shown) {
    Object.assign(this, { element, experiment, shown, kind: null, most: A_TIME });
    this.heading = el("h2", { class: "unseen" });
    this.search = el("input", { type: "search", id: "search", autocomplete: "off", oninput: () => this.find() });
    this.sort = el("select", { id: "sort", onchange: () => address.go({ sort: this.sort.value }, true) });
    this.found = el("p", { class: "note", "aria-live": "polite" });
    this.items = el("ul", { class: "items" });
    this.more = el("button", { type: "button", onclick: () => this.extend() }, "Show more");
    this.searchLabel = el("label", { for: "search" });
    fill(
      element,
      this.heading,
      el(
        "div",
        { class: "finding" },
        this.searchLabel,
        this.search,
        el("label", { for: "sort" }, "Sort by"),
        this.sort,
      ),
      this.found,
      this.items,
      this.more,
    );
  }

  find() {
    this.most = A_TIME;
    this.update();
  }

  /** Show as many again; the first of them gets the focus. */
  async extend() {
    const first = this.most;
    this.most += A_TIME;
    await this.update();
    this.items.children[first].querySelector("a").focus();
  }

  orders() {
    const { experiment } = this;
    if (this.kind === "example")
      return [["", "number"], ...(experiment.self_influence ? [["self", "self-influence"]] : []), ["class", "class"]];
    const flips = experiment.targets.some((target) => Object.keys(target.brittleness).length);
    return [
      ["", "number"],
      ["lds", "LDS, best first"],
      ["output", `${outputWords(experiment)}, lowest first`],
      ...(flips ? [["brittle", "brittleness"]] : []),
    ];
  }

  async update(state = this.state) {
    this.state = state;
    const kind = state.view === "example" ? "example" : "target";
    if (kind === "example") await this.shown.ready();
    if (kind !== this.kind) {
      this.kind = kind;
      this.most = A_TIME;
      this.search.value = "";
      this.heading.textContent = kind === "example" ? "Training examples" : "Targets";
      this.searchLabel.textContent = kind === "example" ? "Search training examples" : "Search targets";
      fill(
        this.sort,
        this.orders().map(([value, text]) => el("option", { value }, text)),
      );
    }
    this.sort.value = this.orders().some(([value]) => value === state.sort) ? state.sort : "";
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [items, all] = kind === "example" ? this.examples(words) : this.targets(words);
    const [first, rest] = [items.slice(0, this.most), items.slice(this.most)];
    const current = rest.find((item) => item.current); // what is shown is in the list
    fill(
      this.items,
      [...first, current].map((item) => item?.show()),
    );
    this.more.hidden = !rest.length;
    const what = kind === "example" ? "training examples" : "targets";
    this.found.textContent = rest.length
      ? `the first ${first.length} of ${format.count(items.length)} ${what}`
      : `${format.count(items.length)} of ${format.count(all)} ${what}`;
    this.reveal();
  }

  /** Scroll the list, and nothing else, to what is shown. */
  reveal() {
    const current = this.items.querySelector("[aria-current]")?.parentElement;
    if (!current) return;
    const box = this.items;
    const [left, top] = [current.offsetLeft - box.offsetLeft, current.offsetTop - box.offsetTop];
    if (left < box.scrollLeft || left + current.offsetWidth > box.scrollLeft + box.clientWidth)
      box.scrollLeft = left - 20;
    if (top < box.scrollTop || top + current.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - 60;
  }

  entryLike(target) {
    const { entry } = this.state;
    const same = target.entries.find(([, timestep, patch]) => timestep === entry.timestep && patch === entry.patch);
    return (same ?? target.entries[0])[0];
  }

  /** The targets in the order of the list. */
  ordered(words) {
    const { experiment } = this;
    const findable = (target) =>
      `${experiment.nameOf(target)} ${target.label ?? ""} ${target.caption ?? ""} ${target.text ?? ""} ${target.pair ?? ""}`.toLowerCase();
    const every = experiment.targets.filter((target) => target.of === null);
    const found = every.filter((target) => words.every((word) => findable(target).includes(word)));
    const key = {
      lds: (target) => -(experiment.lds(this.entryLike(target), this.state.method) ?? -2),
      output: (target) => experiment.outputs[this.entryLike(target)],
      brittle: (target) => target.brittleness[experiment.main] ?? Infinity,
    }[this.state.sort];
    if (key) found.sort((a, b) => key(a) - key(b) || a.target - b.target);
    return [found, every.length];
  }

  targets(words) {
    const { experiment, shown, state } = this;
    const [found, all] = this.ordered(words);
    const digits = format.digits(Math.max(...experiment.outputs.map(Math.abs)));
    const current = state.target.of ?? state.target.target;
    const show = (target) => {
      const position = this.entryLike(target);
      const lds = experiment.lds(position, state.method);
      return this.item(
        { target: target.target, example: null, view: null },
        `target-${target.target}`,
        target.target === current && state.view === "target",
        [
          shown.targetPicture(target),
          el(
            "span",
            { class: "said" },
            el("strong", {}, experiment.nameOf(target)),
            el("span", { class: "line" }, shown.targetLine(target)),
            el(
              "span",
              { class: "note" },
              `${outputWords(experiment)} ${format.signed(experiment.outputs[position], digits)}`,
              lds === null ? "" : ` · LDS ${format.lds(lds)}`,
              experiment.proven.includes(target.target) ? " · proof" : "",
            ),
          ),
        ],
      );
    };
    return [found.map((target) => ({ current: target.target === current, show: () => show(target) })), all];
  }

  item(words, key, current, content) {
    return el(
      "li",
      {},
      el("a", { href: address.link(words), "data-key": key, "aria-current": current ? "true" : null }, content),
    );
  }

  examples(words) {
    const { experiment, shown, state } = this;
    const rows = [...experiment.labels.keys()].filter(
      (row) => !words.length || words.every((word) => shown.findable(row).includes(word)),
    );
    if (state.sort === "self" && experiment.self_influence)
      rows.sort((a, b) => experiment.self_influence[b] - experiment.self_influence[a]);
    if (state.sort === "class") rows.sort((a, b) => experiment.labels[a] - experiment.labels[b] || a - b);
    const show = (row) => {
      const id = String(shown.words.id[row]).toLowerCase();
      const byId = words.some((word) => id.includes(word) && !`№ ${row}`.includes(word));
      return this.item({ view: "example", example: row }, `example-${row}`, row === state.example, [
        shown.examplePicture(row),
        el(
          "span",
          { class: "said" },
          el("strong", {}, `№ ${row}`),
          byId && el("span", { class: "note" }, `row ${id} of the source`),
          el("span", { class: "line" }, experiment.className(row)),
          el("span", { class: "line" }, shown.exampleWords(row)),
        ),
      ]);
    };
    return [rows.map((row) => ({ current: row === state.example, show: () => show(row) })), experiment.labels.length];
  }

  /** The target before or after the one that is shown, in the order of the list. */
  neighbour(step) {
    const [found] = this.ordered(this.search.value.toLowerCase().split(/\s+/).filter(Boolean));
    const current = this.state.target.of ?? this.state.target.target;
    const place = found.findIndex((target) => target.target === current);
    return found[place + step];
  }
}
