// The grid: rows are layers, columns clusters. What is on, how strong, what moves, what the network does there.

import {drawMap, haveMaps, keepMaps} from './cellmap.js';
import {$, $$, attr, glyph, h, say} from './dom.js';
import {hear, look} from './engine.js';
import {makeHands} from './hands.js';
import {makeLatent} from './latent.js';
import {draws} from './loop.js';
import {shown, toShare} from './numbers.js';
import {amount, bendsAt, layerOf, movement, paints, shownAt, store, strengthOf, touch} from './store.js';
import {hueOf, theme} from './theme.js';
import {cellName, shortLabel} from './words.js';

let cellList = [];

export function makeGrid() {
  paints('hello expand', build);
  paints('hello expand bends transform values link learning', paintAll);
  paints('theme', () => cellList.forEach(drawMap));
  hear('maps', keepMaps);
  hear('levels', (frame) => { (store.modulated ?? []).forEach((address, i) => store.moving.set(address, frame.values[i])); });
  makeHands($('#grid'));
  draws(5, () => { if (fresh()) cellList.forEach(drawMap); });
  draws(2, tick);
  addEventListener('resize', () => setTimeout(lookAtVisible, 200));
}

const fresh = () => haveMaps() && store.link !== 'lost' && !theme.reduced && document.documentElement.dataset.overlay !== 'drop';
export const lookAtVisible = () => look(cellList.filter((cell) => cell.cluster !== 'all' && cell.node.offsetParent).map((cell) => cell.key));

// --- building ---

function build() {
  cellList = [];
  const layers = store.layers.filter((layer) => layer.clusters.length);
  const long = layers.some((layer) => layer.clusters.some((cluster) => shortLabel(cluster.label).length > 30));
  $('#grid').classList.toggle('long', long);
  $('#grid').replaceChildren(front(), ...layers.map(row));
  const first = cellList.find((cell) => cell.cluster !== 'all') ?? cellList[0];
  if (first) first.node.tabIndex = 0;
  lookAtVisible();
}

function row(layer) {
  const head = h('button.rowhead', {tabindex: -1, 'data-cell': `${layer.name}/all`, 'data-row': layer.name, 'data-hue': hueOf(layer.name)},
    h('span.no', {text: layer.name}), h('span.dim', {}, ...(layer.title ? [layer.title, h('br')] : []), `${layer.features} features`), h('span.rv'));
  cellList.push({key: `${layer.name}/all`, layer: layer.name, cluster: 'all', node: head});
  return h('div.row', {role: 'row'}, h('span.gc', {role: 'rowheader'}, head), ...layer.clusters.map((cluster) => clusterCell(layer, cluster)));
}

function clusterCell(layer, cluster) {
  const key = `${layer.name}/${cluster.id}`;
  const dead = cluster.dead || /^dead\b/.test(cluster.label);
  const node = h(`button.cell${dead ? '.dead' : ''}`, {tabindex: -1, title: cluster.label, 'data-cell': key, 'data-hue': hueOf(layer.name)},
    h('canvas.map', {width: 8, height: 8}), h('i.lev'), h('i.mod', {}, h('b')), h('span.n', {text: cluster.id}), h('span.val'), h('span.lab', {}, h('span', {text: shortLabel(cluster.label)})));
  cellList.push({key, layer: layer.name, cluster: String(cluster.id), node, entry: cluster});
  return h('span.gc', {role: 'gridcell'}, node);
}

/** The row before the decoder: the encoder's layers and the latent code. */
function front() {
  const open = store.expanded;
  const encoder = store.layers.filter((layer) => layer.name.startsWith('e'));
  const toggle = (name) => () => { store.expanded = store.expanded === name ? null : name; touch('expand'); };
  const head = h('button.rowhead', {tabindex: -1, 'data-hue': 'he', 'aria-label': 'Encoder and latent code', onclick: toggle(open ?? 'e')}, h('span.no', {text: open ? '← back' : 'e → z'}));
  const parts = [];
  if (open !== 'z' && encoder.length)
    parts.push(open === 'e' ? h('span.minis', {}, ...encoder.map(mini))
      : h('span.gc', {role: 'gridcell'}, h('button.strip.e', {tabindex: -1, 'data-strip': 'e', 'aria-expanded': false, onclick: toggle('e')}, encoderBars(encoder), h('b', {text: `e1–e${encoder.length}`}), h('span', {text: encoderWords(encoder)}))));
  if (open !== 'e') parts.push(h('span.gc', {role: 'gridcell'}, makeLatent(open === 'z', toggle('z'))));
  return h('div.pre', {role: 'row'}, h('span.gc', {role: 'rowheader'}, head), ...parts);
}

const encoderWords = (encoder) => {
  const on = encoder.reduce((sum, layer) => sum + bendsAt(layer.name, 'all').filter((bend) => bend.on).length, 0);
  return on ? `encoder, ${on} ${on === 1 ? 'bend' : 'bends'} on` : 'encoder, straight through';
};

function encoderBars(encoder) {
  return h('span.enc', {'aria-hidden': 'true'}, ...encoder.map((_, i) => { const bar = h('i'); Object.assign(bar.style, {height: `${22 - 3.700 * i}px`, width: `${5 + 3 * i}px`}); return bar; }));
}

function mini(layer) {
  const node = h('button.cell.mini', {tabindex: -1, 'data-cell': `${layer.name}/all`, 'data-hue': 'he'}, h('span.val'), h('span.lab', {}, h('span', {text: layer.name})));
  cellList.push({key: `${layer.name}/all`, layer: layer.name, cluster: 'all', node, entry: {id: 'all', label: 'all', features: layer.features}});
  return h('span.gc', {role: 'gridcell'}, node);
}

