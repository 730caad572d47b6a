// A new bend for the chain: where it acts; the transform is the chosen one.

import {glyph, h, radios} from './dom.js';
import {tellEngine} from './engine.js';
import {addressOf, placeId, store, touch} from './store.js';
import {choose} from './palette.js';
import {closeSheet, openSheet} from './sheet.js';

export function openAdd() {
  const layers = store.layers.map((layer) => layer.name).filter((name) => name !== 'z');
  let layer = layers.includes('3') ? '3' : layers[layers.length - 1];
  let features = 'all';
  const transform = h('select.field', {'aria-label': 'Transform'}, ...store.hello.transforms.map((one) => h('option', {value: one.name, text: one.name})));
  transform.value = store.transform;
  transform.addEventListener('change', () => choose(transform.value));
  const where = radios('Layer', layers, layer, (name) => { layer = name; });
  const kinds = store.table.has('/chain/add') ? ['all', 'random 25 %'] : ['all'];
  const which = radios('Features', kinds, 'all', (name) => { features = name === 'all' ? 'all' : 'random 0.25'; });
  const add = h('button.btn.main', {'data-act': 'add-bend', onclick: () => { closeSheet(); addBend(layer, transform.value, features); }}, 'Add to the chain');
  openSheet('add', 'A new bend', h('div.sc', {}, h('div.set', {}, h('span', {text: 'transform'}), transform), h('div.set', {}, h('span', {text: 'layer'}), where),
    h('div.set', {}, h('span', {text: 'features'}), which), h('p.note', {}, glyph('all', 14), ' For one cluster, tap its cell in the grid.'), add), add);
}

/** Add a bend at the end and open its card. */
export function addBend(layer, transform, features) {
  if (store.table.has('/chain/add')) return tellEngine(['/audiobend/chain/add', layer, transform, features]);
  const byPlace = placeId(layer, 'all', transform);
  store.open = byPlace;
  touch('open');
  return tellEngine([addressOf(byPlace, 'on'), 1]);
}
