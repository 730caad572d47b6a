// Keys: one table says what they are, this says what they do.

import {$} from './dom.js';
import {chooseAt} from './palette.js';
import {copy} from './address.js';
import {dice} from './bendbody.js';
import {focusBend, moveBend} from './chain.js';
import {openCell} from './cellsheet.js';
import {focusPad} from './pad.js';
import {freeze} from './stage.js';
import {loadCorner} from './scenes.js';
import {arrive, isOn, meant, switchCell, turnCell} from './hands.js';
import {action} from './keys.js';
import {learn, stop} from './learn.js';
import {alone, listenTo, panic, solo, undo} from './engine.js';
import {neighbour} from './grid.js';
import {openHelp} from './help.js';
import {openSettings} from './settings.js';
import {recordSound} from './recordings.js';
import {record} from './take.js';
import {bendOf, shownAt, store} from './store.js';
import {closeSheet, trap} from './sheet.js';

const root = document.documentElement;
let dryFrom = null;

const cellOf = () => document.activeElement?.dataset?.cell;
const bendAtFocus = () => {
  const cell = cellOf();
  const id = cell ? (shownAt(...cell.split('/')) ?? meant(cell)).id : document.activeElement?.closest?.('[data-card]')?.dataset.card ?? store.focus?.bend;
  return id && bendOf(id);
};

const withBend = (run) => { const bend = bendAtFocus(); if (bend && store.table.has('/solo')) run(bend.id); };

const DO = {
  switch: () => { const cell = cellOf(); if (!cell) return false; switchCell(cell, !isOn(cell)); return true; },
  turn: (share) => { const cell = cellOf(); if (!cell) return false; turnCell(cell, share); return true; },
  sheet: () => { const cell = cellOf(); if (!cell) return false; openCell(cell); return true; },
  transform: chooseAt,
  solo: () => withBend(solo),
  difference: () => { if (cellOf() || document.activeElement?.closest?.('[data-card]')) withBend(alone); else listenTo(store.listen === 'difference' ? 'bent' : 'difference'); },
  move: (by) => { const bend = bendAtFocus(); if (bend) { moveBend(bend.id, by); focusBend(bend.id); } },
  dice: () => dice(bendAtFocus()),
  undo: () => undo(),
  redo: () => undo(false),
  panic, corner: loadCorner, pad: focusPad, take: record, record: recordSound, freeze, copy, settings: openSettings,
  learn: () => (store.learning ? stop() : learn()),
  help: () => (root.dataset.overlay === 'help' ? closeSheet() : openHelp()),
  close: () => stop() || closeSheet(),
  dry: () => { if (dryFrom === null) { dryFrom = store.listen; listenTo('dry'); } },
};

const types = (node) => node?.matches?.('input:not([type=file]),textarea,select');

export function makeKeyboard() {
  document.addEventListener('keydown', (event) => {
    trap(event);
    if (event.defaultPrevented) return;
    const found = action(event);
    const [name, argument] = found ?? [];
    if (types(event.target) && name !== 'close') return;
    if (root.dataset.overlay && !['close', 'panic', 'help'].includes(name)) return;
    if (!name) return walk(event);
    if (event.repeat && !['turn'].includes(name)) return event.preventDefault();
    if (DO[name](argument) !== false) event.preventDefault();
  });
  document.addEventListener('keyup', (event) => { if (event.key === '0' && dryFrom !== null) { listenTo(dryFrom); dryFrom = null; } });
  $('[data-act=help]').addEventListener('click', openHelp);
  for (const button of document.querySelectorAll('[data-act=settings]')) button.addEventListener('click', openSettings);
  for (const button of document.querySelectorAll('[data-act=panic]')) button.addEventListener('click', panic);
  $('[data-act=freeze]').addEventListener('click', freeze);
}

function walk(event) {
  const node = document.activeElement;
  if (event.altKey || !node?.closest?.('#grid') || !event.key.startsWith('Arrow')) return;
  const next = neighbour(node, event.key);
  event.preventDefault();
  if (next) arrive(next);
}
