// Binary frames of the wire: columns of spectra, maps of clusters, values of movements. Pure; little endian.

export const BANDS = 128;
const HEAD = 16;
const COLUMN = 3 * BANDS + 8;

/**
 * Read a frame; null where it is none of ours or cut short.
 * sequence numbers the first column.
 * kind 1: {levels: [in, out, inPeak, outPeak] dB, columns: [{input, output, change: Uint8Array(128), hue, late}]}
 * kind 2: {maps: [{layer, cluster, rows, columns, cells: Uint8Array}]}, high frequencies first, newest last; kind 3: {values: [number]}
 */
export function decode(buffer) {
  if (buffer.byteLength < HEAD) return null;
  const view = new DataView(buffer);
  if (view.getUint8(1) !== 1) return null;
  const count = view.getUint16(2, true);
  const frame = {kind: view.getUint8(0), sequence: view.getUint32(4, true), time: view.getFloat64(8, true)};
  const read = {1: columns, 2: maps, 3: values}[frame.kind];
  const body = read ? read(view, buffer, count) : null;
  return body && {...frame, ...body};
}

function columns(view, buffer, count) {
  const start = HEAD + 16;
  if (buffer.byteLength < start + count * COLUMN) return null;
  const levels = [0, 1, 2, 3].map((i) => view.getFloat32(HEAD + 4 * i, true));
  const list = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * COLUMN;
    list.push({
      input: new Uint8Array(buffer, at, BANDS),
      output: new Uint8Array(buffer, at + BANDS, BANDS),
      change: new Uint8Array(buffer, at + 2 * BANDS, BANDS),
      hue: view.getUint8(at + 3 * BANDS),
      late: view.getFloat32(at + 3 * BANDS + 4, true),
    });
  }
  return {levels, columns: list};
}

function maps(view, buffer, count) {
  const list = [];
  let at = HEAD;
  for (let i = 0; i < count; i++) {
    if (at + 4 > buffer.byteLength) return null;
    const [layer, cluster, rows, across] = [0, 1, 2, 3].map((k) => view.getUint8(at + k));
    if (at + 4 + rows * across > buffer.byteLength) return null;
    list.push({layer, cluster, rows, columns: across, cells: new Uint8Array(buffer, at + 4, rows * across)});
    at += 4 + rows * across;
  }
  return {maps: list};
}

function values(view, buffer, count) {
  if (buffer.byteLength < HEAD + 4 * count) return null;
  return {values: Array.from({length: count}, (_, i) => view.getFloat32(HEAD + 4 * i, true))};
}
