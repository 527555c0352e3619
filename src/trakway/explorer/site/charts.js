// Charts in SVG: a histogram, lines along timesteps, dots with intervals. Each has a title that says what it shows.
"use strict";

const charts = (() => {
  function frame(width, height, title, ...children) {
    return el(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", class: "chart", "aria-label": title },
      el("title", {}, title),
      children,
    );
  }

  /** A wide chart, to be moved sideways where there is little room. */
  function wide(chart) {
    return el(
      "div",
      { class: "scrolled wide", tabindex: "0", role: "region", "aria-label": chart.getAttribute("aria-label") },
      chart,
    );
  }

  function label(x, y, text, attributes = {}) {
    return el("text", { x, y, ...attributes }, text);
  }

  /** Bars of counts from low to high (heights as square roots, or the tails would not be seen), with marks. */
  function histogram({ low, high, counts, marks, chosen, digits, title }) {
    const [width, height, bottom, top] = [560, 150, 26, 22];
    const span = high - low || 1;
    const x = (value) => 8 + ((width - 16) * (value - low)) / span;
    const most = Math.sqrt(Math.max(...counts, 1));
    const each = (width - 16) / counts.length;
    const bars = counts.map((count, i) => {
      const tall = ((height - bottom - top) * Math.sqrt(count)) / most;
      return el(
        "rect",
        {
          class: "bar",
          x: 8 + i * each + 0.5,
          y: height - bottom - tall,
          width: Math.max(0.5, each - 1),
          height: tall,
        },
        el("title", {}, `${format.count(count)} examples`),
      );
    });
    const ticks = marks.map(({ value, side }) =>
      el("line", { class: `mark ${side}`, x1: x(value), x2: x(value), y1: height - bottom, y2: height - bottom + 7 }),
    );
    const zero = low < 0 && high > 0;
    const ends = [
      label(8, height - 4, format.signed(low, digits)),
      label(width - 8, height - 4, format.signed(high, digits), { "text-anchor": "end" }),
      zero && el("line", { class: "zero", x1: x(0), x2: x(0), y1: top, y2: height - bottom }),
      zero && Math.min(x(0), width - x(0)) > 90 && label(x(0), height - 4, "0", { "text-anchor": "middle" }),
    ];
    const at = chosen && Math.min(width - 8, Math.max(8, x(chosen.value)));
    const one = chosen && [
      el("line", { class: "chosen", x1: at, x2: at, y1: top - 6, y2: height - bottom + 8 }),
      label(at, top - 9, chosen.text, { class: "strong", "text-anchor": at > width / 2 ? "end" : "start" }),
    ];
    const chart = frame(width, height, title, bars, ends, ticks, one);
    chart.classList.add("histogram");
    return chart;
  }

  /** Horizontal places of timesteps, from high noise at the left; names below. */
  function steps(timesteps, left, right, y) {
    const x = (i) => (timesteps.length > 1 ? left + ((right - left) * i) / (timesteps.length - 1) : (left + right) / 2);
    const names = timesteps.map((t, i) => label(x(i), y, `t = ${t}`, { "text-anchor": "middle" }));
    return { x, names };
  }

  /**
   * Ranks of examples along timesteps: 1 … shown on a logarithmic scale; below it a lane for what is further down, and
   * one for what is among the lowest scores.
   */
  function rankLines({ timesteps, at, lines, shown, chosen, pick, title }) {
    const [width, height, left, right] = [680, 300, 78, 600];
    const lanes = { middle: 236, lowest: 258 };
    const y = (rank) => {
      if (rank === "middle" || rank === "lowest") return lanes[rank];
      return 20 + (196 * Math.log(rank)) / Math.log(Math.max(2, shown));
    };
    const { x, names } = steps(timesteps, left, right, height - 8);
    const grid = [1, 2, 5, 10, 20, 50, 100].filter((rank) => rank <= shown);
    const place = timesteps.indexOf(at);
    const back = [
      place >= 0 && el("rect", { class: "here", x: x(place) - 18, width: 36, y: 8, height: 260 }),
      grid.map((rank) => [
        el("line", { class: "grid", x1: left, x2: right, y1: y(rank), y2: y(rank) }),
        label(left - 8, y(rank) + 4, rank === 1 ? "rank 1" : rank, { "text-anchor": "end" }),
      ]),
      label(left - 8, lanes.middle + 4, "between", { "text-anchor": "end" }),
      label(left - 8, lanes.lowest + 4, "lowest", { "text-anchor": "end" }),
    ];
    const named = lines.filter(({ example, ranks }) => example === chosen || typeof ranks.at(-1) === "number");
    const heights = apart(named.map(({ ranks }) => y(ranks.at(-1))));
    const ends = new Map(named.map(({ example }, i) => [example, heights[i]]));
    const drawn = lines.map(({ example, ranks }, i) => {
      const points = ranks.map((rank, step) => [x(step), y(rank) + (typeof rank === "string" ? (i % 5) * 2 - 4 : 0)]);
      const path = points.map(([a, b], step) => `${step ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
      const strong = example === chosen;
      const end = points.at(-1);
      return el(
        "g",
        { class: strong ? "line chosen" : "line", onclick: () => pick(example) },
        el(
          "title",
          {},
          `example ${example}: ${ranks.map((rank, step) => `t = ${timesteps[step]}: ${rankWords(rank, shown)}`).join("; ")}`,
        ),
        el("path", { d: path, class: "wide" }),
        el("path", { d: path, class: "thin" }),
        points.map(([a, b]) => el("circle", { cx: a, cy: b, r: strong ? 5 : 3 })),
        ends.has(example) &&
          label(end[0] + 10, ends.get(example) + 4, `№ ${example}`, { class: strong ? "strong" : "" }),
      );
    });
    const order = lines.map((line, i) => [line.example === chosen, drawn[i]]);
    order.sort((a, b) => a[0] - b[0]);
    return wide(
      frame(
        width,
        height,
        title,
        back,
        names,
        order.map(([, one]) => one),
      ),
    );
  }

  /** Move heights of labels apart, in their order, downwards only. */
  function apart(heights, least = 13) {
    const order = [...heights.keys()].sort((a, b) => heights[a] - heights[b]);
    const moved = [];
    order.forEach((i, place) => {
      moved[i] = place ? Math.max(heights[i], moved[order[place - 1]] + least) : heights[i];
    });
    return moved;
  }

  function rankWords(rank, shown) {
    if (rank === "middle") return `not among the first ${shown}`;
    return rank === "lowest" ? `among the ${shown} lowest` : `rank ${rank}`;
  }

  /** Curves of probabilities along timesteps, with bands. */
  function curves({ timesteps, lines, at, title }) {
    const [width, height, left, right, bottom] = [680, 220, 52, 640, 30];
    const { x, names } = steps(timesteps, left + 20, right - 20, height - 8);
    const y = (value) => 10 + (height - bottom - 18) * (1 - value);
    const place = timesteps.indexOf(at);
    const back = [0, 0.5, 1].map((value) => [
      el("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
      label(left - 6, y(value) + 4, value, { "text-anchor": "end" }),
    ]);
    const here =
      place >= 0 && el("rect", { class: "here", x: x(place) - 18, width: 36, y: 4, height: height - bottom });
    const drawn = lines.map(({ look, values, low, high }) => {
      const there = low.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      const back = [...high.keys()]
        .reverse()
        .map((i) => `L${x(i).toFixed(1)} ${y(high[i]).toFixed(1)}`)
        .join("");
      const path = values.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      return el(
        "g",
        { class: `curve ${look}` },
        el("path", { class: "band", d: `${there}${back}Z` }),
        el("path", { class: "thin", d: path }),
        values.map((value, i) => symbol(look, x(i), y(value))),
      );
    });
    return wide(frame(width, height, title, here, back, names, drawn));
  }

  /** A symbol a kind, told apart without colour: before a disc, after a square, at random a ring. */
  function symbol(look, x, y, text) {
    const title = text && el("title", {}, text);
    if (look === "after")
      return el("rect", { class: `symbol ${look}`, x: x - 5, y: y - 5, width: 10, height: 10 }, title);
    return el("circle", { class: `symbol ${look}`, cx: x, cy: y, r: look === "random" ? 4.5 : 5 }, title);
  }

  /** Outputs on a line, one row a removal: before, after, and after removing as many at random. */
  function beforeAfter({ rows, border, title }) {
    const [width, left, each] = [680, 12, 46];
    const height = rows.length * each + 26;
    const all = rows.flatMap((row) => [row.before, ...row.after, ...row.control]).concat(border ? [0] : []);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const digits = format.digits(Math.max(Math.abs(low), Math.abs(high)));
    const x = (value) => left + 20 + ((width - 2 * left - 40) * (value - low)) / (high - low || 1);
    const zero = border && low < 0 && high > 0;
    const drawn = rows.map((row, i) => {
      const y = i * each + 32;
      const mean = row.after.reduce((a, b) => a + b, 0) / row.after.length;
      return [
        label(left, y - 16, row.text),
        el("line", { class: "grid", x1: left, x2: width - left, y1: y, y2: y }),
        zero && el("line", { class: "zero", x1: x(0), x2: x(0), y1: y - 10, y2: y + 10 }),
        el("line", { class: "moved", x1: x(row.before), x2: x(mean), y1: y, y2: y }),
        row.control.map((value) => symbol("random", x(value), y, `at random: ${format.signed(value, digits)}`)),
        symbol("before", x(row.before), y, `before: ${format.signed(row.before, digits)}`),
        row.after.map((value) => symbol("after", x(value), y, `after: ${format.signed(value, digits)}`)),
      ];
    });
    const axis = [
      label(x(low), height - 4, format.signed(low, digits), { "text-anchor": "middle" }),
      label(x(high), height - 4, format.signed(high, digits), { "text-anchor": "middle" }),
      zero && label(x(0), height - 4, "0", { "text-anchor": "middle" }),
    ];
    return wide(frame(width, height, title, drawn, axis));
  }

  /** A value with an interval on a line from low to high, with a line for the ceiling. */
  function bar({ value, interval, ceiling, low, high, title, color }) {
    const [width, height] = [260, 22];
    const x = (number) => 4 + ((width - 8) * (Math.min(high, Math.max(low, number)) - low)) / (high - low);
    return frame(
      width,
      height,
      title,
      el("line", { class: "zero", x1: x(0), x2: x(0), y1: 1, y2: height - 1 }),
      el("rect", {
        x: Math.min(x(0), x(value)),
        width: Math.abs(x(value) - x(0)),
        y: 5,
        height: 12,
        style: { fill: color },
        class: "value",
      }),
      el("line", { class: "whisker", x1: x(interval[0]), x2: x(interval[1]), y1: 11, y2: 11 }),
      interval.map((end) => el("line", { class: "whisker", x1: x(end), x2: x(end), y1: 7, y2: 15 })),
      ceiling !== null && el("line", { class: "ceiling", x1: x(ceiling), x2: x(ceiling), y1: 1, y2: height - 1 }),
    );
  }

  /** A measured effect ± standard error, from a line at 0; `reach` is at either end. */
  function gauge({ difference, error, reach }) {
    const [width, height] = [90, 12];
    const x = (value) => width / 2 + ((width / 2 - 3) * Math.max(-reach, Math.min(reach, value))) / reach;
    const side = difference < 0 ? "harmful" : "helpful";
    return el(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, class: "gauge", "aria-hidden": "true" },
      el("line", { class: "zero", x1: x(0), x2: x(0), y1: 0, y2: height }),
      el("line", { class: "whisker", x1: x(difference - error), x2: x(difference + error), y1: 6, y2: 6 }),
      el("circle", { class: `dot ${side}`, cx: x(difference), cy: 6, r: 4 }),
    );
  }

  return { histogram, rankLines, rankWords, curves, beforeAfter, bar, gauge, symbol };
})();
