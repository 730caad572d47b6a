// Columns of the spectra and of the seam, into pixels. No reads of the page: what they need is given.

import {LEVELS, SATURATIONS, saturation} from './bendmap.js';
import {BANDS} from './frames.js';
import {levelSteps} from './history.js';
import {hueOf, theme, word} from './theme.js';

const STEPS = levelSteps();
const TINT = Uint8Array.from({length: 256}, (_, i) => saturation(i));

/** One column of the input, and of the seam below it. view: {ring, size, lanes}. */
export function paintIn({ring, size, lanes}, pixels, stride, x, slot) {
  const {table} = theme;
  const at = slot * BANDS;
  const rows = size.inRows;
  for (let y = 0; y < size.top; y++) {
    let level = 0;
    if (slot >= 0) for (let b = rows[2 * y]; b < rows[2 * y + 1]; b++) if (ring.input[at + b] > level) level = ring.input[at + b];
    pixels[y * stride + x] = table[STEPS[level]];
  }
  paintSeam({ring, size, lanes}, pixels, stride, x, slot);
}

function paintSeam({ring, size, lanes}, pixels, stride, x, slot) {
  const {top, seam} = size;
  const ground = word('bg');
  for (let y = top; y < top + seam; y++) pixels[y * stride + x] = ground;
  const on = slot >= 0 ? ring.seam[slot] : null;
  if (!on || !lanes.length) return;
  const lane = Math.max(2, Math.min(5, Math.floor((seam - 2) / lanes.length)));
  for (const [id, strength] of on) {
    const at = lanes.findIndex((one) => one.id === id);
    const y0 = top + 1 + at * lane;
    if (at < 0 || y0 + 1 >= top + seam) continue;
    const thick = Math.max(1, Math.round((lane - 1) * strength));
    const colour = word(hueOf(lanes[at].layer));
    for (let y = 0; y < thick && y0 + y < top + seam; y++) pixels[(y0 + y) * stride + x] = colour;
  }
}

/** One column of the output. */
export function paintOut({ring, size}, pixels, stride, x, slot) {
  const {table} = theme;
  const at = slot * BANDS;
  const rows = size.outRows;
  const hue = slot >= 0 && theme.map === 'bend' ? ring.hue[slot] * SATURATIONS * LEVELS : 0;
  for (let y = 0; y < size.bottom; y++) {
    let level = 0, change = 0;
    if (slot >= 0)
      for (let b = rows[2 * y]; b < rows[2 * y + 1]; b++) {
        if (ring.output[at + b] > level) level = ring.output[at + b];
        if (ring.change[at + b] > change) change = ring.change[at + b];
      }
    pixels[y * stride + x] = table[(hue ? hue + TINT[change] * LEVELS : 0) + STEPS[level]];
  }
}
