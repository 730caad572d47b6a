// The end of the chain: detail, mix, gain and limiter.

import {$, attr, h, say} from './dom.js';
import {tellEngine} from './engine.js';
import {toShare} from './numbers.js';
import {playable, textOf} from './slider.js';
import {paints, value} from './store.js';

let outputs = [];

export function makeOutput() {
  const place = $('#output');
  paints('hello values', () => outputs.forEach((one) => one.paint()));
  const number = (name, range, percent) => {
    const spec = {label: name, address: `/audiobend/${name}`, range, percent, relative: true, read: () => Number(value(`/audiobend/${name}`, range.default))};
    const text = h('b');
    const bar = h('i');
    const node = h('div.od', {role: 'slider', tabindex: 0, 'aria-label': name[0].toUpperCase() + name.slice(1), 'data-address': spec.address}, h('span', {text: name}), text, bar);
    playable(node, spec);
    const paint = () => {
      const now = spec.read();
      const words = textOf(now, spec).join('');
      say(text, words);
      bar.style.width = `${100 * toShare(now, range)}%`;
      for (const [key, to] of [['valuemin', range.min], ['valuemax', range.max], ['valuenow', +now.toFixed(3)], ['valuetext', words]]) attr(node, `aria-${key}`, to);
    };
    return {node, paint};
  };
  const state = h('b');
  const limiter = h('button.od', {role: 'switch', 'aria-label': 'Limiter', 'data-address': '/audiobend/limiter', onclick: () => tellEngine(['/audiobend/limiter', value('/audiobend/limiter', 1) ? 0 : 1])}, h('span', {text: 'limiter'}), state);
  outputs = [
    number('detail', {min: 0, max: 1, default: 0}),
    number('mix', {min: 0, max: 1, default: 1}, true),
    number('gain', {min: -60, max: 24, default: 0, unit: 'dB'}),
    {node: limiter, paint: () => { const on = Boolean(value('/audiobend/limiter', 1)); say(state, on ? 'on' : 'off'); attr(limiter, 'aria-checked', on); }},
  ];
  place.append(...outputs.map((one) => one.node));
}
