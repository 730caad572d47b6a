// Takes: record, see as a timeline, replay, render, download.

import {$, $$, attr, h, icon, say} from './dom.js';
import {tellEngine} from './engine.js';
import {watchJob} from './jobs.js';
import {draws} from './loop.js';
import {clock} from './numbers.js';
import {joined} from './lanes.js';
import {canonical, paints, store, value} from './store.js';
import {closeSheet, openSheet} from './sheet.js';
import {hueOf, token} from './theme.js';
import {speak} from './speak.js';

let chosen = null;
let timeline = null;
let playing = null;
let drawn = '';
let latest = '';

export function makeTake() {
  paints('hello take', list);
  paints('hello theme view', () => { drawn = ''; draw(); });
  for (const button of $$('[data-act=take]')) button.addEventListener('click', record);
  $('#takes').addEventListener('change', (event) => load(event.target.value));
  $('[data-act=play-take]').addEventListener('click', play);
  $('[data-act=render-take]').addEventListener('click', render);
  $('[data-act=download]').addEventListener('click', downloads);
  new ResizeObserver(() => { drawn = ''; draw(); }).observe($('#timeline').parentNode);
  draws(6, playhead);
}

const takes = () => (store.hello?.session.takes ?? []).map((one) => (typeof one === 'string' ? {name: one} : one));

export function record() {
  const name = value('/audiobend/take/name', '');
  tellEngine([name ? '/audiobend/take/stop' : '/audiobend/take/start', ...(name ? [1] : [])]);
  speak(name ? 'Take ended' : 'Recording a take');
}

function list() {
  const names = takes().map((one) => one.name);
  const recording = value('/audiobend/take/name', '');
  const select = $('#takes');
  const wanted = [...names];
  if (wanted.join('\n') !== select.dataset.names) {
    select.dataset.names = wanted.join('\n');
    select.replaceChildren(...wanted.map((name) => h('option', {value: name, text: name})));
  }
  if (names.length && !recording && latest !== names.join('\n')) {
    latest = names.join('\n');
    load(names[names.length - 1]);
  }
  select.hidden = !names.length;
  $('#take-title').hidden = names.length > 0;
  for (const act of ['play-take', 'render-take']) $(`[data-act=${act}]`).disabled = !chosen || (act === 'play-take' && !store.table.has('/take/play'));
  if (!names.length) { say($('#take-about'), 'Press Take, then play.'); draw(); }
}

async function load(name) {
  chosen = name;
  timeline = null;
  $('#takes').value = name;
  try {
    const answer = await fetch(`/api/takes/${encodeURIComponent(name)}/timeline`);
    if (answer.ok && chosen === name) timeline = await answer.json();
  } catch { timeline = null; }
  const about = takes().find((one) => one.name === name) ?? {};
  const moves = about.moves ?? timeline?.lanes.reduce((sum, lane) => sum + lane.points.length, 0);
  $('#take-about').replaceChildren(clock(about.seconds ?? timeline?.seconds ?? 0), ...(moves === undefined ? [] : [h('s', {text: ` · ${moves} moves`})]));
  for (const act of ['play-take', 'render-take']) $(`[data-act=${act}]`).disabled = act === 'play-take' && !store.table.has('/take/play');
  drawn = '';
  draw();
}

// --- the picture ---

/** One lane for each bend, by layer: [{layer, points: [[seconds, share]]}]. */
function lanes() {
  const byBend = new Map();
  for (const {address, points} of timeline?.lanes ?? []) {
    const [, , , id, ...name] = canonical(address).split('/');
    if (!points.length || !canonical(address).startsWith('/audiobend/bend/')) continue;
    const lane = byBend.get(id) ?? {id, on: null, turned: null};
    if (name[0] === 'on') lane.on = points;
    else if (!name.includes('lfo') && typeof points[0][1] === 'number' && points.length > (lane.turned?.length ?? 0)) lane.turned = points;
    byBend.set(id, lane);
  }
  const layer = (id) => store.bends.find((one) => one.id === id)?.layer ?? /^layer([^.]+)\./.exec(id)?.[1] ?? '';
  return [...byBend.values()].map((lane) => ({layer: layer(lane.id), points: joined(lane)})).sort((one, other) => one.layer.localeCompare(other.layer)).slice(0, 12);
}

