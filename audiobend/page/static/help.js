// The help sheet, written from the table of keys.

import {h} from './dom.js';
import {GROUPS, rowsOf} from './keys.js';
import {openSheet} from './sheet.js';

const HANDS = [[['tap'], 'switch the chosen transform'], [['drag ↕'], 'strength'], [['shift', 'drag'], 'strength, ten times finer'], [['hold'], 'parameters (or right-click)'], [['double tap'], 'back to the default'], [['wheel'], 'strength']];

const keys = (names) => names.map((name) => (name === '–' ? ' – ' : h('kbd', {text: name})));
const list = (rows) => h('dl', {}, ...rows.flatMap(([names, words]) => [h('dt', {}, ...keys(names)), h('dd', {text: words})]));
const part = (title, rows) => [h('h3', {text: title}), list(rows)];

export function openHelp() {
  const [grid, ...others] = GROUPS;
  const sees = h('p', {}, 'Grey is sound the network left alone. Colour is a bend, one colour for each layer. The strip between the two pictures shows which bends were on, and when. The grey bars at the right edge of ', h('b', {text: 'Out'}), ' are sound still inside the network.');
  openSheet('help', 'Tap a cell. Listen.', h('div.cols', {}, h('div', {}, ...part('On a cell', HANDS), h('h3', {text: 'What you see'}), sees), h('div', {}, ...part(grid, rowsOf(grid))), h('div', {}, ...others.flatMap((group) => part(group, rowsOf(group))))));
}
