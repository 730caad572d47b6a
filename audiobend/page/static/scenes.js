// Scenes: slots to load with a tap; by hold save over, rename, put on a corner of the pad, delete.

import {$, h} from './dom.js';
import {slide, tellEngine} from './engine.js';
import {HOLD} from './gesture.js';
import {keep, paints, recalled, store, touch, value} from './store.js';
import {hueOf, token} from './theme.js';
import {closeSheet, openSheet} from './sheet.js';
import {speak} from './speak.js';
import {freeName} from './words.js';

const LETTERS = 'ABCD';

export function makeScenes() {
  paints('hello scenes theme', paint);
}

export const scenes = () => (store.hello?.session.scenes ?? []).map((one) => (typeof one === 'string' ? {name: one} : one));

/** The scenes on the corners A to D: as chosen here, else the first four. */
export function corners() {
  const names = scenes().map((one) => one.name);
  const chosen = recalled('corners', []);
  const free = names.filter((name) => !chosen.includes(name));
  return [0, 1, 2, 3].map((i) => (names.includes(chosen[i]) ? chosen[i] : free.shift() ?? null));
}

export function loadScene(name) {
  tellEngine(['/audiobend/scene/load', name, recalled('ramp', 0.5)]);
  speak(`Scene ${name}`);
}

export const loadCorner = (i) => corners()[i] && loadScene(corners()[i]);

function paint() {
  const list = scenes();
  const loaded = value('/audiobend/scene/load', '');
  const at = corners();
  const slots = list.map((scene) => slot(scene, scene.name === loaded, at.indexOf(scene.name)));
  const save = h('button.slot.empty', {'data-scene-save': '', onclick: saveAs}, '+ save');
  const rest = Array.from({length: Math.max(0, 7 - list.length)}, () => h('div.slot.empty.blank', {'aria-hidden': 'true'}));
  const focused = document.activeElement?.dataset?.scene;
  $('#slots').replaceChildren(...slots, save, ...rest);
  if (focused) $(`[data-scene="${CSS.escape(focused)}"]`)?.focus();
}

function slot(scene, loaded, corner) {
  const canvas = h('canvas', {width: 15, height: 7, 'aria-hidden': 'true'});
  const letter = corner >= 0 ? LETTERS[corner] : '';
  const node = h('button.slot', {'data-scene': scene.name, 'aria-pressed': loaded, 'aria-label': `${scene.name}${letter ? `, corner ${letter}` : ''}`, 'aria-haspopup': 'dialog'}, canvas, h('b', {text: scene.name}), letter ? h('span.co', {text: letter}) : null);
  let timer = 0;
  let held = false;
  const more = () => { held = true; openScene(scene.name); };
  node.addEventListener('pointerdown', (event) => { held = false; if (!event.button) timer = setTimeout(more, HOLD); });
  for (const type of ['pointerup', 'pointercancel', 'pointerleave']) node.addEventListener(type, () => clearTimeout(timer));
  node.addEventListener('contextmenu', (event) => { event.preventDefault(); clearTimeout(timer); more(); });
  node.addEventListener('keydown', (event) => { if (event.key === 'F2' || (event.key === 'Enter' && event.shiftKey)) { event.preventDefault(); more(); } });
  node.addEventListener('click', () => { if (!held) loadScene(scene.name); });
  fingerprint(canvas, scene.cells ?? [], loaded);
  return node;
}

/** A tiny picture of which cells a scene lights. */
function fingerprint(canvas, cells, loaded) {
  const pen = canvas.getContext('2d');
  const ink = token(loaded ? 'bg' : 't1');
  const lit = new Set(cells);
  store.layers.filter((layer) => layer.clusters.length).slice(0, 4).forEach((layer, y) => {
    const whole = lit.has(`${layer.name}/all`);
    layer.clusters.slice(0, 5).forEach((cluster, x) => {
      const on = whole || lit.has(`${layer.name}/${cluster.id}`);
      pen.globalAlpha = on ? 1 : 0.2;
      pen.fillStyle = on && !loaded ? token(hueOf(layer.name)) : ink;
      pen.fillRect(3 * x, 2 * y, 2, 1);
    });
  });
}

function naming(title, name, words, done) {
  const field = h('input.field', {type: 'text', maxlength: 64, 'aria-label': 'Name', value: name});
  const finish = () => { const text = field.value.trim(); if (!text) return; closeSheet(); done(text); };
  field.addEventListener('keydown', (event) => { event.stopPropagation(); if (!['Enter', 'Escape'].includes(event.key)) return; event.preventDefault(); if (event.key === 'Enter') finish(); else closeSheet(); });
  openSheet('name', title, h('div.sc', {}, field, h('button.btn.main', {'data-act': 'name-done', onclick: finish}, words)), field);
  field.select();
}

export function saveAs() {
  const name = freeName('scene', scenes().map((one) => one.name));
  naming('Save what sounds as a scene', name, 'Save', (text) => { tellEngine(['/audiobend/scene/save', text]); added(text); speak(`Saved ${text}`); });
}

/** Until the server tells the new list, the page shows what it asked for. */
function added(name) {
  const list = scenes();
  const cells = [...new Set(store.bends.filter((bend) => bend.on).map((bend) => `${bend.layer}/${bend.features.startsWith('cluster') ? bend.features.split(' ')[1] : 'all'}`))];
  change([...list.filter((one) => one.name !== name), {name, cells}]);
}

function change(list) {
  store.hello.session = {...store.hello.session, scenes: list};
  touch('scenes');
}

function openScene(name) {
  const act = (words, hook, run) => h('button.btn', {'data-act': hook, onclick: () => { closeSheet(); run(); }}, words);
  const rename = (text) => { tellEngine(['/audiobend/scene/rename', name, text]); change(scenes().map((one) => (one.name === name ? {...one, name: text} : one))); };
  openSheet('scene', name, h('div.sc', {},
    act('Save what sounds over it', 'scene-over', () => { tellEngine(['/audiobend/scene/save', name]); added(name); }),
    store.table.has('/scene/rename') ? act('Rename', 'scene-rename', () => naming(`Rename ${name}`, name, 'Rename', rename)) : null,
    h('div.corner', {role: 'group', 'aria-label': 'Put on a corner of the pad'}, h('span.k', {text: 'corner'}), ...[...LETTERS].map((letter, i) => h('button.btn', {'aria-pressed': corners()[i] === name, onclick: () => { putOn(name, i); closeSheet(); }}, letter))),
    act('Delete', 'scene-delete', () => { tellEngine(['/audiobend/scene/delete', name]); change(scenes().filter((one) => one.name !== name)); })));
}

function putOn(name, corner) {
  const now = corners().map((one) => (one === name ? null : one));
  now[corner] = name;
  keep('corners', now);
  touch('scenes');
}

/** Sound what lies between the scenes of the corners; with two scenes, or an engine that knows only two, from left to right. */
export function morphTo(x, y) {
  const [a, b, c, d] = corners();
  if (!a || !b) return false;
  if (c && d && store.table.has('/scene/pad')) slide('/audiobend/scene/pad', [a, b, c, d, x, y]);
  else slide('/audiobend/scene/morph', [a, b, x]);
  return true;
}

