// The latent code: one line of its axes, and an editor: drag over the axes to move the code along them.

import {$, attr, h} from './dom.js';
import {hold, release, slide} from './engine.js';
import {clamp, written} from './numbers.js';
import {paints, store, touch, value} from './store.js';
import {token} from './theme.js';

const FAR = 4;
let at = 0;
const axes = () => Math.max(1, store.axes || 32);
const address = (axis) => `/audiobend/latent/${axis}/offset`;
const offset = (axis) => Number(value(address(axis), 0));

paints('hello expand values theme', () => requestAnimationFrame(draw));

/** The strip in the grid; open, it is the editor. */
export function makeLatent(open, toggle) {
  const canvas = h('canvas', {id: 'latent', 'aria-hidden': 'true'});
  if (!open) return h('button.strip.z', {tabindex: -1, 'data-strip': 'z', 'aria-expanded': false, 'aria-label': 'Latent code: 512 numbers. Open to move it.', onclick: toggle}, h('b', {text: 'z'}), canvas, h('span', {text: `${features()} numbers`}));
  const pad = h('div.strip.z.open', {tabindex: -1, role: 'slider', 'data-strip': 'z', 'aria-label': 'Latent axes: left and right choose an axis, up and down move along it', 'aria-valuemin': -FAR, 'aria-valuemax': FAR, 'aria-valuenow': 0}, h('b', {text: 'z'}), canvas, h('span.axis'));
  play(pad, canvas);
  return pad;
}

const features = () => store.layers.find((layer) => layer.name === 'z')?.features ?? 512;

function set(axis, amount) {
  at = axis;
  slide(address(axis), +clamp(amount, -FAR, FAR).toFixed(2));
  focus();
}

function focus() {
  store.focus = {address: address(at), range: {name: 'offset', min: -FAR, max: FAR, default: 0}, read: () => offset(at)};
  touch('focus');
}

function play(pad, canvas) {
  let holding = null;
  const turn = (event) => {
    const box = canvas.getBoundingClientRect();
    const axis = clamp(Math.floor(((event.clientX - box.left) / box.width) * axes()), 0, axes() - 1);
    if (holding !== axis) { if (holding !== null) release(address(holding)); hold(address(axis)); holding = axis; }
    set(axis, (0.5 - (event.clientY - box.top) / box.height) * 2 * FAR);
  };
  pad.addEventListener('pointerdown', (event) => { if (event.button) return; pad.setPointerCapture(event.pointerId); pad.focus({preventScroll: true}); turn(event); });
  pad.addEventListener('pointermove', (event) => { if (holding !== null) turn(event); });
  const end = () => { if (holding !== null) release(address(holding)); holding = null; };
  pad.addEventListener('pointerup', end);
  pad.addEventListener('pointercancel', end);
  pad.addEventListener('dblclick', () => set(at, 0));
  pad.addEventListener('focus', focus);
  pad.addEventListener('keydown', (event) => {
    const along = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    const up = {ArrowUp: 0.1, ArrowDown: -0.1}[event.key];
    if (!along && !up) return;
    event.preventDefault();
    event.stopPropagation();
    if (along) { at = clamp(at + along, 0, axes() - 1); focus(); touch('expand_'); draw(); } else set(at, offset(at) + up);
  });
}

function draw() {
  const canvas = $('#latent');
  if (!canvas || !canvas.offsetParent) return;
  const {width, height} = canvas.getBoundingClientRect();
  Object.assign(canvas, {width: Math.round(width), height: Math.round(height)});
  const pen = canvas.getContext('2d');
  const wide = canvas.width / axes();
  const middle = canvas.height / 2;
  for (let axis = 0; axis < axes(); axis++) {
    const moved = offset(axis);
    pen.fillStyle = moved ? token('hz') : token('t3');
    const tall = moved ? Math.max(2, (Math.abs(moved) / FAR) * middle) : 2;
    pen.fillRect(Math.round(axis * wide), moved > 0 ? middle - tall : moved ? middle : middle - 1, Math.max(2, Math.floor(wide * 0.45)), tall);
  }
  const words = $('.strip.z.open .axis');
  if (!words) return;
  words.textContent = `axis ${at} ${written(offset(at), 2, true)}`;
  attr(words.parentNode, 'aria-valuenow', offset(at));
  attr(words.parentNode, 'aria-valuetext', words.textContent);
}
