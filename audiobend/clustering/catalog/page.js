
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const MINUS = "\u2212";
const BANDS = ["bass", "low", "mid", "presence", "high", "air"];
const ORDERS = [
  ["change", "Change", (e) => e.change_db],
  ["place", "Layer and cluster", null],
  ["level", "Level", (e) => e.changes.level_db],
  ...BANDS.map((band) => [band, `Level: ${band}`, (e) => e.changes[`${band}_db`]]),
  ["attacks", "Attacks", (e) => e.changes.attacks_db],
  ["steady", "Steady parts", (e) => e.changes.steady_db],
  ["centroid", "Brightness", (e) => e.changes.centroid_octaves],
  ["flatness", "Noisiness", (e) => e.changes.flatness_db],
  ["onset", "Onset strength", (e) => e.changes.onset_percent],
  ["width", "Stereo width", (e) => e.changes.width_db],
];
const MOVES = [    // descriptor, up, down, unit, digits, how much of it counts as one
  ["level_db", "louder", "softer", "dB", 1, 6],
  ["centroid_octaves", "brighter", "darker", "octaves", 2, 0.4],
  ["flatness_db", "noisier", "more tonal", "dB", 1, 6],
  ["onset_percent", "stronger onsets", "weaker onsets", "%", 0, 60],
  ["width_db", "wider", "narrower", "dB", 1, 3],
];
const places = [...new Set(data.entries.map((e) => String(e.layer)))].sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
const pick = new Map(data.most_different.map((id, index) => [id, index + 1]));
const greatest = Math.max(1e-9, ...data.entries.map((e) => e.change_db ?? 0));
const state = {places: new Set(), transforms: new Set(), strengths: new Set(), words: "", order: "change", up: false, different: false};
const kept = new Set();
const cards = new Map();

function make(tag, className = "", text = null) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== null) node.textContent = text;    // whatever a label holds stays text
  return node;
}
const signed = (value, digits) => (value < 0 ? MINUS : "+") + Math.abs(value).toFixed(digits);
const hueOf = (layer) => ({1: "--h1", 2: "--h2", 3: "--h3", 4: "--h4", z: "--hz"})[layer] || (String(layer).startsWith("e") ? "--he" : "--t2");
const setHue = (node, layer) => node.style.setProperty("--hue", `var(${hueOf(layer)})`);
const plain = (value) => String(Number(value.toPrecision(4))).replace("-", MINUS);
function values(entry) {
  const words = Object.entries(entry.params).map(([name, value]) => `${name} ${plain(value)}`);
  if (entry.mix !== 1) words.push(`mix ${plain(entry.mix)}`);
  return words.join(", ");
}

