"use strict";
// Plots of one column against another: a dot for each run; over seeds the geometric mean and one standard deviation.
(() => {
  const { columns, rows } = JSON.parse(document.getElementById("data").textContent);
  const place = document.getElementById("plots");
  const numeric = columns.filter((c) => c.plotted && rows.some((r) => Number.isFinite(r[c.key])));
  const heights = numeric.filter((c) => !c.varied);
  if (!heights.length || rows.length < 2) return;
  const colours = ["#0b5cad", "#c4501b", "#2e7d32", "#7b3fa0", "#a8821a", "#00838f", "#ad1457", "#555f6b"];
  const W = 760, H = 420, L = 78, R = 180, T = 16, B = 52;
  const NS = "http://www.w3.org/2000/svg";
  let shown = new Set(rows.keys());

  const choose = (name, options, usual) => {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.id = "plot-" + name.split(" ")[0];
    options.forEach(([value, text]) => select.append(new Option(text, value)));
    if (options.some(([value]) => value === usual)) select.value = usual;
    label.append(name + " ", select);
    controls.append(label);
    select.addEventListener("change", draw);
    return select;
  };
  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(NS, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const title = document.createElement("h2");
  title.textContent = "Convergence";
  const controls = document.createElement("div");
  controls.className = "controls";
  const figure = document.createElement("figure");
  const note = document.createElement("figcaption");
  place.append(title, controls, figure);
  const names = (list) => list.map((c) => [c.key, c.heading]);
  const y = choose("up", names(heights), "error");
  const x = choose("along", names(numeric), "coefficients");
  const varied = columns.filter((c) => c.kind === "choice" && new Set(rows.map((r) => r[c.key])).size > 1);
  const hue = choose("colour by", [["", "nothing"], ...names(varied)], (varied.find((c) => c.varied && !c.key.startsWith("network.")) || {}).key || "");

  const finite = (row) => Number.isFinite(row[x.value]) && Number.isFinite(row[y.value]);
  const logarithmic = (values) => values.every((v) => v > 0) && Math.max(...values) / Math.min(...values) > 10;
  const scale = (values, low, high) => {
    const log = logarithmic(values);
    const to = log ? Math.log10 : (v) => v;
    let [a, b] = [Math.min(...values), Math.max(...values)].map(to);
    const room = (b - a || Math.abs(a) || 1) * 0.06;
    [a, b] = [a - room, b + room];
    return { log, at: (v) => low + ((to(v) - a) / (b - a)) * (high - low), ticks: ticks(a, b, log) };
  };
  const ticks = (a, b, log) => {
    if (log) {
      const step = Math.max(1, Math.ceil((b - a) / 8));
      const found = [];
      for (let k = Math.ceil(a); k <= b; k += step) found.push([10 ** k, `1e${k}`]);
      if (found.length > 1) return found;
      for (let k = Math.floor(a); k <= b; k += 1) {
        [2, 5].forEach((m) => { const v = m * 10 ** k; if (Math.log10(v) >= a && Math.log10(v) <= b) found.push([v, String(Number(v.toPrecision(2)))]); });
      }
      return found;
    }
    const raw = (b - a) / 6;
    const unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw);
    const found = [];
    for (let v = Math.ceil(a / step) * step; v <= b; v += step) found.push([v, String(Number(v.toPrecision(6)))]);
    return found;
  };
  const spread = (values, log) => {
    const v = log ? values.map(Math.log) : values;
    const mean = v.reduce((s, t) => s + t, 0) / v.length;
    const sd = Math.sqrt(v.reduce((s, t) => s + (t - mean) ** 2, 0) / Math.max(1, v.length - 1));
    return [mean, mean - sd, mean + sd].map((t) => (log ? Math.exp(t) : t));
  };

  function draw() {
    figure.replaceChildren();
    const found = rows.filter((row, place) => shown.has(place) && finite(row));
    const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img" }, figure);
    figure.append(note);
    if (!found.length) { note.textContent = "no run has both numbers"; return; }
    const sx = scale(found.map((r) => r[x.value]), L, W - R);
    const sy = scale(found.map((r) => r[y.value]), H - B, T);
    sx.ticks.forEach(([v, text]) => {
      make("line", { class: "grid", x1: sx.at(v), x2: sx.at(v), y1: T, y2: H - B }, svg);
      make("text", { x: sx.at(v), y: H - B + 18, "text-anchor": "middle" }, svg, text);
    });
    sy.ticks.forEach(([v, text]) => {
      make("line", { class: "grid", x1: L, x2: W - R, y1: sy.at(v), y2: sy.at(v) }, svg);
      make("text", { x: L - 8, y: sy.at(v) + 4, "text-anchor": "end" }, svg, text);
    });
    make("rect", { class: "axis", x: L, y: T, width: W - R - L, height: H - B - T }, svg);
    make("text", { x: (L + W - R) / 2, y: H - 12, "text-anchor": "middle" }, svg, x.selectedOptions[0].text);
    make("text", { transform: `translate(16 ${(T + H - B) / 2}) rotate(-90)`, "text-anchor": "middle" }, svg, y.selectedOptions[0].text);
    const series = new Map();
    found.forEach((row) => {
      const key = hue.value ? String(row.shown[hue.value] ?? row[hue.value] ?? "–") : "";
      if (!series.has(key)) series.set(key, []);
      series.get(key).push(row);
    });
    [...series.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).forEach((key, number) => {
      const colour = colours[number % colours.length];
      const group = make("g", { stroke: colour, fill: colour }, svg);
      series.get(key).forEach((row) => {
        const dot = make("circle", { cx: sx.at(row[x.value]), cy: sy.at(row[y.value]), r: 3, "fill-opacity": 0.45, stroke: "none" }, group);
        make("title", {}, dot, `${row.name}: ${row[y.value]}`);
      });
      const cases = new Map();
      series.get(key).forEach((row) => {
        const about = JSON.stringify(columns.filter((c) => c.varied).map((c) => row[c.key]));
        if (!cases.has(about)) cases.set(about, []);
        cases.get(about).push(row);
      });
      const means = [...cases.values()].map((of) => ({
        at: spread(of.map((r) => r[x.value]), sx.log)[0], of: of.length, up: spread(of.map((r) => r[y.value]), sy.log),
      })).sort((a, b) => a.at - b.at);
      const path = means.map((m, k) => `${k ? "L" : "M"}${sx.at(m.at)},${sy.at(m.up[0])}`).join("");
      make("path", { class: "mean", d: path, fill: "none", "stroke-width": 1.6 }, group);
      means.filter((m) => m.of > 1).forEach((m) => {
        const [low, high] = [m.up[1], m.up[2]].map((v) => Math.min(Math.max(sy.at(v), T), H - B));
        make("path", { class: "spread", d: `M${sx.at(m.at)},${low}V${high}m-4,0h8M${sx.at(m.at) - 4},${low}h8`, fill: "none" }, group);
      });
      if (hue.value && number < 16) {
        make("circle", { cx: W - R + 18, cy: T + 12 + 20 * number, r: 5, stroke: "none" }, group);
        make("text", { x: W - R + 30, y: T + 16 + 20 * number, stroke: "none" }, group, key.length > 20 ? key.slice(0, 19) + "…" : key);
      }
    });
    note.textContent = `${found.length} runs; the line joins means over seeds` +
      (sy.log ? " (geometric)" : "") + ", bars are one standard deviation of these";
  }
  document.addEventListener("filtered", (event) => { shown = event.detail; draw(); });
  draw();
})();
