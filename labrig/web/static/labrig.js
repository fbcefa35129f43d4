// What every screen does: says when it is not live, and answers to keys and switches.
(() => {
  "use strict";
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const STALE_MS = 3000;

  // With several runs the dock grows: nothing may lie beneath it.
  const dock = document.querySelector(".dock");
  if (dock)
    new ResizeObserver(() =>
      root.style.setProperty("--dock-height", `${dock.offsetHeight}px`)).observe(dock);

  // -- beats -------------------------------------------------------------------------------------
  let seen = performance.now();
  let beat = {};
  document.addEventListener("htmx:ws:before:message:incoming", (event) => {
    let message;
    try { message = JSON.parse(event.detail.message.data); } catch { return; }
    if (!message.beat) return;
    event.preventDefault();
    seen = performance.now();
    const before = beat;
    beat = message.beat;
    call(before, beat);
    document.dispatchEvent(new CustomEvent("labrig:beat", { detail: beat }));
    judge();
  });

  // Whoever was logged out, or has another role, gets what they may see.
  document.addEventListener("htmx:ws:close", (event) => {
    if (event.detail.code === 4401) location.reload();
  });

  function judge() {
    const page_ms = performance.now() - seen;
    const runner_ms = beat.heard_s == null ? 0 : beat.heard_s * 1000 + page_ms;
    const stale = Math.max(page_ms, runner_ms) > STALE_MS;
    const bar = $("not-live");
    if (!bar) return;
    document.body.classList.toggle("stale", stale);
    if (stale) {
      const who = page_ms > 1500 ? "the page’s own server" : "the runner";
      const age = Math.round(Math.max(page_ms, runner_ms) / 1000);
      bar.replaceChildren(
        Object.assign(document.createElement("b"), { textContent: "Not live. " }),
        `Nothing was heard from ${who} for ${age} s: what you see is old. To stop now: `,
        Object.assign(document.createElement("code"), { textContent: "labrig stop" }),
        " in a terminal, or the switch on the bench."
      );
    }
    // Said aloud once, not at every second.
    if (bar.hidden === stale) bar.hidden = !stale;
    bar.setAttribute("aria-live", "off");
  }
  setInterval(judge, 500);

  // -- calling somebody --------------------------------------------------------------------------
  const title = document.title;
  let audio = null;
  function call(before, now) {
    const wanted = (now.alarms || 0) + (now.questions || 0) + (now.dead || 0);
    const was = (before.alarms || 0) + (before.questions || 0) + (before.dead || 0);
    document.title = wanted ? `(${wanted}) ${title}` : title;
    const icon = wanted ? "/static/icon-wanted.svg" : "/static/icon-quiet.svg";
    if ($("favicon").getAttribute("href") !== icon) $("favicon").setAttribute("href", icon);
    if (audio && wanted > was && before.now_ms) sound();
  }
  function sound() {
    for (const [at, pitch] of [[0, 880], [0.25, 660], [0.5, 880]]) {
      const tone = audio.createOscillator();
      const loud = audio.createGain();
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0.2, audio.currentTime + at);
      loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.22);
      tone.connect(loud).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.23);
    }
  }
  $("sound-switch")?.addEventListener("click", (event) => {
    audio = audio ? (audio.close(), null) : new AudioContext();
    event.currentTarget.setAttribute("aria-pressed", String(!!audio));
    if (audio) sound();
  });

  // -- switches ----------------------------------------------------------------------------------
  function keep(name, value) {
    root.dataset[name] = value;
    localStorage.setItem(`labrig-${name}`, value);
    show();
  }
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  function show() {
    $("theme-switch")?.setAttribute("aria-pressed", String(dark()));
    $("clock-switch")?.setAttribute("aria-pressed", String(root.dataset.time === "elapsed"));
  }
  $("theme-switch")?.addEventListener("click", () => keep("theme", dark() ? "light" : "dark"));
  $("clock-switch")?.addEventListener("click", () =>
    keep("time", root.dataset.time === "elapsed" ? "clock" : "elapsed"));
  show();

  // -- notes -------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-note]");
    if (button) openNote(button);
  });
  function openNote(button) {
    if (!button || button.disabled) return;
    const form = $("note-form");
    form.setAttribute("hx-post", button.dataset.note);
    $("note-run").textContent = button.dataset.runName;
    $("note-dialog").show();
    $("note-text").focus();
  }
  $("note-close")?.addEventListener("click", () => $("note-dialog").close());
  document.addEventListener("htmx:after:request", (event) => {
    const ctx = event.detail?.ctx;
    if (ctx?.sourceElement?.id === "note-form" && ctx.response?.raw?.ok) {
      $("note-form").reset();
      $("note-dialog").close();
    }
  });

  // What was said goes by itself, unless somebody is writing there.
  let gone = 0;
  new MutationObserver(() => {
    clearTimeout(gone);
    const clear = () => {
      if ($("said").contains(document.activeElement)) gone = setTimeout(clear, 5000);
      else $("said").replaceChildren();
    };
    if ($("said").childElementCount) gone = setTimeout(clear, 20000);
  }).observe($("said"), { childList: true });

  // -- keys --------------------------------------------------------------------------------------
  // Dialogs are never modal: STOP must stay within reach of hand and keyboard.
  $("keys-switch")?.addEventListener("click", () => $("keys").show());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const open of document.querySelectorAll("dialog[open]")) open.close();
      document.querySelector(".tools")?.removeAttribute("open");
      return;
    }
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "s") document.querySelector("[data-stop]:not(:disabled)")?.focus();
    else if (event.key === "h") document.querySelector("[data-hold]:not(:disabled)")?.focus();
    else if (event.key === "n") openNote(document.querySelector("[data-note]"));
    else if (event.key === "?") $("keys").show();
    else return;
    event.preventDefault();
  });
})();
