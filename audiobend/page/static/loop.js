// One loop owns all drawing. It also measures what drawing costs.

import {repaint} from './store.js';
import {flush} from './engine.js';

const drawers = [];
export const frame = {count: 0, mean_ms: 0, worst_ms: 0, over_4: 0, reset() { Object.assign(frame, {count: 0, mean_ms: 0, worst_ms: 0, over_4: 0}); }};

/** Draw every so many frames: draw(milliseconds, number of the frame). */
export const draws = (every, draw) => drawers.push([every, drawers.length % every, draw]);

export function run() {
  let number = 0;
  const step = (now) => {
    const start = performance.now();
    flush();
    repaint();
    number++;
    for (const [every, offset, draw] of drawers) if (number % every === offset) draw(now, number);
    measure(performance.now() - start);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function measure(cost) {
  frame.count++;
  frame.mean_ms += (cost - frame.mean_ms) / frame.count;
  frame.worst_ms = Math.max(frame.worst_ms, cost);
  if (cost > 4) frame.over_4++;
}
