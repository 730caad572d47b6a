// Hands to engine: every command is an address with values, sent at once or once a frame, and shown at once.

import {statusFacts} from './facts.js';
import {openLink} from './link.js';
import {bendTarget} from './table.js';
import {addressOf, canonical, soloed, store, takeHello, takeState, takeValue, touch} from './store.js';
import {alarm, speak} from './speak.js';

const sliding = new Map();
const held = new Map();
const listeners = {columns: [], maps: [], levels: []};
const sent = new Map();
let link;
let panicked = false;

/** Hear frames: 'columns' and 'maps' give what decode made of them. */
export const hear = (kind, listener) => listeners[kind].push(listener);
export const tell = (kind, frame) => listeners[kind].forEach((listener) => listener(frame));

export function openEngine(decode) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  link = openLink(`${scheme}://${location.host}/ws`, {
    up: () => {},
    text: received,
    answer,
    frame: (data) => { const frame = decode(data); if (frame) tell({1: 'columns', 2: 'maps', 3: 'levels'}[frame.kind], frame); },
    lost: (seconds) => lost(seconds),
  });
  document.addEventListener('visibilitychange', look);
}

function lost(seconds) {
  if (store.link !== 'lost') alarm('This page lost the engine. The sound may well go on; only the page is blind.');
  store.link = 'lost';
  store.retry = seconds;
  touch('link');
}

export const retry = () => link.now();

async function received(message) {
  if (message.hello) await greet(message);
  else if (message.model) takeHello({...store.hello, ...message});
  if (message.state && !message.hello && store.hello) takeState(message.state);
  if (message.osc) for (const [address, ...args] of message.osc) remote(address, args);
  if (message.status) { store.status = statusFacts(message.status); touch('status'); }
  if (message.status && store.hello && Math.abs((message.status.latency_ms ?? 0) - store.hello.latency.total_ms) > 0.5) ask();
  if (message.modulated) { store.modulated = message.modulated.map(canonical); store.moving.clear(); touch('bends'); }
  if (message.heard) { store.heard = {address: message.heard[0], value: message.heard[1], from: message.heard[2], at: performance.now()}; touch('heard'); }
  if (message.input && store.hello) { store.hello.input = message.input; touch('input'); }
  if (message.session) { store.hello.session = message.session; touch('scenes', 'take'); }
}

let asked = 0;
/** A page that was open before sound ran learns how late it is once it runs. */
async function ask() {
  if (performance.now() - asked < 3000) return;
  asked = performance.now();
  const answer = await fetch('/api/about').catch(() => null);
  const about = answer?.ok ? await answer.json() : {};
  if (about.latency) takeHello({...store.hello, ...about, session: store.hello.session});
}

async function greet({hello, state}) {
  const back = store.link === 'lost';
  if (!store.table) {
    const {addressTable} = await import('./table.js');
    const document = await (await fetch(hello.table ?? '/api/table')).json();
    store.table = addressTable(document);
  }
  if (!takeHello(hello)) return;
  if (state) takeState(state);
  store.link = 'up';
  touch('link');
  if (panicked) { link.do([['/audiobend/panic', 1]]); panicked = false; }
  look();
  if (back) { store.back = performance.now(); speak('Back. Nothing was lost.'); }
}

function remote(address, args) {
  const key = canonical(address);
  if (held.has(key)) { held.set(key, args); touch('bends', 'values'); }
  else takeValue(address, args);
}

function answer({n, fail, answers}) {
  for (const [address, id] of answers ?? []) if (address === '/audiobend/chain/add') { store.open = id; touch('open'); link.do([[addressOf(id, 'on'), 1]]); }
  for (const [address, , sentence] of fail ?? []) {
    const target = bendTarget(address);
    if (target) store.errors.set(target.id, sentence);
    store.refused = {address, sentence, at: performance.now()};
    alarm(sentence);
    touch('bends', 'heard');
  }
  sent.get(n)?.(fail);
  sent.delete(n);
}

// --- what the page says ---

/** Say something at once. Each command is [address, ...values]. */
export function tellEngine(...commands) {
  if (store.link !== 'up') return;
  flush();
  link.do(commands);
  for (const [address, ...args] of commands) if (isValue(address)) takeValue(address, args);
}

const isValue = (address) => {
  if (bendTarget(address)) return true;
  return !/\/(panic|undo|redo|scene\/(save|delete|rename|morph|pad)|take\/(start|stop|play|halt)|recording\/(start|stop)|macro\/\d+\/(un)?bind|chain\/(add|remove)|model\/load)$/.test(address);
};

/** Say a value that a hand is turning: the last of a frame is sent. */
export function slide(address, value) {
  if (store.link !== 'up') return;
  sliding.set(address, [value].flat());
  if (isValue(address)) takeValue(address, [value].flat());
}

export function flush() {
  if (!sliding.size) return;
  link.do([...sliding].map(([address, args]) => [address, ...args]));
  sliding.clear();
}

/** While a pointer holds a control, what others do to it waits; last hand wins. */
export const hold = (address) => held.set(canonical(address), null);
export const release = (address) => { flush(); held.delete(canonical(address)); touch('bends', 'values'); };
export const ghost = (address) => held.get(canonical(address))?.[0];

/** Hear a bend alone, or with the others again. */
export function solo(id) {
  const now = soloed();
  tellEngine(['/audiobend/solo', (now.includes(id) ? now.filter((one) => one !== id) : [...now, id]).join(' ')]);
}

/** Hear what a bend alone changes, or everything again. */
export function alone(id) {
  const on = isAlone(id);
  tellEngine(['/audiobend/solo', on ? '' : id], ['/audiobend/difference', on ? 0 : 1]);
}
export const isAlone = (id) => store.listen === 'difference' && soloed().join() === id;

export function panic() {
  const off = store.bends.filter((bend) => bend.on).map((bend) => [addressOf(bend.id, 'on'), 0]);
  if (store.link !== 'up') { panicked = true; speak('Panic waits for the engine.'); return; }
  tellEngine(['/audiobend/panic', 1], ...off);
  takeValue('/audiobend/bypass', [1]);
  store.panicked = true;
  speak('Panic: every bend is off. Undo brings them back.');
}

export function undo(back = true) {
  const commands = [[back ? '/audiobend/undo' : '/audiobend/redo', 1]];
  if (back && store.panicked) commands.push(['/audiobend/bypass', 0]);
  store.panicked = false;
  tellEngine(...commands);
  speak(back ? 'Undone' : 'Done again');
}

export function listenTo(name) {
  const commands = [['/audiobend/bypass', name === 'dry' ? 1 : 0]];
  if (store.table.has('/difference')) commands.push(['/audiobend/difference', name === 'difference' ? 1 : 0]);
  tellEngine(...commands);
  speak(`Listening: ${name}`);
}

let visible = [];
/** Tell the server what is looked at: spectra, and the maps of these cells. */
export function look(cells) {
  if (Array.isArray(cells)) visible = cells;
  link.say({see: document.hidden ? null : {spectra: true, bands: 128, maps: visible}});
}
export const hearOsc = (on) => link.say({learn: on});