// --- painting what is on ---

function paintAll() {
  cellList.forEach(paintCell);
  const encoder = store.layers.filter((layer) => layer.name.startsWith('e'));
  const words = $('[data-strip=e] span:last-child');
  if (words) say(words, encoderWords(encoder));
}

function paintCell(cell) {
  const {node, layer, cluster} = cell;
  const bend = shownAt(layer, cluster);
  const chosen = bend?.transform === store.transform;
  cell.bend = bend;
  cell.moves = bend ? movement(bend.id, strengthOf(bend.transform).name) : null;
  cell.key_ = bend ? `/audiobend/bend/${bend.id}/${strengthOf(bend.transform).name}` : '';
  const failed = store.bends.find((one) => one.layer === layer && store.errors.has(one.id) && bendsAt(layer, cluster).includes(one));
  const learning = store.learning?.cell === cell.key;
  node.classList.toggle('on', Boolean(bend) && chosen);
  node.classList.toggle('other', Boolean(bend) && !chosen);
  node.classList.toggle('modded', Boolean(cell.moves));
  node.classList.toggle('ticking', Boolean(cell.moves) && store.moving.has(cell.key_));
  node.classList.toggle('learning', learning);
  node.classList.toggle('error', Boolean(failed));
  attr(node, 'aria-pressed', Boolean(bend));
  if (node.classList.contains('rowhead')) paintHead(cell, bend);
  else {
    const text = bend ? strengthText(bend) : '';
    const mark = bend ? `${bend.transform} ${text}` : '';
    const value = $('.val', node);
    if (node.dataset.mark !== mark) { node.dataset.mark = mark; value.replaceChildren(...(bend ? [glyph(bend.transform, 14), h('span.num', {text})] : [])); }
    if (cell.entry && !node.classList.contains('mini')) say($('.lab span', node), learning ? 'turn a knob' : failed ? `! ${store.errors.get(failed.id)}` : shortLabel(cell.entry.label));
    attr(node, 'aria-label', cellName(layerOf(layer), cell.entry, bend, bend ? `${text}${cell.moves ? ', moving' : ''}` : ''));
    if (!node.classList.contains('mini')) paintLines(cell, bend);
  }
  if (cell.cluster !== 'all') drawMap(cell);
}

function paintHead({node, layer}, bend) {
  const text = bend ? headText(bend) : '';
  const mark = bend ? `${bend.transform} ${text}` : '';
  if (node.dataset.mark !== mark) { node.dataset.mark = mark; $('.rv', node).replaceChildren(...(bend ? [glyph(bend.transform, 14), text] : [])); }
  attr(node, 'aria-label', `Layer ${layer}, all ${layerOf(layer).features} features: ${bend ? `${bend.transform} ${text}` : 'not bent'}`);
}

const headText = (bend) => (bend.features.startsWith('random') ? `${Math.round(100 * Number(bend.features.split(' ')[1]))} %` : strengthText(bend) || 'all');

/** The strength of a bend as it stands on its cell. */
export function strengthText(bend, moved) {
  const param = strengthOf(bend.transform);
  const value = moved ?? amount(bend, param.name);
  if (param.name === 'mix') return bend.mix < 0.995 ? `${Math.round(100 * bend.mix)}\u00a0%` : '';
  return shown(value, param, moved !== undefined) + (param.unit === 'degrees' ? '°' : '');
}

const height = (share) => `calc(var(--lab) + (100% - var(--lab)) * ${share.toFixed(4)})`;

function paintLines(cell, bend) {
  const {node, moves} = cell;
  if (!bend) return;
  const param = strengthOf(bend.transform);
  const value = amount(bend, param.name);
  $('.lev', node).style.bottom = height(toShare(value, param));
  if (!moves) return;
  const depth = Math.abs(moves[2]);
  const [low, high] = [toShare(value - depth, param), toShare(value + depth, param)];
  cell.range = [low, high];
  Object.assign($('.mod', node).style, {bottom: height(low), height: `calc((100% - var(--lab)) * ${(high - low).toFixed(4)})`});
}

/** Ticks follow what moves: two times thirty a second, by transform, and numbers only where their text changes. */
function tick() {
  if (theme.reduced || store.link === 'lost') return;
  for (const cell of cellList) {
    if (!cell.moves || !cell.bend || !store.moving.has(cell.key_) || !cell.range) continue;
    const param = strengthOf(cell.bend.transform);
    const value = store.moving.get(cell.key_);
    const share = toShare(value, param);
    cell.now = share;
    cell.node.classList.add('ticking');
    const [low, high] = cell.range;
    const inside = high > low ? (share - low) / (high - low) : 0;
    $('.mod b', cell.node).style.bottom = `calc(${(100 * inside).toFixed(1)}% - 2px)`;
    $('.lev', cell.node).style.bottom = height(share);
    const number = $('.num', cell.node);
    if (number) say(number, strengthText(cell.bend, value));
  }
}

/** The cell that a key in the grid leads to. */
export function neighbour(node, key) {
  const rows = $$('[role=row]', $('#grid')).map((one) => $$('[data-cell],[data-strip]', one).filter((stop) => stop.offsetParent)).filter((one) => one.length);
  const y = rows.findIndex((one) => one.includes(node));
  const x = rows[y]?.indexOf(node) ?? -1;
  const across = {ArrowRight: 1, ArrowLeft: -1}[key] ?? 0;
  const down = {ArrowDown: 1, ArrowUp: -1}[key] ?? 0;
  const next = rows[y + down];
  return next && next[down ? Math.min(x, next.length - 1) : x + across];
}
