// The sheet of a cell: its bend's parameters and mix, solo, learn, and the way to the chain.

import {$, attr, glyph, h} from './dom.js';
import {solo} from './engine.js';
import {bendBody} from './bendbody.js';
import {expand} from './chain.js';
import {focusCell, meant, switchCell} from './hands.js';
import {learn} from './learn.js';
import {draws} from './loop.js';
import {closeSheet, openSheet} from './sheet.js';
import {bendOf, layerOf, paints, shownAt, soloed, store, touch} from './store.js';
import {hueOf} from './theme.js';
import {setView} from './views.js';
import {where} from './words.js';

let open = null;

export function makeCellSheet() {
  paints('bends values', () => {
    if (!open) return;
    open.body.paint();
    const bend = bendOf(open.id);
    attr(open.switch, 'aria-pressed', Boolean(bend?.on));
    open.switch.textContent = bend?.on ? 'On' : 'Off';
    if (open.solo) attr(open.solo, 'aria-pressed', soloed().includes(open.id));
  });
  draws(2, () => open?.body.tick());
}

/** Open the sheet of a cell; by hold the bend already sounds, by click or Enter nothing changes. */
export function openCell(key) {
  const [layer, cluster] = key.split('/');
  const bend = shownAt(layer, cluster) ?? meant(key);
  const known = bendOf(bend.id) ?? {...bend, mix: 1, params: Object.fromEntries(store.transforms.get(bend.transform).params.map((one) => [one.name, one.default]))};
  const anchor = $(`[data-cell="${key}"]`);
  const body = bendBody(known, true);
  const dead = layerOf(layer)?.clusters.find((one) => String(one.id) === cluster);
  const about = dead?.dead ? h('p.note', {text: 'It never lights up. `invert` wakes it.'}) : dead ? h('p.note', {text: `${dead.features} features`}) : null;
  const title = h('div.title', {id: 'sheet-title'}, glyph(known.transform), h('div', {}, h('b', {text: known.transform}), h('span', {text: where(known, store.layers)})));
  const on = h('button.btn', {'data-act': 'cell-on', 'aria-pressed': known.on, onclick: () => switchCell(key, !bendOf(known.id)?.on)}, known.on ? 'On' : 'Off');
  const hearAlone = store.table.has('/solo') ? h('button.btn', {'data-act': 'solo', 'aria-pressed': soloed().includes(known.id), onclick: () => solo(known.id)}, 'Solo') : null;
  const teach = h('button.btn', {'data-act': 'learn-cell', onclick: () => { closeSheet(); focusCell(key); learn(); }}, 'Learn');
  const chain = h('button.btn', {'data-act': 'in-chain', onclick: () => { closeSheet(); if (store.open !== known.id) expand(known.id); setView('chain'); }}, 'In the chain');
  const sheet = openSheet('cell', title, h('div.cellbody', {}, ...body.nodes, about, h('div.four', {}, on, hearAlone, teach, chain)), body.nodes[0].querySelector?.('[role=slider]'), () => { open = null; });
  sheet.dataset.hue = hueOf(layer);
  open = {id: known.id, body, switch: on, solo: hearAlone};
  place(sheet, anchor);
  touch('bends');
}

function place(sheet, anchor) {
  if (innerWidth < 700 || !anchor) return;
  const box = anchor.getBoundingClientRect();
  const {offsetWidth: width, offsetHeight: height} = sheet;
  const right = box.right + width + 20 < innerWidth;
  sheet.style.left = `${right ? box.right + 10 : Math.max(8, box.left - width - 10)}px`;
  sheet.style.top = `${Math.max(64, Math.min(innerHeight - height - 60, box.top - 60))}px`;
}
