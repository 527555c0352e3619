// What every view uses of the page: elements, numbers as text, the address, CSV. Texts of the data are set as text.
"use strict";

/** Return an element with attributes (functions listen) and children (texts, elements, lists of them, nothing). */
function el(tag, attributes = {}, ...children) {
  const svg = el.svg.has(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}
el.svg = new Set("svg g rect line path circle polygon text title desc".split(" "));

function add(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Put children in the place of what an element holds; what is there again keeps the focus, and stays open. */
function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const open = new Set([...element.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  element.replaceChildren();
  add(element, children);
  for (const one of element.querySelectorAll("details")) one.open ||= open.has(one.dataset.key);
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return element;
}

const format = {
  /** Digits after the point, such that the largest of some numbers has three digits; null: with an exponent. */
  digits(largest) {
    const power = largest > 0 ? Math.floor(Math.log10(largest)) : 0;
    return power >= -4 && power <= 5 ? Math.max(0, 2 - power) : null;
  },
  /** A number with a sign, and a true minus. */
  signed(value, digits) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const text = digits === null ? Math.abs(value).toExponential(1) : Math.abs(value).toFixed(digits);
    return (value < 0 && Number(text) !== 0 ? "−" : "+") + text;
  },
  plain(value, digits) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const text = digits === null ? Math.abs(value).toExponential(1) : Math.abs(value).toFixed(digits);
    return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
  },
  /** A measured difference ± its standard error, in digits that the error leaves. */
  measured({ difference, error }) {
    if (Number.isNaN(error)) return "not measured";
    const digits = error > 0 ? Math.max(0, 1 - Math.floor(Math.log10(error))) : 2;
    if (digits > 6) return `${format.signed(difference, null)} ±\u00a0${error.toExponential(1)}`;
    return `${format.signed(difference, digits)} ±\u00a0${error.toFixed(digits)}`;
  },
  lds: (value) => format.plain(value, 2),
  interval: ([low, high]) => `[${format.plain(low, 2)}, ${format.plain(high, 2)}]`,
  count: (value) => value.toLocaleString("en"),
  percent: (share) => `${Math.round(1e6 * share) / 1e4} %`,
};

/** The address behind # says what is shown, so that every view has a link. */
const address = {
  read() {
    return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  },
  link(changes, from = address.read()) {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...from, ...changes }))
      if (value !== null && value !== undefined && value !== "") words.set(name, value);
    return `#${words}`;
  },
  /** Show something else; `quietly` adds nothing to the history of the browser. */
  go(changes, quietly = false) {
    const link = address.link(changes);
    if (quietly) location.replace(link);
    else location.hash = link;
  },
};

/** Offer a table, a list of rows with the heads first, as a file. */
function saveCsv(name, rows) {
  const cell = (value) => {
    const text = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `${name}.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(`${name}.csv is saved.`);
}

/** A button that offers a table as a file; `rows` gives it, the heads first. */
function csvButton(name, rows, label = "Save as CSV") {
  return el(
    "button",
    { type: "button", class: "csv", "data-key": `csv-${label}`, onclick: () => saveCsv(name, rows()) },
    label,
  );
}

/** What can be unfolded; `key` names it, so that it stays open when the page is filled anew. */
function folded(key, summary, ...children) {
  return el("details", { "data-key": key, class: key }, el("summary", {}, summary), children);
}

/** Tell a screen reader. */
function say(text) {
  document.getElementById("status").textContent = text;
}

function select(label, key, chosen, options, change) {
  const field = el(
    "select",
    { "data-key": key, id: `choose-${key}`, onchange: () => change(field.value) },
    options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)),
  );
  return el("span", { class: "field" }, el("label", { for: field.id }, label), field);
}

function table(caption, heads, rows, attributes = {}) {
  return el(
    "div",
    { class: "scrolled", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      attributes,
      el("caption", {}, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el(
            "tr",
            {},
            row.map((cell, i) => (i ? el("td", {}, cell) : el("th", { scope: "row" }, cell))),
          ),
        ),
      ),
    ),
  );
}
