// The movement of a number: shape, rate and depth, drawn as it runs.

import {h} from './dom.js';
import {tellEngine} from './engine.js';
import {slider} from './slider.js';
import {addressOf, movement, value} from './store.js';
import {token} from './theme.js';
import {sample} from './shapes.js';

export const SHAPES = ['off', 'sine', 'triangle', 'square', 'random', 'follow'];

/** The rows of a number's movement: a choice of shapes; with a shape its picture, rate and depth. */
export function movementRows(id, param, hue) {
  const address = `${addressOf(id, param.name)}/lfo`;
  const now = movement(id, param.name);
  const choose = h('select.field.small', {'aria-label': `What moves ${param.name}`, 'data-address': address},
    ...SHAPES.map((shape) => h('option', {value: shape, text: shape})));
  choose.value = now?.[0] ?? 'off';
  const span = param.max - param.min;
  choose.addEventListener('change', () => {
    const [, rate, depth, phase] = movement(id, param.name) ?? [null, 0.2, span / 8, 0];
    tellEngine([address, choose.value, rate, depth, phase]);
  });
  const canvas = h('canvas', {width: 144, height: 60, 'aria-hidden': 'true'});
  const head = h('div.lfo', {}, h('span.k', {text: 'moves'}), now ? canvas : h('span'), choose);
  if (!now) return {rows: [head], tick: () => {}, paint: () => {}};
  const part = (name, place, range, percent) => slider({label: name, address: `${address}/${name}`, range, percent,
    read: () => value(`${address}/${name}`, movement(id, param.name)?.[place] ?? range.default)});
  const rate = part('rate', 1, {min: 0, max: 8, default: 0.2, unit: 'Hz'});
  const depth = part('depth', 2, {min: 0, max: span, default: span / 8, unit: param.unit, whole: false});
  return {rows: [head, rate, depth], paint: () => { rate.paint(); depth.paint(); }, tick: (where) => draw(canvas, now, where, hue)};
}

function draw(canvas, [shape, rate, depth], where, hue) {
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, 144, 60);
  pen.strokeStyle = token(hue);
  pen.lineWidth = 3;
  pen.beginPath();
  const phase = (performance.now() / 1000) * rate;
  for (let x = 0; x <= 144; x += 2) pen.lineTo(x, 30 - 21 * Math.sign(depth || 1) * sample(shape, phase + (x - 100) / 72));
  pen.stroke();
  if (where === undefined) return;
  pen.fillStyle = token('t1');
  pen.beginPath();
  pen.arc(100, 30 - 21 * Math.min(1, Math.max(-1, where)), 6, 0, 7);
  pen.fill();
}
