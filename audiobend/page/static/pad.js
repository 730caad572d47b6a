// The morph pad: a field of dots between four scenes. Dots swell near the puck; a trail shows the last two seconds.

import {$, attr} from './dom.js';
import {draws} from './loop.js';
import {clamp} from './numbers.js';
import {paints, store, touch, value} from './store.js';
import {corners, loadScene, morphTo} from './scenes.js';
import {theme, token} from './theme.js';
import {percents, weights} from './weights.js';

// The puck keeps clear of the letters in the corners.
const SIDE = 16;
const TOP = 34;
const placed = (x, y) => [SIDE + x * (box.width - 2 * SIDE), TOP + y * (box.height - 2 * TOP)];

const at = {x: 0, y: 0, shown: '', turned: -1e9};
let trail = [];
let box = {width: 0, height: 0, dots: 1};
let tapped = 0;

export function makePad() {
  const pad = $('#pad');
  new ResizeObserver(measure).observe(pad);
  pad.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    pad.setPointerCapture(event.pointerId);
    if (event.timeStamp - tapped < 300) { const last = value('/audiobend/scene/load', ''); if (last) loadScene(last); tapped = 0; return; }
    tapped = event.timeStamp;
    follow(event);
  });
  pad.addEventListener('pointermove', (event) => { if (event.buttons) follow(event); });
  for (const axis of ['x', 'y']) slider(axis);
  paints('hello theme scenes values', () => { remote(); at.shown = ''; });
  draws(2, draw);
}

function measure() {
  const {width, height} = $('#pad').getBoundingClientRect();
  const dots = Math.min(2, devicePixelRatio || 1);
  const canvas = $('#pad canvas');
  box = {width, height, dots};
  Object.assign(canvas, {width: Math.round(width * dots), height: Math.round(height * dots)});
  at.shown = '';
}

function follow(event) {
  const {left, top, width, height} = $('#pad').getBoundingClientRect();
  go((event.clientX - left - SIDE) / (width - 2 * SIDE), (event.clientY - top - TOP) / (height - 2 * TOP));
}

function go(x, y) {
  at.x = +clamp(x).toFixed(4);
  at.y = +clamp(y).toFixed(4);
  at.turned = performance.now();
  trail.push([at.x, at.y, at.turned]);
  morphTo(at.x, at.y);
  words();
  store.focus = {address: store.table.has('/scene/pad') ? '/audiobend/scene/pad' : '/audiobend/scene/morph/position', read: () => `${at.x.toFixed(2)} ${at.y.toFixed(2)}`};
  touch('focus');
}

/** Where another hand, or another page, put the puck. */
function remote() {
  const [x, y] = [value('/audiobend/scene/pad/x'), value('/audiobend/scene/pad/y')];
  if (x === undefined || y === undefined || performance.now() - at.turned < 500) return words();
  Object.assign(at, {x, y});
  words();
}

/** Two hidden sliders carry the pad for keys and screen readers. */
function slider(axis) {
  const node = $(`[data-pad=${axis}]`);
  node.addEventListener('keydown', (event) => {
    const step = event.shiftKey ? 0.01 : 0.05;
    const by = {ArrowRight: [step, 0], ArrowLeft: [-step, 0], ArrowDown: [0, step], ArrowUp: [0, -step]}[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    go(at.x + by[0], at.y + by[1]);
  });
}

function words() {
  const shares = percents(at.x, at.y);
  const names = corners();
  const text = shares.map((share, i) => names[i] && `${names[i]} ${share} %`).filter(Boolean).join(', ');
  for (const axis of ['x', 'y']) {
    attr($(`[data-pad=${axis}]`), 'aria-valuenow', Math.round(100 * at[axis]));
    attr($(`[data-pad=${axis}]`), 'aria-valuetext', text || 'no scenes yet');
  }
}

function draw(now) {
  if (!box.width || !store.hello) return;
  trail = theme.reduced ? [] : trail.filter((point) => now - point[2] < 2000);
  const key = `${at.x} ${at.y} ${trail.length}`;
  if (key === at.shown && !trail.length) return;
  at.shown = key;
  const canvas = $('#pad canvas');
  const pen = canvas.getContext('2d');
  pen.setTransform(box.dots, 0, 0, box.dots, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  field(pen);
  path(pen);
  puck(pen);
  letters(pen);
}

function field(pen) {
  const {width, height} = box;
  const [columns, rows] = [Math.max(3, Math.round(width / 15)), Math.max(3, Math.round(height / 15))];
  const [px, py] = placed(at.x, at.y);
  pen.fillStyle = token('t1');
  for (let j = 0; j < rows; j++)
    for (let i = 0; i < columns; i++) {
      const [u, v] = [(i + 0.5) / columns, (j + 0.5) / rows];
      const far = Math.hypot(u * width - px, v * height - py) / width;
      const size = 1.6 + 2.6 * Math.max(0, 1 - far * 2.2);
      pen.globalAlpha = Math.max(0.3, 1 - far * 1.9);
      pen.fillRect(u * width - size / 2, v * height - size / 2, size, size);
    }
  pen.globalAlpha = 1;
}

function path(pen) {
  if (trail.length < 2) return;
  pen.strokeStyle = token('t1');
  pen.lineWidth = 1.5;
  pen.globalAlpha = 0.55;
  pen.beginPath();
  for (const [x, y] of trail) pen.lineTo(...placed(x, y));
  pen.stroke();
  pen.globalAlpha = 1;
}

function puck(pen) {
  const [x, y] = placed(at.x, at.y);
  const disc = (radius) => { pen.beginPath(); pen.arc(x, y, radius, 0, 7); };
  pen.fillStyle = token('bg'); disc(11); pen.fill();
  pen.strokeStyle = token('t1'); pen.lineWidth = 3; disc(11); pen.stroke();
  pen.fillStyle = token('t1'); disc(3); pen.fill();
}

function letters(pen) {
  const names = corners();
  const shares = percents(at.x, at.y);
  const near = weights(at.x, at.y);
  pen.font = `600 ${box.width > 180 ? 14 : 12}px ${token('sans')}`;
  pen.textBaseline = 'middle';
  names.forEach((name, i) => {
    const text = name ? `${'ABCD'[i]} ${shares[i]}` : 'ABCD'[i];
    const wide = pen.measureText(text).width + 8;
    const [x, y] = [i % 2 ? box.width - wide : 0, i < 2 ? 0 : box.height - 20];
    pen.fillStyle = token('bg');
    pen.fillRect(x, y, wide, 20);
    pen.fillStyle = token(!name ? 't3' : near[i] > 0.3 ? 't1' : 't2');
    pen.fillText(text, x + 4, y + 10.5);
  });
}

export const focusPad = () => $('[data-pad=x]').focus();
