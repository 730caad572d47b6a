// What the page knows. One object; parts that paint name the topics they depend on and run once a frame.

import {helloFacts, sceneFacts} from './facts.js';
import {bendAddress, bendTarget, placeId} from './table.js';

const PARAMS = new Set(['on', 'mix', 'features', 'layer']);
const kept = JSON.parse(localStorage.getItem('audiobend') ?? '{}');

export const store = {
  hello: null, table: null, bends: [], values: new Map(), status: {}, link: 'wait', late: {count: null, at: -1e9},
  transform: 'erode', focus: null, open: null, listen: 'bent', learning: null, heard: null, moving: new Map(),
  errors: new Map(), frozen: false, take: null, canRecord: true, kept,
};

const painters = [];
const dirty = new Set();

/** Run paint in the next frame after any of the topics was touched; and once the first hello is there. */
export function paints(topics, paint) {
  painters.push([new Set(topics.split(' ')), paint]);
}

export function touch(...topics) {
  for (const topic of topics) dirty.add(topic);
}

/** Run the painters whose topics were touched. Called by the loop alone. */
export function repaint() {
  if (!dirty.size || !store.hello) return;
  const topics = new Set(dirty);
  dirty.clear();
  for (const [wanted, paint] of painters) if (topics.has('hello') || overlaps(wanted, topics)) paint(topics);
}

function overlaps(wanted, topics) {
  for (const topic of topics) if (wanted.has(topic)) return true;
  return false;
}

/** Keep a choice of this browser: theme, corners, mappings. */
export function keep(name, value) {
  kept[name] = value;
  localStorage.setItem('audiobend', JSON.stringify(kept));
}

// --- what the engine said ---

export function takeHello(raw) {
  const hello = helloFacts(raw);
  if (!hello.layers.length) return false;
  store.hello = {...hello, session: {...hello.session, scenes: sceneFacts(hello.session.scenes ?? store.hello?.session.scenes), takes: hello.session.takes ?? store.hello?.session.takes ?? [], recordings: hello.session.recordings ?? store.hello?.session.recordings}};
  store.axes = hello.axes;
  store.layers = hello.layers;
  store.transforms = new Map(hello.transforms.map((one) => [one.name, one]));
  if (!store.transforms.has(store.transform)) store.transform = hello.transforms[0].name;
  touch('hello');
  return true;
}

export function takeState(state) {
  store.values = new Map(Object.entries(state.addresses).map(([address, args]) => [canonical(address), args]));
  for (const [address, given] of [['undo/count', state.undo], ['redo/count', state.redo], ['take/name', state.take]])
    if (given !== undefined) store.values.set(`/audiobend/${address}`, [given]);
  if (state.scenes) store.hello.session.scenes = sceneFacts(state.scenes);
  if (state.takes) store.hello.session.takes = state.takes;
  store.canRecord = state.can_record ?? true;
  if (state.recordings) store.hello.session.recordings = state.recordings;
  const byId = new Map(state.bends.map((bend) => [bend.id, bend]));
  const order = state.order ?? [...byId.keys()];
  store.bends = order.map((id) => byId.get(id)).filter(Boolean).map(tidy);
  store.listen = listening();
  touch('bends', 'values', 'scenes', 'take', 'recording');
}

const tidy = (bend) => ({...bend, layer: String(bend.layer), features: featuresText(bend.features), on: Boolean(bend.on), params: {...bend.params}});
const featuresText = (features) => (typeof features === 'string' ? features : 'all');

/** Take one value as the engine, or this page's own hand, has it. */
export function takeValue(address, args) {
  const target = bendTarget(address);
  if (target && !target.name.includes('/lfo')) return takeBend(target, args);
  store.values.set(canonical(address), args);
  if (address === '/audiobend/bypass' || address === '/audiobend/difference') store.listen = listening();
  if (address === '/audiobend/chain/order') reorder(String(args[0]).split(' '));
  touch('values', ...(/\/lfo|\/solo|\/difference|\/chain\//.test(address) ? ['bends'] : []), ...(address.includes('/scene/') ? ['scenes'] : []), ...(address.includes('/take/') ? ['take'] : []), ...(address.includes('/recording/') ? ['recording'] : []));
}

const reorder = (ids) => { store.bends = [...store.bends].sort((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id)); };

/** The bends that alone are heard; none where all are. */
export const soloed = () => String(value('/audiobend/solo', '')).split(' ').filter(Boolean);

function takeBend({id, name, place}, args) {
  let bend = bendOf(id);
  if (!bend && place) store.bends.push((bend = newBend(id, place)));
  if (!bend || name.endsWith('/norm')) return;
  if (!PARAMS.has(name)) bend.params[name] = args[0];
  else bend[name] = name === 'on' ? Boolean(args[0]) : String(args[0]);
  if (name === 'mix') bend.mix = Number(args[0]);
  store.errors.delete(id);
  touch('bends');
}

function newBend(id, {layer, features, transform}) {
  const params = Object.fromEntries(store.transforms.get(transform).params.map((param) => [param.name, param.default]));
  return {id, layer, features, transform, params, mix: 1, on: false};
}

/** One address for one thing: bends by their id. */
export function canonical(address) {
  const target = bendTarget(address);
  return target ? `/audiobend/bend/${target.id}/${target.name}` : address;
}

function listening() {
  const on = (path) => Boolean(store.values.get(path)?.[0]);
  return on('/audiobend/bypass') ? 'dry' : on('/audiobend/difference') ? 'difference' : 'bent';
}

// --- looking things up ---

export const value = (address, fallback) => store.values.get(canonical(address))?.[0] ?? fallback;
export const bendOf = (id) => store.bends.find((bend) => bend.id === id);
export const transformOf = (bend) => store.transforms.get(bend.transform);
export const layerOf = (name) => store.layers.find((layer) => layer.name === name);

/** The parameter that a drag turns, as {name, min, max, default, unit, whole}; a bend without any has its mix. */
export function strengthOf(transform) {
  const entry = store.transforms.get(transform);
  const param = entry.params.find((one) => one.name === entry.strength) ?? entry.params[0];
  return param ? ranged(param) : {name: 'mix', min: 0, max: 1, default: 1, unit: '', whole: false};
}

export const ranged = (param) => ({...param, whole: param.whole ?? ['i', 'int', 'whole'].includes(param.kind)});
export const amount = (bend, name) => (name === 'mix' ? bend.mix : bend.params[name]);

/** The movement of a number: [shape, rate, depth, phase]; null where nothing moves it. */
export function movement(id, name) {
  const lfo = store.values.get(`/audiobend/bend/${id}/${name}/lfo`);
  return lfo && lfo[0] !== 'off' ? lfo : null;
}

/** Bends that light a cell (cluster: a number as text) or, with 'all', those of the whole row. */
export function bendsAt(layer, cluster) {
  return store.bends.filter((bend) => {
    if (bend.layer !== layer) return false;
    const [kind, ids] = bend.features.split(' ');
    return cluster === 'all' ? kind !== 'cluster' : kind === 'cluster' && ids.split(',').includes(cluster);
  });
}

/** What a cell shows: the bend of the chosen transform if it is on, else any other that is on. */
export function shownAt(layer, cluster) {
  const on = bendsAt(layer, cluster).filter((bend) => bend.on);
  return on.find((bend) => bend.transform === store.transform) ?? on[0] ?? null;
}

export const addressOf = bendAddress;
export {placeId};

/** What this browser keeps under a name. */
export const recalled = (name, fallback) => kept[name] ?? fallback;
