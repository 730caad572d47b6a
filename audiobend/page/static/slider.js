// A number with its address: drag, wheel, arrows, double tap for the default, and a field to type into.

import {attr, h} from './dom.js';
import {ghost, hold, release, slide} from './engine.js';
import {digits, fromShare, shown, toShare, typed, unit, written} from './numbers.js';
import {store, touch} from './store.js';
import {speak} from './speak.js';

/**
 * A row: label, slider, number. spec: {label, address, range: {min, max, default, unit, whole}, read(), percent,
 * moves(): [low, high] shares or null}. The row has .paint() and .tick(value).
 */
export function slider(spec) {
  const fill = h('i.f');
  const handle = h('i.h');
  const band = h('i.m');
  const tick = h('i.c');
  const other = h('i.g');
  const track = h('div.sl', {role: 'slider', tabindex: 0, 'aria-label': spec.label, 'data-address': spec.address}, band, fill, handle, tick, other);
  const number = h('button.out', {'data-value': spec.address, 'aria-label': `${spec.label}: type a value`, onclick: () => type(row, number, spec)});
  const row = h('div.p', {}, h('span.k', {text: spec.label}), track, number);
  playable(track, spec);
  row.paint = () => paint(spec, {track, fill, handle, band, tick, number, other});
  row.tick = (value) => { track.classList.add('ticking'); tick.style.left = `${(100 * toShare(value, spec.range)).toFixed(1)}%`; };
  row.paint();
  return row;
}

export function textOf(value, {range, percent}) {
  return percent ? [`${Math.round(100 * value)}`, '\u00a0%'] : [shown(value, range), unit(range.unit)];
}

function paint(spec, {track, fill, handle, band, tick, number, other}) {
  const value = Number(spec.read() ?? spec.range.default);
  const share = toShare(value, spec.range);
  const moves = spec.moves?.();
  handle.style.left = `${100 * share}%`;
  const from = ghost(spec.address);
  other.hidden = typeof from !== 'number';
  if (!other.hidden) other.style.left = `${100 * toShare(from, spec.range)}%`;
  const zero = spec.range.min < 0 && spec.range.max > 0 ? toShare(0, spec.range) : 0;
  Object.assign(fill.style, {left: `${100 * Math.min(zero, share)}%`, width: moves ? '0' : `${100 * Math.abs(share - zero)}%`});
  track.classList.toggle('moving', Boolean(moves));
  if (moves) Object.assign(band.style, {left: `${100 * moves[0]}%`, width: `${100 * (moves[1] - moves[0])}%`});
  else track.classList.remove('ticking');
  for (const [name, text] of [['valuemin', spec.range.min], ['valuemax', spec.range.max], ['valuenow', +value.toFixed(4)]]) attr(track, `aria-${name}`, text);
  const [text, after] = textOf(value, spec);
  attr(track, 'aria-valuetext', `${text}${after}`);
  if (number && number.dataset.shown !== text + after) {
    number.dataset.shown = text + after;
    number.replaceChildren(text, ...(after ? [h('small', {text: after})] : []));
  }
}

/** Let hands turn the number behind an element. Left to right, or with spec.vertical from below. */
export function playable(node, spec) {
  let from = null;
  let lastTap = 0;
  const set = (value) => slide(spec.address, spec.range.whole ? Math.round(value) : +value.toPrecision(7));
  const turn = (by) => set(fromShare(toShare(spec.read(), spec.range) + by, {...spec.range, whole: false}));
  node.addEventListener('pointerdown', (event) => {
    if (event.button || store.link !== 'up') return;
    node.setPointerCapture(event.pointerId);
    node.focus({preventScroll: true});
    hold(spec.address);
    const box = node.getBoundingClientRect();
    const now = performance.now();
    if (now - lastTap < 300) { set(spec.range.default); from = null; lastTap = 0; return; }
    lastTap = now;
    const on = (event.clientX - box.left) / box.width;
    from = {x: event.clientX, width: spec.travel ?? box.width, share: toShare(spec.read(), spec.range)};
    if (!event.shiftKey && !spec.relative && Math.abs(on - from.share) > 0.03) { from.share = Math.min(1, Math.max(0, on)); set(fromShare(on, spec.range)); }
  });
  node.addEventListener('pointermove', (event) => {
    if (!from) return;
    from.share += (event.clientX - from.x) / (from.width * (event.shiftKey ? 10 : 1));
    from.x = event.clientX;
    set(fromShare(from.share, spec.range));
  });
  const end = () => { from = null; release(spec.address); };
  node.addEventListener('pointerup', end);
  node.addEventListener('pointercancel', end);
  node.addEventListener('wheel', (event) => { event.preventDefault(); turn((event.deltaY < 0 ? 1 : -1) * (event.shiftKey ? 0.002 : 0.02)); }, {passive: false});
  node.addEventListener('keydown', (event) => {
    const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10}[event.key];
    const smallest = spec.range.whole ? 1 / (spec.range.max - spec.range.min) : 0.01;
    if (step && !event.altKey) turn(step * smallest * (event.shiftKey && !spec.range.whole ? 0.1 : 1));
    else if (event.key === 'Home') set(spec.range.min);
    else if (event.key === 'End') set(spec.range.max);
    else if (event.key === 'Backspace') set(spec.range.default);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  node.addEventListener('focus', () => { store.focus = {address: spec.address, range: spec.range, read: spec.read}; touch('focus'); });
}

function type(row, number, spec) {
  const {range, percent} = spec;
  const field = h('input.out', {type: 'text', inputmode: 'decimal', 'aria-label': spec.label, value: percent ? Math.round(100 * spec.read()) : written(Number(spec.read()), digits(range) + 1)});
  let over = false;
  const back = () => { if (over || !field.isConnected) return; over = true; field.replaceWith(number); };
  field.addEventListener('blur', back);
  field.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Escape') { back(); number.focus(); }
    if (event.key !== 'Enter') return;
    const value = typed(field.value) / (percent ? 100 : 1);
    if (Number.isFinite(value) && value >= range.min && value <= range.max) slide(spec.address, range.whole ? Math.round(value) : value);
    else refuse(spec, field.value);
    back();
    number.focus();
  });
  number.replaceWith(field);
  field.focus();
  field.select();
}

function refuse({label, range, address, percent}, given) {
  const scale = percent ? 100 : 1;
  const sentence = `${label} is ${written(range.min * scale, 0)}..${written(range.max * scale, 0)}${percent ? ' %' : unit(range.unit)}, got ${given}`;
  store.refused = {address, sentence, at: performance.now()};
  touch('heard');
  speak(sentence);
}

