// Plots over one time axis: the cursor of one is the cursor of all, a stretch that is dragged over
// in one is shown in all.
(() => {
  "use strict";
  const holder = document.getElementById("plots");
  if (!holder || typeof uPlot === "undefined") return;
  const here = holder.dataset.here;
  const AGAIN_MS = 20000;
  const drawn = new Map();
  let data = null;
  let tag = null;
  let stretch = null;
  let linking = false;

  // -- colours and time --------------------------------------------------------------------------
  // Resolved by an element, as light-dark() is none of a canvas's colours.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  function colour(name) {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  }
  const faded = (rgb, alpha) => rgb.replace(/^rgba?\(([^,]+),([^,]+),([^,)]+).*$/, `rgba($1,$2,$3,${alpha})`);
  const ARMS = ["arm-a", "arm-b", "arm-c", "arm-d", "arm-e", "arm-f", "arm-g", "arm-h"];
  const ofArm = (arm, place) => colour(ARMS[(arm ? data.arms.indexOf(arm) : place) % ARMS.length] || "ink");
  const elapsed = () => document.documentElement.dataset.time === "elapsed" || !data.started_utc;

  function elapsedText(hours) {
    const minutes = Math.round(hours * 60);
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
  }
  let clocks = null;
  function clockText(hours, short) {
    clocks ??= {
      long: new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, weekday: "short", hour: "2-digit", minute: "2-digit" }),
      short: new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, hour: "2-digit", minute: "2-digit" }),
    };
    return clocks[short ? "short" : "long"].format(new Date(Date.parse(data.started_utc) + hours * 3600e3));
  }
  const timeText = (hours, short) => (elapsed() ? elapsedText(hours) : clockText(hours, short));

  // On the lab's clock a tick stands at a full hour, whatever the minute of the start.
  function ticks(plot, axis, low, high, space) {
    const steps = [1 / 12, 0.25, 0.5, 1, 2, 3, 6, 12, 24, 48, 96];
    const room = Math.max(2, plot.bbox.width / devicePixelRatio / 90);
    const step = steps.find((each) => (high - low) / each <= room) || 168;
    let shift = 0;
    if (!elapsed()) {
      const start = new Date(data.started_utc);
      const parts = new Intl.DateTimeFormat("en-GB", { timeZone: data.zone, hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" }).formatToParts(start);
      const part = (type) => Number(parts.find((each) => each.type === type).value);
      shift = (part("hour") + part("minute") / 60 + part("second") / 3600) % step;
    }
    const found = [];
    for (let at = Math.ceil((low + shift) / step) * step - shift; at <= high; at += step) found.push(at);
    return found;
  }

  // -- drawing -----------------------------------------------------------------------------------
  const line = (values) => values.map((value) => value);

  function make(panel, root) {
    const series = [{ label: "Time", value: (_, hours) => (hours == null ? "–" : timeText(hours)) }];
    const columns = [panel.hours];
    const bands = [];
    panel.lines.forEach((each, place) => {
      const own = ofArm(each.arm, place);
      const planned = each.role === "planned";
      const unit = each.role === "unit";
      if (each.low.length && !planned) {
        for (const edge of ["high", "low"]) {
          series.push({ label: `${each.name}, ${edge === "high" ? "highest" : "lowest"}`, stroke: "transparent", width: 0, points: { show: false }, band: true });
          columns.push(line(each[edge]));
        }
        bands.push({ series: [series.length - 2, series.length - 1], fill: faded(own, 0.18) });
      }
      series.push({
        label: each.name,
        stroke: unit ? faded(own, 0.45) : own,
        width: unit ? 1 : 2.2,
        dash: planned ? [6, 5] : undefined,
        spanGaps: each.role !== "delivered",
        points: { show: panel.hours.length <= 40 && !unit, size: 6 },
        value: (_, value) => (value == null ? "–" : Number(value.toPrecision(3)).toString()),
      });
      columns.push(line(each.values));
    });
    const ink = colour("soft");
    const grid = { stroke: faded(colour("line"), 0.7), width: 1 };
    const plot = new uPlot({
      width: root.clientWidth, height: 250, series, bands,
      legend: { live: true },
      cursor: { sync: { key: "labrig", setSeries: false }, drag: { x: true, y: false } },
      scales: {
        x: { time: false, range: () => stretch || whole() },
        y: { range: (_, low, high) => reach(panel, low, high) },
      },
      axes: [
        { stroke: ink, grid, ticks: grid, splits: ticks, values: (_, at) => at.map((hours) => timeText(hours, true)), size: 34 },
        { stroke: ink, grid, ticks: grid, size: 58 },
      ],
      hooks: {
        setSelect: [(self) => { if (self.select.width > 4) zoom([self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x")]); }],
        drawClear: [(self) => limits(self, panel)],
        ready: [(self) => hideEdges(self)],
      },
    }, columns, root);
    plot.over.addEventListener("dblclick", () => zoom(null));
    return plot;
  }

  function hideEdges(plot) {
    plot.series.forEach((series, at) => {
      if (series.band) plot.root.querySelectorAll(".u-series")[at].style.display = "none";
    });
  }

  const whole = () => [0, Math.max(data.duration_h, data.until_h, 0.01)];

  function reach(panel, low, high) {
    let [from, to] = [low ?? 0, high ?? 1];
    if (panel.limits) { from = Math.min(from, panel.limits[0]); to = Math.max(to, panel.limits[1]); }
    if (panel.key.startsWith("dose-") || panel.key === "lateness") from = 0;
    const room = (to - from || Math.abs(to) || 1) * 0.08;
    return [from === 0 ? 0 : from - room, to + room];
  }

  function limits(plot, panel) {
    const context = plot.ctx;
    context.save();
    if (panel.limits) {
      const top = plot.valToPos(panel.limits[1], "y", true);
      const foot = plot.valToPos(panel.limits[0], "y", true);
      context.fillStyle = faded(colour("good"), 0.12);
      context.fillRect(plot.bbox.left, top, plot.bbox.width, foot - top);
    }
    const now = plot.valToPos(data.until_h, "x", true);
    if (now < plot.bbox.left + plot.bbox.width) {
      context.strokeStyle = colour("soft");
      context.beginPath();
      context.moveTo(now, plot.bbox.top);
      context.lineTo(now, plot.bbox.top + plot.bbox.height);
      context.stroke();
    }
    context.restore();
  }

  function zoom(to) {
    if (linking) return;
    linking = true;
    stretch = to;
    for (const { plot } of drawn.values()) {
      plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      plot.setScale("x", { min: (to || whole())[0], max: (to || whole())[1] });
    }
    linking = false;
    document.getElementById("whole").hidden = !to;
    for (const [key, { section }] of drawn) {
      const query = to ? `?${new URLSearchParams({ from_h: to[0].toFixed(4), to_h: to[1].toFixed(4) })}` : "";
      section.querySelector(".csv").href = `${here}/plots/${key}.csv${query}`;
    }
  }

  function draw() {
    clocks = null;
    document.getElementById("seen").textContent = elapsed() ? elapsedText(data.until_h) : data.seen;
    for (const key of document.querySelectorAll("#arm-keys li"))
      key.firstElementChild.style.borderColor = colour(ARMS[Number(key.dataset.arm) % ARMS.length]);
    for (const panel of data.panels) {
      const section = holder.querySelector(`[data-key="${panel.key}"]`);
      if (!section) { location.reload(); return; } // a plot that was not there before
      const root = section.querySelector(".drawn");
      drawn.get(panel.key)?.plot.destroy();
      drawn.set(panel.key, { plot: make(panel, root), section, root });
    }
  }

  // -- again and again ---------------------------------------------------------------------------
  async function look() {
    try {
      const answer = await fetch(`${here}/plots.json`, { headers: tag ? { "If-None-Match": tag } : {} });
      if (answer.status === 304 || !answer.ok) return;
      tag = answer.headers.get("ETag");
      data = await answer.json();
      draw();
    } catch { /* the page's own bar says that it is not live */ }
  }

  document.getElementById("whole").addEventListener("click", () => zoom(null));
  const redraw = () => data && draw();
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-time", "data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let width = 0;
  new ResizeObserver(() => {
    if (holder.clientWidth === width) return;
    width = holder.clientWidth;
    for (const { plot, root } of drawn.values()) plot.setSize({ width: root.clientWidth, height: 250 });
  }).observe(holder);
  look();
  setInterval(() => { if (!document.hidden) look(); }, AGAIN_MS);
})();
