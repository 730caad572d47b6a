// The transforms to choose from: favourites in a row, all of them in a sheet by family.

import {$, $$, attr, glyph, h, walkable} from './dom.js';
import {paints, recalled, keep, store, touch} from './store.js';
import {closeSheet, openSheet} from './sheet.js';
import {speak} from './speak.js';

const FIRST = ['ablate', 'invert', 'scalar-multiply', 'binary-thresh', 'erode', 'dilate', 'rotate', 'translate', 'scale', 'flip-h', 'flip-v', 'noise'];

export function makePalette() {
  paints('hello', build);
  paints('hello transform', mark);
  walkable($('#palette'), '[role=radio]', (tile) => choose(tile.dataset.transform));
}

export function favourites() {
  const all = store.hello.transforms.map((one) => one.name);
  const wanted = recalled('favourites', store.hello.favourites ?? FIRST).filter((name) => all.includes(name));
  return wanted.length ? wanted : all.slice(0, 12);
}

function tile(name) {
  const entry = store.transforms.get(name);
  return h('button.tile', {role: 'radio', 'data-transform': name, title: entry.description ?? '', onclick: () => choose(name)}, glyph(name, 28), h('span', {text: name}));
}

function build() {
  const many = store.hello.transforms.length;
  const all = h('button.tile', {'data-act': 'all', 'aria-haspopup': 'dialog', onclick: openAll}, glyph('all', 28), h('span', {text: `all ${many}`}));
  $('#palette').replaceChildren(...favourites().map(tile));
  $('#palette').after(...($('[data-act=all]') ? [] : [all]));
}

function mark() {
  for (const one of $$('[data-transform]')) {
    const chosen = one.dataset.transform === store.transform;
    attr(one, 'aria-checked', chosen);
    one.tabIndex = chosen ? 0 : -1;
    if (chosen && one.parentNode.id === 'palette') centre(one);
  }
}

function centre(one) {
  const list = one.parentNode;
  if (list.scrollWidth > list.clientWidth) list.scrollLeft = one.offsetLeft - list.offsetLeft - (list.clientWidth - one.offsetWidth) / 2;
}

/** Choose a transform; one that is not among the favourites takes the last place. */
export function choose(name) {
  if (!favourites().includes(name)) {
    keep('favourites', [...favourites().slice(0, 11), name]);
    store.transform = name;
    build();
  }
  store.transform = name;
  touch('transform', 'bends');
  speak(`${name}: ${store.transforms.get(name).description ?? ''}`);
}

export const chooseAt = (place) => favourites()[place] && choose(favourites()[place]);

export function openAll() {
  const find = h('input.field', {type: 'search', placeholder: 'Search', 'aria-label': 'Search transforms', autocomplete: 'off'});
  const list = h('div.families');
  const fill = () => list.replaceChildren(...families(find.value.trim().toLowerCase()));
  find.addEventListener('input', fill);
  fill();
  openSheet('all', 'Transforms', h('div.sc', {}, find, list), find);
}

function families(wanted) {
  const groups = new Map();
  for (const one of store.hello.transforms) {
    if (wanted && !`${one.name} ${one.family} ${one.description ?? ''}`.toLowerCase().includes(wanted)) continue;
    groups.set(one.family, [...(groups.get(one.family) ?? []), one]);
  }
  if (!groups.size) return [h('p.note', {text: `No transform is called "${wanted}".`})];
  return [...groups].map(([family, members]) => h('section', {'aria-label': family}, h('h3', {text: family}), h('div.tiles', {},
    ...members.map((one) => h('button.entry', {'data-pick': one.name, 'aria-pressed': one.name === store.transform, onclick: () => { choose(one.name); closeSheet(); }},
      glyph(one.name, 28), h('span', {}, h('b', {text: one.name}), h('small', {text: one.description ?? ''})))))));
}
