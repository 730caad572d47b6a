// The last columns of both spectra, and which bends were on. A ring; pure.

import {BANDS} from './frames.js';

// Columns that may be missing before a hole is seen: 70 ms at the network's rate.
const HOLD = 12;

/** Make a ring of so many columns. */
export function makeRing(capacity) {
  const ring = {
    capacity, newest: -1,
    index: new Int32Array(capacity).fill(-1),
    input: new Uint8Array(capacity * BANDS), output: new Uint8Array(capacity * BANDS), change: new Uint8Array(capacity * BANDS),
    hue: new Uint8Array(capacity), seam: new Array(capacity).fill(null),
  };
  return ring;
}

/** Keep a column under its number; seam is a list of [id, strength 0..1]. */
export function push(ring, number, column, seam) {
  const slot = number % ring.capacity;
  ring.index[slot] = number;
  ring.input.set(column.input, slot * BANDS);
  ring.output.set(column.output, slot * BANDS);
  ring.change.set(column.change, slot * BANDS);
  ring.hue[slot] = column.hue;
  ring.seam[slot] = seam;
  if (number > ring.newest) ring.newest = number;
}

/** The slot of a column, or of one shortly before it where it was dropped; -1 where there is none. */
export function slotOf(ring, number) {
  for (let back = 0; back < HOLD; back++) {
    const wanted = number - back;
    if (wanted < 0) return -1;
    const slot = wanted % ring.capacity;
    if (ring.index[slot] === wanted) return slot;
  }
  return -1;
}

/** For each row of a picture, from the top, the bands [first, after] that it shows. */
export function rowBands(rows, log, [low, high]) {
  const bands = new Int16Array(rows * 2);
  const band = (share) => (log ? share : Math.max(0, Math.log((high * share) / low) / Math.log(high / low))) * BANDS;
  for (let y = 0; y < rows; y++) {
    const first = Math.min(BANDS - 1, Math.floor(band(1 - (y + 1) / rows)));
    bands[2 * y] = first;
    bands[2 * y + 1] = Math.min(BANDS, Math.max(first + 1, Math.floor(band(1 - y / rows))));
  }
  return bands;
}

/** Where a frequency stands in such a picture: 0 is the bottom, 1 the top. */
export const heightOf = (hertz, log, [low, high]) => (log ? Math.log(hertz / low) / Math.log(high / low) : hertz / high);

/** Levels 0..255 (-90..0 dB) to the 64 steps of the colour table: the floor is black, and what is loud keeps its detail. */
export function levelSteps(floor = -76, curve = 1.7) {
  return Uint8Array.from({length: 256}, (_, i) => Math.round(63 * Math.max(0, ((i / 255) * 90 - 90 - floor) / -floor) ** curve));
}