/* ---------- pictures: red is level, green is change; painted in the page's own colours ---------- */
const LEVELS = 32, TINTS = 12;
const tables = new Map();
function rgb(name) {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const hex = value.length === 4 ? [...value.slice(1)].map((c) => c + c).join("") : value.slice(1);
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
function tableOf(hue) {
  const theme = document.documentElement.dataset.theme;
  const key = `${theme} ${hue}`;
  if (tables.has(key)) return tables.get(key);
  const back = rgb("--bg"), front = rgb("--t1"), colour = rgb(hue);
  const table = new Uint8Array(LEVELS * TINTS * 3);
  for (let level = 0; level < LEVELS; level++) for (let tint = 0; tint < TINTS; tint++) {
    const share = Math.pow(level / (LEVELS - 1), 1.25), much = Math.pow(tint / (TINTS - 1), 0.8);
    for (let i = 0; i < 3; i++) {
      const grey = back[i] + (front[i] - back[i]) * share;
      // Through the hue half way up, so that loud stays bright (dark theme) or dark (light theme).
      const hued = share < 0.62 ? back[i] + (colour[i] - back[i]) * (share / 0.62) : colour[i] + (front[i] - colour[i]) * ((share - 0.62) / 0.38) * 0.75;
      table[(level * TINTS + tint) * 3 + i] = grey + (hued - grey) * much;
    }
  }
  tables.set(key, table);
  return table;
}
function paint(canvas) {
  const {png, hue} = canvas;
  if (!png) return;
  const image = new Image();
  image.onload = () => {
    canvas.width = image.width; canvas.height = image.height;
    const pen = canvas.getContext("2d", {willReadFrequently: true});
    pen.drawImage(image, 0, 0);
    const pixels = pen.getImageData(0, 0, image.width, image.height), table = tableOf(hue), p = pixels.data;
    for (let at = 0; at < p.length; at += 4) {
      const cell = (Math.round(p[at] / 255 * (LEVELS - 1)) * TINTS + Math.round(p[at + 1] / 255 * (TINTS - 1))) * 3;
      p[at] = table[cell]; p[at + 1] = table[cell + 1]; p[at + 2] = table[cell + 2]; p[at + 3] = 255;
    }
    pen.putImageData(pixels, 0, 0);
    canvas.dataset.painted = document.documentElement.dataset.theme;
  };
  image.src = `data:image/png;base64,${png}`;
}
const watcher = new IntersectionObserver((seen) => {
  for (const one of seen) if (one.isIntersecting && one.target.dataset.painted !== document.documentElement.dataset.theme) paint(one.target);
}, {rootMargin: "300px"});

/* ---------- players: one sounds at a time, the unbent sound may take its place ---------- */
const SVG = "http://www.w3.org/2000/svg";
function symbol(className, path) {
  const svg = document.createElementNS(SVG, "svg"), shape = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 14 14"); svg.setAttribute("class", className);
  shape.setAttribute("d", path); shape.setAttribute("fill", "currentColor");
  svg.append(shape);
  return svg;
}
let current = null;
function player(host, id, src, name, hue) {
  const view = make("button", "view"), canvas = make("canvas"), sound = make("audio"), sign = make("span", "sign");
  view.type = "button";
  view.setAttribute("aria-label", `Play ${name}`);
  view.setAttribute("aria-pressed", "false");
  canvas.png = data.pictures[id]; canvas.hue = hue;
  sound.preload = "none"; sound.loop = true; sound.src = src;
  sign.append(symbol("go", "M3 1l9 6-9 6z"), symbol("stop", "M2 2h4v10H2zM8 2h4v10H8z"));
  const head = make("span", "head");
  view.append(canvas, head, sign, make("span", "as", "unbent"));
  host.append(view, sound);
  host.sound = sound; host.head = head; host.view = view;
  watcher.observe(canvas);
  view.addEventListener("click", (event) => {
    const box = view.getBoundingClientRect();
    const onSign = event.detail === 0 || sign.contains(event.target);    // a keyboard's click has no place
    if (current === host && onSign) return stop();
    play(host, onSign ? null : (event.clientX - box.left) / box.width);
  });
  sound.addEventListener("error", () => { if (current === host) { stop(); say("This sound cannot be played: is its file still beside the page?"); } });
}
const sounding = () => (current && current.classList.contains("unbent") ? reference.sound : current && current.sound);
function play(host, share = null) {
  const before = current;
  if (before && before !== host) stop();
  current = host;
  host.classList.add("on");
  host.view.setAttribute("aria-pressed", "true");
  const sound = sounding(), seek = () => { if (share !== null && sound.duration) sound.currentTime = share * sound.duration; };
  if (sound.readyState > 0) seek(); else sound.addEventListener("loadedmetadata", seek, {once: true});
  sound.play().catch(() => {});
  follow();
}
function stop() {
  if (!current) return;
  sounding().pause();
  current.classList.remove("on", "unbent");
  current.view.setAttribute("aria-pressed", "false");
  current = null;
}
function compare() {
  if (!current || current === reference) return;
  const from = sounding();
  from.pause();
  current.classList.toggle("unbent");
  const to = sounding(), at = from.currentTime, go = () => { to.currentTime = at; };
  if (to.readyState > 0) go(); else to.addEventListener("loadedmetadata", go, {once: true});
  to.play().catch(() => {});
}
function follow() {
  if (!current) return;
  const sound = sounding();
  if (sound.duration) current.head.style.left = `${100 * sound.currentTime / sound.duration}%`;
  requestAnimationFrame(follow);
}

/* ---------- cards ---------- */
function card(entry) {
  const node = make("article", "card");
  node.dataset.id = entry.id; node.dataset.change = entry.change_db ?? "";
  setHue(node, entry.layer);
  const name = `${entry.transform} ${values(entry)}, layer ${entry.layer}, ${entry.label}`;
  node.setAttribute("aria-label", name);
  if (entry.sound) player(node, entry.id, entry.sound, name, hueOf(entry.layer)); else node.classList.add("failed");
  if (pick.has(entry.id)) node.append(make("span", "rank", pick.get(entry.id)));
  const facts = make("div", "facts"), what = make("div", "what", entry.transform), where = make("div", "where");
  what.append(make("small", "", values(entry)));
  where.append(make("b", "", entry.layer), make("span", "label", entry.label));
  where.title = `layer ${entry.layer}, cluster ${entry.cluster}: ${entry.label}, ${entry.features} features`;
  facts.append(what);
  if (entry.sound) {
    const much = make("div", "much", entry.change_db.toFixed(1)), gauge = make("div", "gauge"), fill = make("i");
    much.append(make("small", "", "dB"));
    much.title = "how far from the unbent sound: multi-resolution log-spectral distance";
    fill.style.width = `${100 * entry.change_db / greatest}%`;
    gauge.append(fill);
    facts.append(much, where, gauge);
  } else facts.append(make("div"), where);
  node.append(facts, entry.sound ? moves(entry) : make("p", "why", `! ${entry.error}`), lineOf(entry, node));
  return node;
}
function moves(entry) {
  const row = make("div", "moves"), bands = make("div", "bands"), list = make("ul");
  const told = BANDS.map((band) => `${band} ${signed(entry.changes[`${band}_db`], 1)} dB`);
  bands.title = told.join("\n"); bands.setAttribute("role", "img"); bands.setAttribute("aria-label", told.join(", "));
  for (const band of BANDS) {
    const bar = make("i"), size = Math.min(1, Math.abs(entry.changes[`${band}_db`]) / 18) * 50;
    bar.style.setProperty("--size", `${size}%`);
    bar.style.setProperty("--from", `${entry.changes[`${band}_db`] > 0 ? 50 - size : 50}%`);
    bands.append(bar);
  }
  const ranked = MOVES.map((move) => [Math.abs(entry.changes[move[0]]) / move[5], move]).filter(([size]) => size > 0.15).sort((a, b) => b[0] - a[0]);
  for (const [, [key, up, down, unit, digits]] of ranked.slice(0, 3)) {
    const value = entry.changes[key], item = make("li");
    item.append(make("b", "", value > 0 ? up : down), ` ${signed(value, digits)} ${unit}`);
    list.append(item);
  }
  if (!ranked.length) list.append(make("li", "", "hardly to be heard"));
  row.append(bands, list);
  return row;
}
function lineOf(entry, node) {
  const row = make("div", "line"), code = make("code", "", entry.patch), copy = make("button", "btn copy", "Copy"), keep = make("button", "btn keep", "Keep");
  code.title = entry.patch;
  copy.type = keep.type = "button";
  copy.title = "Copy the line to paste under a patch's transforms";
  copy.addEventListener("click", () => toClipboard(entry.patch, "the line", copy));
  keep.setAttribute("aria-pressed", "false");
  keep.addEventListener("click", () => {
    if (kept.has(entry.id)) kept.delete(entry.id); else kept.add(entry.id);
    showKept();
  });
  node.keep = keep;
  row.append(code, copy, keep);
  return row;
}

/* ---------- filters and order ---------- */
const placeKey = (layer, cluster) => `${layer}/${cluster}`;
function chip(host, text, set, key) {
  const button = make("button", "btn", text);
  button.type = "button";
  button.addEventListener("click", () => { if (!set.delete(key)) set.add(key); show(); });
  button.refresh = () => button.setAttribute("aria-pressed", String(set.has(key)));
  host.append(button);
  return button;
}
function fits(entry) {
  if (state.different && !pick.has(entry.id)) return false;
  if (state.places.size && !state.places.has(placeKey(entry.layer, entry.cluster))) return false;
  if (state.transforms.size && !state.transforms.has(entry.transform)) return false;
  if (state.strengths.size && !state.strengths.has(entry.strength)) return false;
  const text = `${entry.id} ${entry.transform} ${entry.label} layer ${entry.layer} ${entry.patch}`.toLowerCase();
  return state.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
function sorted(entries) {
  const [, , value] = ORDERS.find(([key]) => key === state.order), turn = state.up ? -1 : 1;
  const byPlace = (a, b) => places.indexOf(String(a.layer)) - places.indexOf(String(b.layer)) || a.cluster - b.cluster || a.transform.localeCompare(b.transform) || a.strength - b.strength;
  if (state.different) return entries.sort((a, b) => pick.get(a.id) - pick.get(b.id));
  if (!value) return entries.sort((a, b) => turn * byPlace(a, b));
  return entries.sort((a, b) => Number(!a.sound) - Number(!b.sound) || (a.sound ? turn * (value(b) - value(a)) : 0) || byPlace(a, b));
}
const toggles = [];
function show() {
  const chosen = sorted(data.entries.filter(fits));
  $("list").replaceChildren(...chosen.map((entry) => cards.get(entry.id)));
  if (current && current.classList.contains("card") && !current.isConnected) stop();
  for (const node of cards.values()) node.classList.toggle("picked", state.different);
  for (const one of toggles) one.refresh();
  $("different").setAttribute("aria-pressed", String(state.different));
  $("offer").hidden = !state.different;
  $("none").hidden = chosen.length > 0;
  $("direction").textContent = state.up ? "↑" : "↓";
  $("sort").value = state.order;
  $("count").textContent = `${chosen.length} of ${data.entries.length}`;
}
function showKept() {
  for (const [id, node] of cards) {
    node.classList.toggle("kept", kept.has(id));
    node.keep.setAttribute("aria-pressed", String(kept.has(id)));
    node.keep.textContent = kept.has(id) ? "Kept" : "Keep";
  }
  $("tray").hidden = kept.size === 0;
  $("kept").textContent = `${kept.size} kept`;
}
function keptPatch() {
  const lines = data.entries.filter((entry) => kept.has(entry.id)).map((entry) => `  ${entry.patch}`);
  return `audiobend: 1\nname: kept\nseed: ${data.seed}\ntransforms:\n${lines.join("\n")}\n`;
}
function say(text) { $("said").textContent = text; }
async function toClipboard(text, what, button) {
  let done = true;
  try { await navigator.clipboard.writeText(text); } catch {
    const field = make("textarea"); field.value = text; document.body.append(field); field.select();
    done = document.execCommand("copy"); field.remove();
  }
  const before = button.textContent;
  button.textContent = done ? "Copied" : "Select it";
  say(done ? `Copied ${what}` : "The browser refused; select the text and copy it");
  setTimeout(() => { button.textContent = before; }, 1200);
}

/* ---------- the page ---------- */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = theme === "dark" ? "Light" : "Dark";
  for (const canvas of document.querySelectorAll("canvas")) { watcher.unobserve(canvas); watcher.observe(canvas); }
}
function remembered() { try { return localStorage.getItem("audiobend-theme"); } catch { return null; } }
let theme = new URLSearchParams(location.search).get("theme") || remembered() || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
if (theme !== "light") theme = "dark";
$("theme").addEventListener("click", () => {
  theme = theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("audiobend-theme", theme); } catch { /* the page works without */ }
  setTheme(theme);
});

