// Everything of one bend that can be turned: parameters with their movements, mix, features. In the chain and on cells.

import {h, icon, radios} from './dom.js';
import {tellEngine} from './engine.js';
import {movementRows} from './movement.js';
import {toShare} from './numbers.js';
import {slider} from './slider.js';
import {addressOf, amount, bendOf, layerOf, movement, ranged, store, transformOf, value} from './store.js';
import {hueOf} from './theme.js';

/** {nodes, paint(), tick()} for a bend; short leaves features and movements out. */
export function bendBody(bend, short = false) {
  const {id} = bend;
  const live = () => bendOf(id) ?? bend;
  const parts = transformOf(bend).params.flatMap((raw) => paramRows(live, ranged(raw), short));
  const mix = slider({label: 'mix', address: addressOf(id, 'mix'), range: {name: 'mix', min: 0, max: 1, default: 1}, percent: true, read: () => live().mix, moves: () => reach(live(), {name: 'mix', min: 0, max: 1})});
  parts.push({nodes: [mix], paint: mix.paint, tick: () => { const now = store.moving.get(`/audiobend/bend/${id}/mix`); if (now !== undefined) mix.tick(now); }});
  if (!short) parts.push(featureRows(live));
  return {nodes: parts.flatMap((part) => part.nodes), paint: () => parts.forEach((part) => part.paint()), tick: () => parts.forEach((part) => part.tick?.())};
}

/** How far a movement carries a number, as shares; null where it stands still. */
function reach(bend, param) {
  const moves = movement(bend.id, param.name);
  if (!moves) return null;
  const centre = amount(bend, param.name);
  return [toShare(centre - Math.abs(moves[2]), param), toShare(centre + Math.abs(moves[2]), param)];
}

function paramRows(live, param, short) {
  const bend = live();
  const row = slider({label: param.name, address: addressOf(bend.id, param.name), range: param, read: () => live().params[param.name] ?? param.default, moves: () => reach(live(), param)});
  row.title = param.description ?? '';
  const moving = short ? {rows: [], paint() {}, tick() {}} : movementRows(bend.id, param, hueOf(bend.layer));
  const tick = () => {
    const now = store.moving.get(`/audiobend/bend/${bend.id}/${param.name}`);
    const moves = movement(bend.id, param.name);
    if (!moves) return;
    if (now !== undefined) row.tick(now);
    moving.tick(now === undefined ? undefined : moves[2] ? (now - live().params[param.name]) / Math.abs(moves[2]) : 0);
  };
  return [{nodes: [row, ...moving.rows], paint: () => { row.paint(); moving.paint(); }, tick}];
}

// --- which features ---

const KINDS = ['all', 'cluster', 'random', 'list'];
const kindOf = (text) => ({all: 'all', cluster: 'cluster', random: 'random'}[text.split(' ')[0]] ?? 'list');

function featureRows(live) {
  const bend = live();
  const address = addressOf(bend.id, 'features');
  const layer = layerOf(bend.layer);
  const tell = (text) => tellEngine([address, text]);
  const count = layer?.features ?? 1;
  const starts = {all: 'all', cluster: 'cluster 0', random: 'random 0.25', list: `range 0 ${Math.max(1, count >> 2)}`};
  const kinds = KINDS.filter((kind) => kind !== 'cluster' || layer?.clusters.length);
  const choice = radios('Features', kinds, kindOf(bend.features), (kind) => tell(starts[kind]));
  const nodes = [h('div.feat', {}, h('span.k', {text: 'features'}), choice)];
  const kind = kindOf(bend.features);
  const paints = [];
  if (kind === 'cluster') nodes.push(clusterRow(bend, layer, tell));
  if (kind === 'random') { const [row, paint] = randomRow(live, address); nodes.push(row); paints.push(paint); }
  if (kind === 'list') nodes.push(listRow(bend, count, tell));
  return {nodes, paint: () => { choice.mark(kindOf(live().features)); paints.forEach((paint) => paint()); }};
}

function clusterRow(bend, layer, tell) {
  const chosen = new Set(bend.features.split(' ').slice(1).join(',').split(','));
  const toggle = (id) => { if (chosen.has(id)) chosen.delete(id); else chosen.add(id); if (chosen.size) tell(`cluster ${[...chosen].sort((a, b) => a - b).join(',')}`); };
  return h('div.picks', {role: 'group', 'aria-label': 'Clusters'}, ...layer.clusters.map(({id, label}) =>
    h('button.btn', {'aria-pressed': chosen.has(String(id)), onclick: () => toggle(String(id))}, h('span', {text: `${id} ${label}`}))));
}

function listRow(bend, count, tell) {
  const field = h('input.field', {type: 'text', 'aria-label': `Features: a range "0 9", or numbers "3,5,8", of 0 to ${count - 1}`, value: bend.features.split(' ').slice(1).join(' ')});
  const done = () => { const text = field.value.trim(); tell(/^\d+\s+\d+$/.test(text) ? `range ${text.replace(/\s+/, ' ')}` : `indices ${text.split(/[\s,]+/).join(',')}`); };
  field.addEventListener('change', done);
  field.addEventListener('keydown', (event) => event.stopPropagation());
  return h('div.feat', {}, h('span.k', {text: 'which'}), field);
}

function randomRow(live, address) {
  const fraction = () => Number(live().features.split(' ')[1] ?? 0.25);
  const seed = () => live().features.split(' ')[2];
  const own = Boolean(store.hello.random_seed);
  const spec = {label: 'fraction', address, range: {min: 0, max: 1, default: 0.25}, percent: true, read: fraction};
  const row = slider(spec);
  row.querySelector('[role=slider]').dataset.kind = 'fraction';
  const number = h('b.seed');
  row.classList.add('random');
  row.append(h('span.out.seedwords', {}, 'seed ', number), h('button.btn.dice', {'aria-label': 'New seed', 'data-act': 'dice', onclick: () => dice(live())}, icon('dice')));
  const paint = () => { row.paint(); number.textContent = (own && seed()) || value('/audiobend/seed', 0); };
  paint();
  return [row, paint];
}

/** Draw other features: a new seed for the bend, or for the patch where the engine knows only that. */
export function dice(bend) {
  const seed = Math.floor(Math.random() * 1000);
  const [kind, fraction] = (bend?.features ?? '').split(' ');
  if (store.hello.random_seed && kind === 'random') tellEngine([addressOf(bend.id, 'features'), `random ${fraction} ${seed}`]);
  else tellEngine(['/audiobend/seed', seed]);
}
