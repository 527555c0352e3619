// How examples and targets are shown: pictures, texts, captions, and cards of them.
"use strict";

class Shown {
  constructor(experiment) {
    this.experiment = experiment;
    this.words = null; // of training examples, once they are needed
  }

  /** A promise that training examples can be shown. */
  async ready() {
    this.words ??= await trakway.need("words");
  }

  /** A cut-out of a file of pictures. */
  tile({ file, columns, rows }, place, size, name) {
    const part = (at, of) => (of > 1 ? `${(100 * at) / (of - 1)}%` : "0%");
    return el("span", {
      class: Math.max(size.width, size.height) <= 64 ? "picture exact" : "picture",
      role: "img",
      "aria-label": name,
      style: {
        "background-image": `url("${file}")`,
        "background-size": `${100 * columns}% ${100 * rows}%`,
        "background-position": `${part(place % columns, columns)} ${part(Math.floor(place / columns), rows)}`,
        "aspect-ratio": `${size.width} / ${size.height}`,
      },
    });
  }

  picture(sheets, place, name) {
    return this.tile(sheets.files[Math.floor(place / sheets.each)], place % sheets.each, sheets, name);
  }

  /** Picture of a training example, nothing where examples are no pictures. */
  examplePicture(row) {
    const { pictures } = this.experiment;
    return pictures && this.picture(pictures, row, `training example ${row}, ${this.experiment.className(row)}`);
  }

  targetPicture(target) {
    const { target_pictures: pictures } = this.experiment;
    return (
      pictures && this.picture(pictures, this.experiment.places.get(target.target), this.experiment.nameOf(target))
    );
  }

  /** Text and caption of a training example. */
  exampleWords(row, whole = false) {
    if (!this.words) return [];
    const { text, pair, captions } = this.words;
    return this.paragraphs({ text: text?.[row], pair: pair?.[row], captions: captions?.[row] ?? [] }, whole);
  }

  /** What else training examples have in a file: texts and captions, all in one. */
  wordColumns() {
    return ["text", "pair", "captions"].filter((name) => this.words?.[name]);
  }

  wordOf(name, row) {
    return [this.words[name][row]].flat().join(" | ");
  }

  targetWords(target, whole = false) {
    return this.paragraphs(
      { text: target.text, pair: target.pair, captions: target.caption ? [target.caption] : [] },
      whole,
    );
  }

  paragraphs({ text, pair, captions }, whole) {
    const long = (one) => (whole || one.length < 300 ? one : `${one.slice(0, 280)} …`);
    return [
      text && el("p", { class: "words" }, long(text)),
      pair && el("p", { class: "words pair" }, long(pair)),
      captions.slice(0, whole ? undefined : 1).map((one) => el("p", { class: "words caption" }, `“${long(one)}”`)),
    ];
  }

  /** One line that says which target it is. */
  targetLine(target) {
    const words = target.caption ? `“${target.caption}”` : (target.text ?? target.label ?? "");
    return words.length > 90 ? `${words.slice(0, 85)} …` : words;
  }

  /** All words by which an example can be found. */
  findable(row) {
    const { text, pair, captions, id } = this.words ?? {};
    return [`№ ${row}`, id?.[row], this.experiment.className(row), text?.[row], pair?.[row], ...(captions?.[row] ?? [])]
      .join(" ")
      .toLowerCase();
  }
}

/** What the outputs are, in words. */
function outputWords(experiment, long = false) {
  if (experiment.border) return long ? "margin (above 0: the prediction is right)" : "margin";
  return long ? "output: minus the loss, larger is better" : "output";
}
