// The top bar: levels, latency with its parts, load with its history, late blocks, what one listens to.

import {$, $$, attr, h, say, walkable} from './dom.js';
import {hear, listenTo} from './engine.js';
import {draws} from './loop.js';
import {clock, meterShare, written} from './numbers.js';
import {paints, store, value} from './store.js';
import {token} from './theme.js';

const LOADS = 42;
const loads = [];
let levels = null;

export function makeTop() {
  hear('columns', (frame) => { levels = frame.levels; });
  paints('hello input', latency);
  paints('hello values bends', listening);
  paints('status', status);
  paints('take status', recording);
  paints('theme', spark);
  for (const button of $$('[data-listen]')) button.addEventListener('click', () => listenTo(button.dataset.listen));
  walkable($('.listen'), '[data-listen]', (one) => one.click());
  draws(3, meters);
}

function latency() {
  const {latency: {parts = [], total_ms: total = 0} = {}, devices = {}, input} = store.hello;
  say($('#latency'), String(Math.round(total)));
  attr($('#latency').closest('.stat'), 'aria-label', `Latency ${Math.round(total)} milliseconds`);
  const shown = parts.filter((part) => part.ms >= 0.5);
  $('#parts').replaceChildren(...shown.map((part) => {
    const node = h('span', {title: `${part.name} ${Math.round(part.ms)} ms`}, part.ms < 8 ? null : h('em', {text: SHORT[part.name] ?? part.name}), h('b', {text: Math.round(part.ms)}));
    node.style.flexGrow = part.ms;
    return node;
  }));
  say($('#in-name'), input && input.kind !== 'card' ? input.name : short(devices.input ?? input?.name ?? ''));
  say($('#out-name'), devices.output === 'none' ? '' : short(devices.output ?? ''));
}

const SHORT = {device: 'card', buffering: 'stride', window: 'ahead'};
const short = (name) => name.replace(/^(\S+) \S*,? ?(inputs|outputs) /, '$1 ');

function listening() {
  for (const one of $$('[data-listen]')) {
    attr(one, 'aria-checked', one.dataset.listen === store.listen);
    one.tabIndex = one.dataset.listen === store.listen ? 0 : -1;
    if (one.dataset.listen === 'difference') one.disabled = !store.table.has('/difference');
  }
  document.documentElement.dataset.listening = store.listen;
}

function status() {
  const {load = 0, late = 0, seconds = 0} = store.status;
  loads.push(load);
  if (loads.length > LOADS) loads.shift();
  if (store.late.count !== null && late > store.late.count) Object.assign(store.late, {count: late, at: performance.now()});
  else store.late.count = late;
  const fresh = late > 0 && performance.now() - store.late.at < 10000;
  mark('#load', `${Math.round(100 * load)}`, load > 0.9);
  mark('#late', String(late), fresh);
  say($('#since'), seconds >= 60 ? `in ${Math.round(seconds / 60)} min` : `in ${Math.round(seconds)} s`);
  store.warning = fresh ? (late === 1 ? 'One block came late and was played dry.' : `${late} blocks came late and were played dry.`) : '';
  spark();
}

function mark(selector, text, bad) {
  const node = $(selector);
  say(node, text);
  node.parentNode.classList.toggle('bad', bad);
}

function spark() {
  const canvas = $('#spark');
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, 84, 16);
  pen.fillStyle = token('t2');
  loads.forEach((load, i) => { const tall = Math.max(1, Math.min(1, load) * 16); pen.fillRect(84 - 2 * (loads.length - i), 16 - tall, 1, tall); });
  pen.fillStyle = token('edge');
  for (let x = 0; x < 84; x += 4) pen.fillRect(x, 1, 2, 1);
}

let began = 0;
function recording() {
  const name = value('/audiobend/take/name', '');
  if (name && !began) began = performance.now();
  if (!name) began = 0;
  for (const button of $$('[data-act=take]')) {
    attr(button, 'aria-pressed', Boolean(name));
    const seconds = store.status.take_seconds ?? (performance.now() - began) / 1000;
    say($('span', button), name ? clock(seconds) : 'Take');
  }
}

const peaks = [0, 0];
function meters() {
  if (!levels || store.link === 'lost') return;
  ['in', 'out'].forEach((name, i) => {
    const share = meterShare(levels[i]);
    peaks[i] = Math.max(meterShare(levels[i + 2]), peaks[i] - 0.004);
    $(`#meter-${name} i`).style.transform = `scaleX(${share.toFixed(3)})`;
    $(`#meter-${name} u`).style.transform = `translateX(${(peaks[i] * 100).toFixed(1)}%)`;
  });
}

setInterval(() => {
  if (!levels) return;
  ['in', 'out'].forEach((name, i) => {
    const db = Number.isFinite(levels[i]) ? Math.max(-90, levels[i]) : -90;
    attr($(`#meter-${name}`), 'aria-valuenow', Math.round(db));
    attr($(`#meter-${name}`), 'aria-valuetext', `${written(db, 0)} dB`);
  });
}, 2000);
