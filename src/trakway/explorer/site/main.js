// The page: head, foot, keys, and which view the address asks for.
"use strict";

(() => {
  const index = trakway.ready("index");
  const main = document.getElementById("main");
  if (!index) {
    fill(main, el("p", {}, "data/index.js is missing: copy the folder of the explorer as a whole."));
    return;
  }
  const experiment = new Experiment(index);
  const shown = new Shown(experiment);
  const list = new List(document.getElementById("list"), experiment, shown);
  const leaderboard = new Leaderboard(experiment);
  const notice = el("p", { class: "notice", hidden: true });
  const places = new Map(); // how far down one was, by the entry of the browser's history
  let entry = null;
  let current = { key: null, view: null };
  let latest = 0;

  function tabs(state) {
    const tab = (view, text) =>
      el(
        "a",
        {
          href: address.link({
            view: view === "target" ? null : view,
            ...(view === "example" ? { example: state.example ?? 0 } : {}),
          }),
          "aria-current": state.view === view ? "page" : null,
          "data-key": `tab-${view}`,
        },
        text,
      );
    return el(
      "nav",
      { class: "tabs", "aria-label": "Views" },
      tab("target", "Targets"),
      tab("example", "Training examples"),
      tab("leaderboard", "Methods"),
    );
  }

  function head(state) {
    fill(
      document.getElementById("head"),
      el(
        "div",
        { class: "title" },
        el("h1", {}, experiment.name, experiment.tier && el("span", { class: "note" }, ` ${experiment.tier}`)),
        el("p", { class: "note" }, experiment.description),
      ),
      tabs(state),
      el(
        "button",
        { type: "button", class: "theme", "data-key": "theme", "aria-pressed": String(dark()), onclick: turn },
        "Dark",
      ),
    );
  }

  function foot() {
    const { provenance } = experiment;
    const [revision, hardware, packages, data] = ["revision", "hardware", "packages", "data"].map(
      (name) => provenance[name] ?? {},
    );
    const commit = revision.commit
      ? `commit ${revision.commit.slice(0, 12)}${revision.changed ? " with changes" : ""}`
      : null;
    const parts = [
      `Trakway ${provenance.trakway ?? ""}`.trim(),
      commit,
      `${format.count(experiment.size)} training examples of ${data.source ?? "an unnamed source"}`,
      data.licence && `licence: ${data.licence}`,
      `${provenance.subsets} subsets in the bank`,
      `seed ${provenance.seed}`,
      provenance.cpu_seconds && `${format.count(Math.round(provenance.cpu_seconds))} CPU seconds in all`,
      hardware.processor &&
        `${hardware.cores} cores of ${hardware.processor}${hardware.gpu ? `, ${JSON.stringify(hardware.gpu)}` : ""}`,
      packages.torch && `torch ${packages.torch}`,
    ];
    fill(document.getElementById("foot"), el("p", {}, parts.filter(Boolean).join(" · ")));
  }

  function dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  /** Dark or light, whatever the machine says, until the page is left or for longer where it can be remembered. */
  function turn({ target }) {
    const theme = dark() ? "light" : "dark";
    paint(theme);
    target.setAttribute("aria-pressed", String(dark()));
    try {
      localStorage.setItem("trakway-theme", theme);
    } catch {
      // a browser may refuse to remember anything for a page from a folder
    }
  }

  function paint(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
  }

  async function make(state) {
    await shown.ready();
    const bank = state.view === "leaderboard" ? null : await experiment.bank();
    if (state.view === "leaderboard") return leaderboard;
    if (state.view === "example") {
      const moved = await trakway.need(`examples/${Math.floor(state.example / experiment.reverse)}`);
      const duplicates = experiment.duplicates ? await trakway.need("duplicates") : null;
      return new ExampleView(experiment, shown, state.example, { moved, duplicates, bank });
    }
    return new TargetView(experiment, shown, state.target, await experiment.of(state.target), bank);
  }

  /** Keep how far down one was in the entry of the history that is left; return it of the one that is shown now. */
  function place() {
    places.set(entry, scrollY);
    if (history.state === null) history.replaceState({ entry: Date.now() }, "");
    entry = history.state.entry;
    return places.get(entry) ?? history.state.down;
  }

  /** Where what had the focus is gone: to what it names as next, or to the head of the view. */
  function focusAfter(gone) {
    const next = gone.dataset.next && main.querySelector(`[data-key="${CSS.escape(gone.dataset.next)}"]`);
    const head = main.querySelector("h2");
    head.tabIndex = -1;
    (next || head).focus({ preventScroll: true });
  }

  /** Say in the title and to a screen reader what is shown, and on the page what was asked for in vain. */
  function tell(view, state, first) {
    const said = view.said(state);
    const title = `${said} · ${experiment.name}: explorer`;
    notice.textContent = state.notices.join(" ");
    notice.hidden = !state.notices.length;
    if (!first && title !== document.title) say([said, ...state.notices].join(". "));
    document.title = title;
  }

  async function show() {
    const turn = ++latest;
    const down = place();
    const held = main.contains(document.activeElement) ? document.activeElement : null;
    const state = experiment.state(address.read());
    const key = {
      target: `target ${state.target.target}`,
      example: `example ${state.example}`,
      leaderboard: "leaderboard",
    }[state.view];
    head(state);
    try {
      const view = key === current.key ? current.view : await make(state);
      if (turn !== latest) return; // something else was asked for meanwhile
      view.update(state);
      document.body.dataset.view = state.view;
      const [first, same] = [current.key === null, key === current.key];
      if (!same) fill(main, notice, view.elements);
      current = { key, view };
      tell(view, state, first);
      if (held && document.activeElement === document.body) focusAfter(held);
      await list.update(state);
      if (down !== undefined || !(first || same)) scrollTo(0, down ?? 0);
      main.dataset.shown = location.hash;
    } catch (error) {
      console.error(error);
      fill(main, el("p", { role: "alert" }, error.message));
      current = { key: null, view: null };
    }
  }

  /** Keys without a modifier: only while the focus is in the list or in the content, so that no spoken word is one. */
  function keys(event) {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "range";
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !event.target.closest("#list, #main")) return;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("search").focus();
    } else if ((event.key === "n" || event.key === "p") && document.body.dataset.view === "target") {
      const next = list.neighbour(event.key === "n" ? 1 : -1);
      if (next) address.go({ target: next.target, example: null });
    }
  }

  try {
    paint(localStorage.getItem("trakway-theme"));
  } catch {
    // as above
  }
  document.getElementById("skip").addEventListener("click", () => main.focus());
  history.scrollRestoration = "manual"; // the browser would scroll before there is anything to scroll to
  addEventListener("beforeunload", () => history.replaceState({ entry, down: scrollY }, "")); // it may be loaded again
  addEventListener("hashchange", show);
  addEventListener("keydown", keys);
  new ResizeObserver(([{ target }]) =>
    document.documentElement.style.setProperty("--head", `${target.getBoundingClientRect().height}px`),
  ).observe(document.getElementById("head"));
  foot();
  show();
})();
