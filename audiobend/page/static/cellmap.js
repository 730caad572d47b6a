// What the network does in a cell: its activation map, tinted up to the strength of the bend.

import {LEVELS, SATURATIONS} from './bendmap.js';
import {$} from './dom.js';
import {toShare} from './numbers.js';
import {amount, store, strengthOf} from './store.js';
import {hueIndex, theme} from './theme.js';

const tiles = new Map();

export const haveMaps = () => tiles.size > 0;
export const keepMaps = (frame) => { for (const map of frame.maps) tiles.set(`${map.layer}/${map.cluster}`, stretched(map)); };

/** Draw the map of a cell, {key, cluster, layer, node, bend, moves, now}; it keeps its canvas. */
export function drawMap(cell) {
  if (cell.cluster === 'all') return;
  const tile = tiles.get(cell.key);
  const canvas = cell.canvas ??= $('.map', cell.node);
  const rows = tile?.rows ?? 8, columns = tile?.columns ?? 8;
  if (canvas.width !== columns || canvas.height !== rows) { canvas.width = columns; canvas.height = rows; cell.image = null; }
  const pen = cell.pen ??= canvas.getContext('2d');
  cell.image ??= pen.createImageData(columns, rows);
  const pixels = new Uint32Array(cell.image.data.buffer);
  paintMap(pixels, rows, columns, tile?.cells, cell);
  pen.putImageData(cell.image, 0, 0);
}

/** A map with all its contrast: from its darkest cell to its brightest; one that hardly lights up stays dark. */
function stretched(map) {
  let [low, high] = [255, 0];
  for (const cell of map.cells) { if (cell < low) low = cell; if (cell > high) high = cell; }
  const bright = 80 + 175 * (high / 255);
  const gain = high - low > 3 ? Math.min(8, bright / (high - low)) : 1;
  map.cells.forEach((cell, i) => { map.cells[i] = Math.min(255, (cell - low) * gain); });
  return map;
}

/** Grey where the network is left alone; the layer's hue, up to the line of strength, where it is bent. */
function paintMap(pixels, rows, columns, cells, {bend, layer, now, moves}) {
  const {table} = theme;
  const chosen = bend?.transform === store.transform;
  const lost = store.link === 'lost' || store.listen === 'dry';
  const param = bend ? strengthOf(bend.transform) : null;
  const line = !bend ? 0 : !chosen ? 1 : moves && now !== undefined ? now : toShare(amount(bend, param.name), param);
  const hue = bend && !lost ? (hueIndex(layer) * SATURATIONS + SATURATIONS - 1) * LEVELS : 0;
  const [ground, gain] = chosen ? [16, 43] : [8, 33];
  for (let y = 0; y < rows; y++) {
    const lit = hue && 1 - y / rows <= line + 0.001;
    for (let x = 0, at = y * columns; x < columns; x++, at++) {
      const level = cells ? cells[at] : 0;
      pixels[at] = lit ? table[hue + ground + ((level * gain) >> 8)] : table[3 + ((level * (bend ? 32 : 42)) >> 8)];
    }
  }
}
