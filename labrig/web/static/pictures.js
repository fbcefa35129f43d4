// Pictures over time: one or two panes in the same contrast, a slider, a player.
(() => {
  "use strict";
  const album = document.getElementById("album");
  if (!album) return;
  const $ = (id) => document.getElementById(id);
  const { here, channel, widthPx, widthUm, barUm } = album.dataset;
  const first = document.querySelector(".pane");
  const panes = [{ root: first, well: album.dataset.well, at: -1, moments: [] }];
  const state = { field: +album.dataset.field, channel, chosen: 0 };
  const AGAIN_MS = 15000;
  let playing = null;

  // -- what there is -----------------------------------------------------------------------------
  const two = () => panes.length > 1;
  const together = () => two() && $("together").checked;

  async function ask(address) {
    for (let tries = 0; tries < 20; tries++) {
      const answer = await fetch(address);
      if (answer.status !== 503) return answer;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    throw new Error("busy");
  }

  // Without a round: stay where it stands when the answer comes; it may have moved meanwhile.
  async function look(pane, wanted) {
    const query = new URLSearchParams({ well: pane.well, field: state.field, channel: state.channel });
    let round = wanted;
    let atEnd = false;
    try {
      const answer = await ask(`${here}/pictures/rounds?${query}`);
      if (!answer.ok) throw new Error(await answer.text());
      const said = await answer.json();
      if (query.get("well") !== pane.well) return; // another well was chosen meanwhile
      round = wanted ?? pane.moments[pane.at]?.round;
      atEnd = pane.at >= 0 && pane.at === pane.moments.length - 1;
      pane.moments = said.moments;
      pane.contrast = said.contrast;
      $("wrong").textContent = "";
    } catch (error) {
      $("wrong").textContent = `Pictures of ${pane.well} cannot be listed now.`;
      return;
    }
    let at = pane.moments.findIndex((moment) => moment.round === round);
    if (at < 0 || atEnd) at = lastTaken(pane);
    show(pane, at);
  }

  function lastTaken(pane) {
    for (let at = pane.moments.length - 1; at >= 0; at--) if (pane.moments[at].taken) return at;
    return pane.moments.length - 1;
  }

  // -- showing -----------------------------------------------------------------------------------
  function address(pane, width) {
    const moment = pane.moments[pane.at];
    const query = new URLSearchParams({ w: width });
    if ($("auto").checked) query.set("auto", "1");
    if ($("overlay").checked && moment.overlay) query.set("overlay", "1");
    return `${here}/img/${pane.well}/${state.field}/${moment.round}/${encodeURIComponent(state.channel)}?${query}`;
  }

  function show(pane, at) {
    pane.at = at;
    const moment = pane.moments[at];
    const image = pane.root.querySelector("img");
    const caption = pane.root.querySelector("figcaption");
    if (moment && moment.taken) {
      load(image, address(pane, 1024));
      pane.root.querySelector("a").href = address(pane, widthPx);
      image.alt = `${pane.well}, field ${state.field + 1}, ${state.channel}, ${words(moment)}`;
    } else {
      image.removeAttribute("src");
      pane.root.querySelector("a").removeAttribute("href");
      image.alt = "no picture";
    }
    caption.replaceChildren(
      Object.assign(document.createElement("b"), { textContent: pane.well }),
      " ",
      moment ? words(moment) : "no picture of this field was taken yet"
    );
    draw();
  }

  function load(image, source) {
    let tries = 0;
    const there = new URL(source, location.href).href;
    if (image.src === there) return;
    image.onload = () => { image.dataset.shown = image.src; $("wrong").textContent = ""; };
    image.onerror = () => {
      if (image.src !== there) return;
      if (++tries > 10) { $("wrong").textContent = "This picture cannot be shown."; return; }
      // The desk was busy: an image cannot be told why it failed.
      setTimeout(() => { if (image.src === there) { image.removeAttribute("src"); image.src = source; } }, 300);
    };
    image.src = source;
  }

  function words(moment) {
    const time = document.documentElement.dataset.time === "elapsed" ? moment.elapsed : moment.clock;
    const said = [`round ${moment.round + 1}, ${time}`];
    if (!moment.taken) said.push("not taken");
    if (moment.late_s) said.push(`${moment.late_s} s late`);
    if (moment.flagged) said.push(`not fit: ${moment.flagged}`);
    if (moment.film) said.push("film");
    if ($("auto").checked) said.push("[auto] contrast of its own: brightness cannot be compared");
    if ($("overlay").checked && !moment.overlay) said.push("not measured yet");
    return said.join(", ");
  }

  function draw() {
    for (const [index, slider] of [$("time"), $("time2")].entries()) {
      const pane = panes[index];
      if (!pane) continue;
      slider.max = Math.max(0, pane.moments.length - 1);
      slider.value = Math.max(0, pane.at);
      slider.disabled = pane.moments.length < 2;
      const moment = pane.moments[pane.at];
      slider.setAttribute("aria-valuetext", moment ? words(moment) : "no picture");
    }
    $("player").hidden = !panes[0].moments.length;
    $("second-slide").hidden = !two() || together();
    $("together-label").hidden = !two();
    $("panes").classList.toggle("two", two());
    const window = panes[0].contrast;
    $("contrast").textContent = !window || $("auto").checked ? ""
      : `Contrast ${window[0]} to ${window[1]}, fixed by the first rounds`;
    marks();
    for (const well of document.querySelectorAll(".well")) {
      const is = panes.findIndex((pane) => pane.well === well.dataset.well);
      const chosen = panes[state.chosen].well === well.dataset.well;
      chosen ? well.setAttribute("aria-current", "true") : well.removeAttribute("aria-current");
      well.classList.toggle("second", is >= 0 && !chosen);
    }
    panes.forEach((pane, index) => pane.root.classList.toggle("chosen", index === state.chosen));
    remember();
  }

  function marks() {
    const moments = panes[0].moments;
    const made = [];
    for (const [at, moment] of moments.entries()) {
      const kinds = [
        [!moment.taken, "missed", "✕"], [moment.flagged, "flagged", "⚑"],
        [moment.late_s > 0, "late", "▲"], [moment.film, "film", "●"],
      ];
      const kind = kinds.find(([is]) => is);
      if (!kind) continue;
      const mark = document.createElement("span");
      mark.className = `mark-${kind[1]}`;
      mark.textContent = kind[2];
      mark.style.left = `${(100 * at) / Math.max(1, moments.length - 1)}%`;
      made.push(mark);
    }
    $("marks").replaceChildren(...made);
  }

  function bars() {
    for (const pane of panes) {
      const image = pane.root.querySelector("img");
      const bar = pane.root.querySelector(".bar-um i");
      bar.style.width = `${(Number(barUm) / Number(widthUm)) * image.clientWidth}px`;
    }
  }

  function remember() {
    const query = new URLSearchParams({
      well: panes[0].well, field: state.field, channel: state.channel,
    });
    if (panes[0].at >= 0) query.set("round", panes[0].moments[panes[0].at]?.round ?? -1);
    if (two()) query.set("beside", `${panes[1].well},${panes[1].moments[panes[1].at]?.round ?? -1}`);
    if ($("overlay").checked) query.set("overlay", "1");
    history.replaceState(null, "", `?${query}`);
  }

  // -- moving ------------------------------------------------------------------------------------
  function go(index, at) {
    const pane = panes[index];
    if (!pane || at < 0 || at >= pane.moments.length) return false;
    show(pane, at);
    if (together()) {
      const round = pane.moments[at].round;
      for (const other of panes) {
        if (other === pane) continue;
        const same = other.moments.findIndex((moment) => moment.round === round);
        if (same >= 0) show(other, same);
      }
    }
    return true;
  }
  const driver = () => (together() ? 0 : state.chosen);
  const step = (by) => go(driver(), panes[driver()].at + by);

  function play() {
    if (playing) { clearInterval(playing); playing = null; }
    else {
      if (panes[driver()].at >= panes[driver()].moments.length - 1) go(driver(), 0);
      playing = setInterval(() => {
        const waits = panes.some((pane) => pane.moments[pane.at]?.taken && !pane.root.querySelector("img").complete);
        if (!waits && !step(1)) play();
      }, 1000 / Number($("pace").value));
    }
    $("play").textContent = playing ? "Pause" : "Play";
    $("play").setAttribute("aria-pressed", String(!!playing));
  }

  $("time").addEventListener("input", (event) => go(0, +event.target.value));
  $("time2").addEventListener("input", (event) => go(1, +event.target.value));
  $("back").addEventListener("click", () => step(-1));
  $("on").addEventListener("click", () => step(1));
  $("play").addEventListener("click", play);
  $("pace").addEventListener("change", () => { if (playing) { play(); play(); } });
  for (const id of ["overlay", "auto", "together"])
    $(id).addEventListener("change", () => panes.forEach((pane) => show(pane, pane.at)));
  for (const select of document.querySelectorAll(".choices select"))
    select.addEventListener("change", () => {
      state[select.name] = select.name === "field" ? +select.value : select.value;
      panes.forEach((pane) => look(pane, pane.moments[pane.at]?.round));
    });
  document.querySelector(".choices").addEventListener("submit", (event) => event.preventDefault());

  $("compare").addEventListener("change", () => beside($("compare").checked ? panes[0].well : null));
  function beside(well, round) {
    panes.splice(1).forEach((pane) => pane.root.remove());
    state.chosen = 0;
    if (well) {
      const root = first.cloneNode(true);
      root.dataset.pane = 1;
      root.querySelector("img").removeAttribute("src");
      $("panes").append(root);
      const pane = { root, well, at: -1, moments: [] };
      panes.push(pane);
      state.chosen = 1;
      watch(pane, 1);
      look(pane, round ?? panes[0].moments[panes[0].at]?.round);
    }
    draw();
  }
  function watch(pane, index) {
    // As large as it goes without pushing the slider off the screen.
    const image = pane.root.querySelector("img");
    pane.root.querySelector(".frame").style.maxWidth = `calc(62vh * ${image.getAttribute("width") / image.getAttribute("height")})`;
    pane.root.addEventListener("pointerdown", () => { state.chosen = index; draw(); });
    sizes.observe(pane.root.querySelector("img"));
  }
  const sizes = new ResizeObserver(bars);

  document.querySelector(".wells").addEventListener("click", (event) => {
    const well = event.target.closest(".well");
    if (!well || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const pane = panes[state.chosen];
    const round = pane.moments[pane.at]?.round;
    pane.well = well.dataset.well;
    pane.at = -1;
    look(pane, round);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    const plate = event.target.closest(".wells");
    if (plate && event.key.startsWith("Arrow")) { walk(event.target, event.key); event.preventDefault(); return; }
    if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else return;
    event.preventDefault();
  });
  function walk(from, key) {
    const cell = from.closest("td");
    const row = cell.parentElement;
    const to = {
      ArrowLeft: cell.previousElementSibling, ArrowRight: cell.nextElementSibling,
      ArrowUp: row.previousElementSibling?.children[cell.cellIndex],
      ArrowDown: row.nextElementSibling?.children[cell.cellIndex],
    }[key];
    to?.querySelector(".well")?.focus();
  }

  new MutationObserver(() => panes.forEach((pane) => show(pane, pane.at)))
    .observe(document.documentElement, { attributeFilter: ["data-time"] });
  setInterval(() => { if (!playing && !document.hidden) panes.forEach((pane) => look(pane)); }, AGAIN_MS);

  // -- the beginning -----------------------------------------------------------------------------
  const asked = new URLSearchParams(location.search);
  $("overlay").checked = asked.get("overlay") === "1";
  watch(panes[0], 0);
  look(panes[0], +album.dataset.round).then(() => {
    const [well, round] = (asked.get("beside") || "").split(",");
    if (well && document.querySelector(`.well[data-well="${CSS.escape(well)}"]`)) {
      $("compare").checked = true;
      $("together").checked = +round === panes[0].moments[panes[0].at]?.round;
      beside(well, +round);
    }
  });
})();