document.title = `${data.sound.name}: catalog of bends`;
const failures = data.entries.filter((entry) => !entry.sound).length;
$("about").append(make("b", "", data.sound.name), `, ${data.sound.seconds.toFixed(1)} s from ${data.sound.start.toFixed(1)} s on, bent by ${data.model.name} in ${data.entries.length} ways`);
if (failures) $("about").append(`; ${failures} could not be rendered`);

let reference = null;
for (const [id, name, note] of [["input", "In", "as it was"], ["unbent", "Out", "nothing bent"]]) {
  const node = make("div", "ref"), title = make("div", "name", `${name} `);
  title.append(make("span", "", note));
  player(node, id, data.references[id], `${name}, ${note}`, "--t2");
  node.append(title);
  $("refs").append(node);
  reference = node;
}
for (const layer of places) {
  const row = make("div", "row"), own = data.entries.filter((entry) => String(entry.layer) === layer), head = make("button", "rowhead");
  const clusters = new Map(own.map((entry) => [entry.cluster, entry]).sort((a, b) => a[0] - b[0]));
  const keys = [...clusters.keys()].map((cluster) => placeKey(layer, cluster));
  setHue(row, layer);
  head.type = "button";
  head.append(make("b", "", layer), make("span", "", `${clusters.size} clusters`));
  head.setAttribute("aria-label", `Layer ${layer}, all clusters`);
  head.addEventListener("click", () => { const all = keys.every((key) => state.places.has(key)); for (const key of keys) if (all) state.places.delete(key); else state.places.add(key); show(); });
  head.refresh = () => head.setAttribute("aria-pressed", String(keys.every((key) => state.places.has(key))));
  toggles.push(head);
  row.append(head);
  for (const [cluster, entry] of clusters) {
    const cell = chip(row, "", state.places, placeKey(layer, cluster)), most = Math.max(...own.filter((e) => e.cluster === cluster).map((e) => e.change_db ?? 0)), fill = make("i");
    cell.className = "cell";
    cell.append(make("span", "lab", entry.label), make("span", "n", cluster), fill);
    cell.title = `layer ${layer}, cluster ${cluster}: ${entry.label}, ${entry.features} features, up to ${most.toFixed(1)} dB`;
    fill.style.width = `${100 * most / greatest}%`;
    toggles.push(cell);
  }
  $("map").append(row);
}
for (const name of data.transforms) toggles.push(chip($("transforms"), name, state.transforms, name));
const steps = [...new Set(data.entries.map((entry) => entry.strength))].sort((a, b) => a - b);
const stepName = (index) => (steps.length === 2 ? ["mild", "strong"][index] : `strength ${steps[index]}`);
if (steps.length > 1) steps.forEach((step, index) => toggles.push(chip($("strengths"), stepName(index), state.strengths, step)));
for (const [key, name] of ORDERS) { const option = make("option", "", name); option.value = key; $("sort").append(option); }
for (const entry of data.entries) cards.set(entry.id, card(entry));
$("search").addEventListener("input", (event) => { state.words = event.target.value; show(); });
$("sort").addEventListener("change", (event) => { state.order = event.target.value; state.different = false; show(); });
$("direction").addEventListener("click", () => { state.up = !state.up; show(); });
$("different").textContent = `${pick.size} most different`;
$("offer-title").textContent = `${pick.size} bends as unlike one another as possible.`;
$("different").addEventListener("click", () => { state.different = !state.different; show(); });
$("clear").addEventListener("click", () => {
  for (const set of [state.places, state.transforms, state.strengths]) set.clear();
  Object.assign(state, {words: "", different: false, order: "change", up: false});
  $("search").value = "";
  show();
});
$("offer-copy").addEventListener("click", (event) => toClipboard(data.patch, "the patch", event.currentTarget));
$("kept-copy").addEventListener("click", (event) => toClipboard(keptPatch(), "the patch", event.currentTarget));
$("kept-clear").addEventListener("click", () => { kept.clear(); showKept(); });
$("kept-save").addEventListener("click", () => {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([keptPatch()], {type: "text/yaml"}));
  link.download = "kept.yaml";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const shown = [...$("list").querySelectorAll(".card:not(.failed)")], at = shown.indexOf(current);
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    const next = shown[at < 0 ? 0 : (at + (event.key === "ArrowRight" ? 1 : shown.length - 1)) % shown.length];
    if (!next) return;
    event.preventDefault();
    play(next);
    next.scrollIntoView({block: "nearest"});
    next.view.focus({preventScroll: true});
  } else if (event.key === " " && event.target === document.body) {
    event.preventDefault();
    if (current) stop(); else if (shown[0]) play(shown[0]);
  } else if (event.key === "u") compare();
  else if (event.key === "k" && current && current.keep) current.keep.click();
  else if (event.key === "Escape") stop();
});
setTheme(theme);
show();
showKept();
