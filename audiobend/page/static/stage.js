// Both spectra and the seam between them, on one canvas that scrolls by copying itself to the left.

import {$, attr, h, say} from './dom.js';
import {hear} from './engine.js';
import {heightOf, makeRing, push, rowBands, slotOf} from './history.js';
import {draws} from './loop.js';
import {toShare} from './numbers.js';
import {paintIn, paintOut} from './strips.js';
import {amount, paints, store, strengthOf, touch} from './store.js';
import {theme} from './theme.js';
import {picture} from './words.js';

let ring, context, canvas, size, lanes = [], rate = 86, span = 8, log = true, edge = -1, latePixels = 0, late = 0;
let clock = {offset: -1e9, wait: 0.05, last: 0};

export function makeStage() {
  canvas = $('#spectra');
  context = canvas.getContext('2d', {alpha: false});
  hear('columns', received);
  paints('hello theme', layout);
  paints('bends', () => { if (sameLanes()) return; lanes = wantedLanes(); redraw(); });
  paints('status', axisOfGap);
  $('[data-act=log]').addEventListener('click', (event) => { log = !log; attr(event.currentTarget, 'aria-pressed', log); say(event.currentTarget, log ? 'log' : 'linear'); layout(); });
  $('[data-act=span]').addEventListener('click', () => { span = span === 8 ? 4 : span === 4 ? 16 : 8; layout(); });
  new ResizeObserver(() => touch('theme')).observe(canvas.parentNode);
  draws(1, scroll);
  setInterval(describe, 10000);
}

export function freeze() {
  store.frozen = !store.frozen;
  attr($('[data-act=freeze]'), 'aria-pressed', store.frozen);
  if (!store.frozen) { edge = -1; redraw(); }
}

const describe = () => store.hello && attr(canvas, 'aria-label', picture(store.bends, store.layers, store.listen));

// --- what comes in ---

function received(frame) {
  if (!ring) return;
  const last = frame.sequence + frame.columns.length - 1;
  if (last < ring.newest - ring.capacity / 2) restart();
  const seam = seamNow();
  frame.columns.forEach((column, i) => push(ring, frame.sequence + i, column, seam));
  const now = performance.now() / 1000;
  if (frame.columns.length) {
    late = frame.columns[frame.columns.length - 1].late;
    clock.wait = Math.max(clock.wait * 0.995, Math.min(0.2, 1.2 * (now - clock.last)), 0.03);
    clock.offset = Math.max(clock.offset - 0.0002, last / rate - now);
    clock.last = now;
  }
  store.levels = frame.levels;
}

function restart() {
  ring = makeRing(ring.capacity);
  clock = {offset: -1e9, wait: 0.05, last: 0};
  edge = -1;
}

/** Which bends sound now: [id, strength]. */
function seamNow() {
  const list = [];
  if (store.listen === 'dry') return list;
  for (const bend of store.bends) {
    if (!bend.on || bend.mix <= 0) continue;
    const param = strengthOf(bend.transform);
    const key = `/audiobend/bend/${bend.id}/${param.name}`;
    const turned = store.moving.get(key) ?? amount(bend, param.name) ?? 0;
    const share = param.min < 0 && param.max > 0 ? Math.abs(turned) / Math.max(-param.min, param.max) : toShare(turned, param);
    list.push([bend.id, Math.min(1, 0.25 + share) * bend.mix]);
  }
  return list;
}

const DEPTH = ['e1', 'e2', 'e3', 'e4', 'e5', 'z', '1', '2', '3', '4', '5'];
const wantedLanes = () => [...store.bends].filter((bend) => bend.on || seenLately(bend.id))
  .sort((a, b) => DEPTH.indexOf(a.layer) - DEPTH.indexOf(b.layer)).map((bend) => ({id: bend.id, layer: bend.layer}));
const seenLately = (id) => lanes.some((lane) => lane.id === id);
function sameLanes() {
  const wanted = wantedLanes();
  return wanted.length === lanes.length && wanted.every((lane, i) => lane.id === lanes[i].id && lane.layer === lanes[i].layer);
}

// --- where things stand ---

function layout() {
  const box = canvas.parentNode.getBoundingClientRect();
  if (!store.hello || !box.width) return;
  rate = store.hello.columns_per_second ?? 86.13;
  const width = Math.round(box.width);
  const height = Math.round(box.height);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  const narrow = height < 110;
  const seam = narrow ? 7 : 22;
  const shown = width < 500 ? 3 : width < 1000 ? Math.min(6, span) : span;
  const top = (height - seam) >> 1;
  size = {width, height, seam, top, bottom: height - top - seam, perSecond: width / shown, seconds: shown, narrow};
  const hz = store.hello.bands_hz ?? [40, 16000];
  size.inRows = rowBands(size.top, log, hz);
  size.outRows = rowBands(size.bottom, log, hz);
  if (!ring || ring.capacity < 17 * rate) ring = makeRing(Math.ceil(18 * rate));
  latePixels = pixelsInside();
  axes(hz);
  axisOfGap(true);
  redraw();
}

