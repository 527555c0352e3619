// Data arrive as scripts, which a page may load from a folder, and are kept by name.
"use strict";

const trakway = (() => {
  const received = new Map();
  const asked = new Map();

  /** Called by every data script. */
  function receive(name, value) {
    received.set(name, value);
  }

  /** Return a promise of data/NAME.js. */
  function need(name) {
    if (received.has(name)) return Promise.resolve(received.get(name));
    if (!asked.has(name)) {
      asked.set(
        name,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          script.src = `data/${name}.js`;
          script.onload = () => resolve(received.get(name));
          script.onerror = () => {
            asked.delete(name);
            reject(new Error(`data/${name}.js cannot be read: copy the folder of the explorer as a whole`));
          };
          document.head.append(script);
        }),
      );
    }
    return asked.get(name);
  }

  /** Return the bytes of base64. */
  function bytes(text) {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  }

  /** Return whole numbers of `width` bits each, as trakway.explorer.packing.packed wrote them. */
  function unpacked(text, width, count) {
    const from = bytes(text);
    const numbers = new (width <= 8 ? Uint8Array : width <= 16 ? Uint16Array : Uint32Array)(count);
    for (let i = 0, bit = 0; i < count; i++) {
      let value = 0;
      for (let end = bit + width; bit < end; bit++) value = 2 * value + ((from[bit >> 3] >> (7 - (bit & 7))) & 1);
      numbers[i] = value;
    }
    return numbers;
  }

  /** Return numbers of DataView's `kind`, little-endian. */
  function view(text, kind, size) {
    const from = new DataView(bytes(text).buffer);
    return Array.from({ length: from.byteLength / size }, (_, i) => from[`get${kind}`](i * size, true));
  }

  /** Return the numbers of trakway.explorer.packing.decimals, as close as a number comes to them. */
  function decimals({ power, data }) {
    return view(data, "Int16", 2).map((whole) => Number(`${whole}e${power}`));
  }

  return {
    receive,
    need,
    unpacked,
    decimals,
    doubles: (text) => view(text, "Float64", 8),
    singles: (text) => view(text, "Float32", 4),
    ready: (name) => received.get(name),
  };
})();
