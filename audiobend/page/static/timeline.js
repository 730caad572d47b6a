// A take as a picture: one lane for each bend, by layer, as thick as it was strong.

import {attr} from './dom.js';
import {joined} from './lanes.js';
import {clock} from './numbers.js';
import {canonical, store} from './store.js';
import {hueOf, token} from './theme.js';

const MOST = 12;

/** One lane for each bend: [{layer, points: [[seconds, share]]}]. */
function lanes(timeline) {
  const byBend = new Map();
  for (const {address, points} of timeline.lanes) {
    const [, , , id, ...name] = canonical(address).split('/');
    if (!points.length || !canonical(address).startsWith('/audiobend/bend/')) continue;
    const lane = byBend.get(id) ?? {id, on: null, turned: null};
    if (name[0] === 'on') lane.on = points;
    else if (!name.includes('lfo') && typeof points[0][1] === 'number' && points.length > (lane.turned?.length ?? 0)) lane.turned = points;
    byBend.set(id, lane);
  }
  const layer = (id) => store.bends.find((one) => one.id === id)?.layer ?? /^layer([^.]+)\./.exec(id)?.[1] ?? '';
  return [...byBend.values()].map((lane) => ({layer: layer(lane.id), points: joined(lane)})).sort((one, other) => one.layer.localeCompare(other.layer)).slice(0, MOST);
}

/** Draw a take, {seconds, lanes, levels}, or nothing. */
export function drawTimeline(canvas, name, timeline) {
  const box = canvas.parentNode.getBoundingClientRect();
  const [width, height] = [Math.round(box.width), Math.round(box.height)];
  Object.assign(canvas, {width, height});
  const pen = canvas.getContext('2d');
  attr(canvas, 'aria-label', timeline ? `Take ${name}, ${clock(timeline.seconds)}, ${timeline.lanes.length} lanes` : 'No take yet');
  if (!timeline) return;
  const {levels} = timeline;
  const top = levels ? height * 0.42 : 8;
  if (levels) wave(pen, levels, width, top);
  const all = lanes(timeline);
  const tall = Math.min(48, (height - top - 8) / Math.max(1, all.length));
  all.forEach((lane, i) => ribbon(pen, lane, timeline.seconds, width, top + 6 + i * tall, tall));
}

function wave(pen, levels, width, top) {
  pen.fillStyle = token('t2');
  const most = Math.max(0.05, ...levels);
  for (let x = 0; x < width; x++) {
    const at = (x / width) * (levels.length - 1);
    const [one, next] = [levels[Math.floor(at)], levels[Math.ceil(at)]];
    const tall = Math.max(1, (one + (next - one) * (at % 1)) / most * top * 0.92);
    pen.fillRect(x, top / 2 + 2 - tall / 2, 1, tall);
  }
}

function ribbon(pen, {layer, points}, seconds, width, y, tall) {
  pen.fillStyle = token(layer ? hueOf(layer) : 't2');
  const x = (at) => (seconds > 0 ? (at / seconds) * width : 0);
  points.forEach(([at, share], i) => {
    if (share <= 0) return;
    const end = i + 1 < points.length ? points[i + 1][0] : seconds;
    const thick = Math.max(2, tall * 0.78 * share);
    pen.fillRect(Math.min(width - 1, x(at)), y + tall * 0.86 - thick, Math.max(1, x(end) - x(at) + 0.5), thick);
  });
}
