// The way of a sample from noise: a film strip, a slider over its steps, patches, and the other caption.
"use strict";

class Journey {
  constructor(experiment, shown, target, data) {
    Object.assign(this, { experiment, shown, target, data });
    this.timesteps = data.strip.timesteps;
    const stops = [...this.timesteps, null];
    this.stops = stops.filter((t) => target.entries.some(([, timestep, patch]) => timestep === t && patch === ""));
    const size = experiment.target_pictures;
    const columns = stops.map((t, column) => this.column(t, column, stops.length, size));
    this.strip = el("div", { class: "strip", style: { "--stops": stops.length } }, this.names(), columns);
    this.slider = el("input", {
      type: "range",
      id: "step",
      min: 0,
      max: this.stops.length - 1,
      step: 1,
      "data-key": "step",
      oninput: () => this.go(this.stops[Number(this.slider.value)]),
    });
    this.said = el("output", { for: "step", class: "strong" });
    this.captions = el("div", { class: "captions" });
    this.element = el(
      "section",
      { class: "journey", "aria-labelledby": "journey-title" },
      el("h3", { id: "journey-title" }, "From noise to the sample"),
      el(
        "p",
        { class: "note" },
        "At each step t the model sees the noisy picture xₜ and expects the picture x̂₀ in the end. Choose a step: everything below is about what shaped that step.",
      ),
      el("div", { class: "scrolled", tabindex: "0", role: "region", "aria-label": "Film strip" }, this.strip),
      el("p", { class: "slide" }, el("label", { for: "step" }, "Step"), this.slider, this.said),
      this.captions,
    );
  }

  go(t) {
    address.go({ t: t === null ? "whole" : t, patch: null }, true);
  }

  names() {
    return [el("span", { class: "row-name" }, "xₜ"), el("span", { class: "row-name" }, "x̂₀(xₜ)"), el("span", {})];
  }

  column(t, column, stops, size) {
    const where = t === null ? "the final sample" : `t = ${t}`;
    const tile = (row, name) => this.shown.tile(this.data.strip, row * stops + column, size, name);
    const expected = el(
      "span",
      { class: "patched" },
      tile(1, t === null ? "final sample" : `expected picture at ${where}`),
      this.patches(t),
    );
    const pressed = el(
      "button",
      {
        type: "button",
        class: "stop",
        "data-stop": t ?? "whole",
        disabled: !this.stops.includes(t),
        onclick: () => this.go(t),
      },
      t === null ? "sample" : where,
    );
    return [t === null ? el("span", {}) : tile(0, `noisy picture at ${where}`), expected, pressed];
  }

  /** Outlines of the parts that are attributed by themselves, to press. */
  patches(t) {
    const { width, height } = this.experiment.target_pictures;
    const there = this.target.entries.filter(([, timestep, patch]) => patch && timestep === t);
    return there.map(([, , patch]) => {
      const part = this.experiment.patches.find((one) => one.name === patch && one.timestep === t);
      if (!part) return null;
      const [top, left, high, wide] = part.box;
      return el("button", {
        type: "button",
        class: "patch",
        "data-patch": patch,
        "aria-label": `patch ${patch.replaceAll("_", " ")} at t = ${t}`,
        title: `patch ${patch.replaceAll("_", " ")}`,
        style: {
          top: `${(100 * top) / height}%`,
          left: `${(100 * left) / width}%`,
          height: `${(100 * high) / height}%`,
          width: `${(100 * wide) / width}%`,
        },
        onclick: () => address.go({ t, patch: address.read().patch === patch ? null : patch }),
      });
    });
  }

  update({ entry }) {
    const { timestep, patch } = entry;
    this.slider.value = this.stops.indexOf(timestep);
    const where = timestep === null ? "the sample as a whole" : `t = ${timestep}`;
    this.slider.setAttribute("aria-valuetext", where);
    this.said.textContent = patch ? `${where}, patch ${patch.replaceAll("_", " ")}` : where;
    for (const stop of this.strip.querySelectorAll(".stop"))
      stop.setAttribute("aria-pressed", String(stop.dataset.stop === String(timestep ?? "whole")));
    for (const button of this.strip.querySelectorAll(".patch"))
      button.setAttribute("aria-pressed", String(button.dataset.patch === patch && timestep !== null));
    fill(this.captions, this.exchange(timestep), this.patchWords(patch));
  }

  patchWords(patch) {
    if (patch)
      return el(
        "p",
        {},
        "Attributed is the loss of the outlined patch alone. ",
        el("a", { href: address.link({ patch: null }), "data-key": "patch" }, "Show the whole picture"),
      );
    const any = this.target.entries.find(([, , part]) => part);
    return (
      any &&
      el(
        "p",
        {},
        el(
          "a",
          { href: address.link({ t: any[1], patch: any[2] }), "data-key": "patch" },
          `Show what shaped the patch ${any[2].replaceAll("_", " ")} at t = ${any[1]} alone`,
        ),
      )
    );
  }

  /** The same noisy pictures under another caption. */
  exchange(timestep) {
    const { experiment, target } = this;
    const own = target.of === null ? target : experiment.numbers.get(target.of);
    const other = target.of === null ? experiment.exchanged.get(target.target) : target;
    if (!own || !other) return null;
    const link = (one) =>
      el(
        "a",
        {
          class: "told",
          href: address.link({ target: one.target, patch: null }),
          "aria-current": one === target ? "true" : null,
          "data-key": `told-${one.target}`,
        },
        `“${one.caption}”`,
      );
    const found = records(experiment.captions ?? { columns: [], rows: [] }).find(
      (row) => row.sample === own.target && row.timestep === timestep,
    );
    return el(
      "div",
      {},
      el("p", { class: "exchange" }, "The same xₜ, and the model is told: ", link(own), " or ", link(other)),
      found &&
        el(
          "p",
          { class: "note" },
          `Exchanged: ${found.words}. Rank correlation of the scores under both captions at this step: ${format.plain(found.correlation, 2)}.`,
        ),
    );
  }
}