function draw() {
  const canvas = $('#timeline');
  const box = canvas.parentNode.getBoundingClientRect();
  const key = `${box.width}x${box.height} ${chosen} ${Boolean(timeline)}`;
  if (!box.width || key === drawn) return;
  drawn = key;
  const [width, height] = [Math.round(box.width), Math.round(box.height)];
  Object.assign(canvas, {width, height});
  const pen = canvas.getContext('2d');
  attr(canvas, 'aria-label', timeline ? `Take ${chosen}, ${clock(timeline.seconds)}, ${timeline.lanes.length} lanes` : 'No take yet');
  if (!timeline) return;
  const levels = timeline.levels;
  const top = levels ? height * 0.42 : 8;
  if (levels) wave(pen, levels, width, top);
  const all = lanes();
  const tall = Math.min(64, (height - top - 8) / Math.max(1, all.length));
  all.forEach((lane, i) => ribbon(pen, lane, width, top + 6 + i * tall, tall));
}

function wave(pen, levels, width, top) {
  pen.fillStyle = token('t2');
  for (let x = 0; x < width; x++) {
    const tall = Math.max(1, levels[Math.floor((x / width) * levels.length)] * top * 0.92);
    pen.fillRect(x, top / 2 + 2 - tall / 2, 1, tall);
  }
}

function ribbon(pen, {layer, points}, width, y, tall) {
  pen.fillStyle = token(layer ? hueOf(layer) : 't2');
  const x = (at) => (at / timeline.seconds) * width;
  points.forEach(([at, share], i) => {
    if (share <= 0) return;
    const end = i + 1 < points.length ? points[i + 1][0] : timeline.seconds;
    const thick = Math.max(2, tall * 0.78 * share);
    pen.fillRect(x(at), y + tall * 0.86 - thick, Math.max(1, x(end) - x(at) + 0.5), thick);
  });
}

function playhead(now) {
  const head = $('#playhead');
  const at = playing ? (now - playing.start) / 1000 : -1;
  const over = playing && timeline && at > timeline.seconds;
  if (over) stop();
  head.hidden = !playing || over;
  if (!playing || over || !timeline) return;
  head.style.transform = `translateX(${((at / timeline.seconds) * $('#timeline').width).toFixed(1)}px)`;
  say($('b', head), clock(at));
}

function stop() {
  playing = null;
  $('[data-act=play-take]').replaceChildren(icon('play'));
}

function play() {
  if (playing) { tellEngine(['/audiobend/take/halt', 1]); return stop(); }
  tellEngine(['/audiobend/take/play', chosen]);
  playing = {start: performance.now()};
  $('[data-act=play-take]').replaceChildren(icon('stop'));
  speak(`Replaying ${chosen}`);
}

async function render() {
  const answer = await fetch(`/api/takes/${encodeURIComponent(chosen)}/render`, {method: 'POST'});
  if (!answer.ok) return speak(`${chosen} cannot be rendered`);
  watchJob((await answer.json()).job, `Render ${chosen}`);
}

function downloads() {
  const link = (words, href, name) => h('a.btn', {href, download: name, onclick: () => closeSheet()}, icon('dl'), words);
  const recordings = store.hello.session?.recordings ?? [];
  openSheet('downloads', 'Download', h('div.sc', {}, link('Patch: what sounds now', '/api/patch', 'patch.yaml'),
    chosen ? link(`Take: ${chosen}`, `/api/takes/${encodeURIComponent(chosen)}`, `${chosen}.jsonl`) : null,
    ...recordings.map((name) => link(`Sound: ${name}`, `/api/recordings/${encodeURIComponent(name)}`, name))));
}