const pixelsInside = () => Math.max(6, Math.round((late ? late / rate : (store.hello.latency?.total_ms ?? 0) / 1000) * size.perSecond));

function axes(hz) {
  const axis = $('#frequencies');
  const marks = log ? [100, 1000, 10000] : [4000, 8000, 12000];
  const label = (hertz, from, rows) => {
    const node = h('span', {text: hertz >= 1000 ? `${hertz / 1000}k` : hertz});
    node.style.top = `${Math.max(6, from + rows * (1 - heightOf(hertz, log, hz)))}px`;
    return node;
  };
  const name = (text, top) => { const node = h('b', {text}); node.style.top = `${top}px`; return node; };
  const outTop = size.top + size.seam;
  axis.replaceChildren(name('In', 4), name('Out', outTop + 4), ...marks.map((f) => label(f, 0, size.top)), ...marks.map((f) => label(f, outTop, size.bottom)));
  const seconds = Array.from({length: size.seconds + 1}, (_, i) => i).filter((i) => size.seconds <= 8 || i % 2 === 0);
  $('#ruler').replaceChildren(...seconds.map((i) => {
    const node = h(`span${i === 0 ? '.now' : i === size.seconds ? '.first' : ''}`, {text: i ? `\u2212${i} s` : 'now'});
    node.style.left = `${100 - (100 * i) / size.seconds}%`;
    return node;
  }));
  say($('[data-act=span]'), `${size.seconds} s`);
}

let gapKey = '';
function axisOfGap() {
  if (!size) return;
  const gap = $('#inside');
  const parts = store.hello.latency?.parts ?? [];
  const total = Math.round(late ? (1000 * late) / rate : store.hello.latency?.total_ms ?? 0);
  const key = `${latePixels} ${size.bottom} ${total} ${size.narrow}`;
  if (key === gapKey) return;
  gapKey = key;
  Object.assign(gap.style, {width: `${latePixels}px`, height: `${size.bottom}px`});
  attr(gap, 'aria-label', `Sound still inside the network: ${total} milliseconds`);
  const bars = parts.filter((part) => part.ms >= 0.5).map((part, i) => {
    const bar = h(`i.b${i}`);
    bar.style.flex = part.ms;
    return bar;
  });
  gap.replaceChildren(...bars, ...(size.narrow ? [] : [h('span.gl', {text: `${total} ms still inside`})]));
}

// --- painting ---

const slotAt = (pixel, shift) => slotOf(ring, Math.floor((pixel / size.perSecond) * rate) + shift);

function strip(first, count, rows, paint, shift, x, y) {
  const image = new ImageData(count, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const view = {ring, size, lanes};
  for (let i = 0; i < count; i++) paint(view, pixels, count, i, slotAt(first + i, shift));
  context.putImageData(image, x, y);
}

function redraw() {
  if (!size || !theme.table) return;
  const {width, top, seam, bottom} = size;
  context.fillStyle = `#${(theme.table[0] & 0xffffff).toString(16).padStart(6, '0').replace(/(..)(..)(..)/, '$3$2$1')}`;
  context.fillRect(0, 0, width, size.height);
  if (edge < 0 && ring.newest >= 0) edge = Math.floor((ring.newest / rate) * size.perSecond);
  if (edge < 0) return;
  edge = Math.floor(viewTime() * size.perSecond);
  strip(edge - width + 1, width, top + seam, paintIn, 0, 0, 0);
  const inner = width - latePixels;
  strip(edge - width + 1, inner, bottom, paintOut, Math.round(late), 0, top + seam);
}

function viewTime() {
  const newest = ring.newest / rate;
  return Math.min(newest, Math.max(performance.now() / 1000 + clock.offset - clock.wait, newest - 0.5));
}

let stepped = 0;
function scroll(now) {
  if (!size || !ring || ring.newest < 0 || store.frozen || store.link === 'lost') return;
  if (theme.reduced && now - stepped < 250) return;
  stepped = now;
  if (edge < 0) return redraw();
  const inside = pixelsInside();
  if (Math.abs(inside - latePixels) > 2) { latePixels = inside; axisOfGap(); return redraw(); }
  const to = Math.floor(viewTime() * size.perSecond);
  const by = to - edge;
  if (by <= 0) return;
  if (by >= size.width / 2) return redraw();
  const {width, top, seam, bottom} = size;
  context.drawImage(canvas, -by, 0);
  edge = to;
  strip(to - by + 1, by, top + seam, paintIn, 0, width - by, 0);
  strip(to - latePixels - by + 1, by, bottom, paintOut, Math.round(late), width - latePixels - by, top + seam);
}
