// Settings: devices, this browser's sound, model, latency, controllers, look.

import {h, icon, radios} from './dom.js';
import {tellEngine} from './engine.js';
import {forget, mappings, midiInputs} from './learn.js';
import {mic, startMic, stopMic} from './mic.js';
import {keep, paints, recalled, store, touch, value} from './store.js';
import {closeSheet, openSheet} from './sheet.js';
import {chooseMap, chooseTheme, theme} from './theme.js';
import {speak} from './speak.js';

let parts = null;

export function makeSettings() {
  paints('learning', () => parts?.controllers.replaceChildren(...controllers()));
  paints('hello input values', () => {
    const wanted = JSON.stringify([store.hello.devices, store.hello.input, store.hello.profiles, ...['input', 'output', 'profile'].map((name) => value(`/audiobend/${name}`))]);
    if (!parts || wanted === parts.wanted) return;
    parts.wanted = wanted;
    parts.sound.replaceChildren(...sound());
    parts.latency.replaceChildren(profiles());
  });
  paints('mic input', () => parts?.mic.replaceChildren(...browser()));
}

export function openSettings() {
  devices();
  parts = {sound: h('div', {}, ...sound()), latency: h('div', {}, profiles()), controllers: h('div', {}, ...controllers()), mic: h('div', {}, ...browser())};
  const body = h('div.sc', {}, h('h3', {text: 'Sound'}), parts.sound, parts.mic, h('h3', {text: 'Model'}), model(), h('h3', {text: 'Latency'}), parts.latency,
    h('h3', {text: 'Controllers'}), parts.controllers, h('h3', {text: 'Scenes'}), ramp(), h('h3', {text: 'Look'}), ...look());
  openSheet('settings', 'Settings', body, null, () => { parts = null; });
}

/** Which sound cards there are: asked for when the settings are opened. */
async function devices() {
  const answer = await fetch('/api/devices').catch(() => null);
  const found = answer?.ok ? await answer.json() : null;
  if (!found) return;
  const names = (direction) => [...new Set(found.devices.filter((one) => one[direction] && (!found.host || one.host === found.host)).map((one) => one.name))];
  store.hello.devices = {...store.hello.devices, inputs: names('inputs'), outputs: names('outputs')};
  store.hello.profiles = found.profiles;
  touch('input');
}

const set = (words, node) => h('div.set', {}, h('span', {text: words}), node);

function choice(label, options, now, address) {
  const list = options?.length ? options : [now || 'as started'];
  const field = h('select.field', {'aria-label': label, onchange: () => tellEngine([address, field.value])}, ...list.map((name) => h('option', {value: name, text: name})));
  field.value = now;
  field.disabled = !options?.length || !store.table.has(address.replace('/audiobend', ''));
  return field;
}

function sound() {
  const {devices = {}, input} = store.hello;
  const back = h('button.btn.ghost', {'data-act': 'back-to-card', onclick: backToCard}, 'Stop');
  const file = input && input.kind === 'file' ? [set('plays', h('div.field.with', {}, h('span', {text: input.name}), back))] : [];
  const card = (label, list, now, address) => choice(label, list, value(address, now) || now, address);
  return [...file, set('In', card('Input', devices.inputs, devices.input, '/audiobend/input')), set('Out', card('Output', devices.outputs, devices.output, '/audiobend/output'))];
}

/** Listen to the card, or to the browser, again. */
async function backToCard() {
  closeSheet();
  const answer = await fetch('/api/input?kind=card', {method: 'POST'}).catch(() => null);
  speak(answer?.ok ? 'The file has stopped' : 'The file could not be stopped');
}

function browser() {
  const button = h('button.btn', {'data-act': 'mic', 'aria-pressed': mic.on, onclick: () => (mic.on ? stopMic() : startMic())}, mic.on ? 'Stop this browser\u2019s microphone' : 'Use this browser\u2019s microphone and loudspeaker');
  button.disabled = !mic.on && !store.hello.browser_audio;
  const words = button.disabled ? 'audiobend live --browser takes this browser\u2019s sound.' : mic.on ? `${mic.underruns} gaps in ${Math.round(mic.frames / (store.hello.sample_rate ?? 44100))} s` : 'No sound card is needed. Wear headphones.';
  return [button, h('p.note', {'data-mic': '', 'data-underruns': mic.underruns, 'data-frames': mic.frames, text: words})];
}

const model = () => set('Network', choice('Network', store.hello.models, store.hello.name, '/audiobend/model/load'));

function profiles() {
  const {profiles: list = []} = store.hello;
  const profile = value('/audiobend/profile', store.hello.profile) || store.hello.profile;
  const can = store.table.has('/profile');
  if (!list.length) return h('p.note', {text: profile ? `${profile}, as started. audiobend live --latency low, balanced or studio.` : 'As started.'});
  const group = h('div.prof', {role: 'radiogroup', 'aria-label': 'Latency profile'});
  for (const {name, ms, load} of list) {
    const one = h('button', {role: 'radio', 'aria-checked': name === profile, 'data-profile': name, onclick: () => { tellEngine(['/audiobend/profile', name]); speak(`${name} latency: the engine begins anew`); }},
      h('b', {}, String(Math.round(ms)), h('small', {text: ' ms'})), h('span', {text: name}), load ? h('span', {text: `${Math.round(100 * load)} % load`}) : null);
    one.disabled = !can && name !== profile;
    group.append(one);
  }
  return group;
}

function controllers() {
  const {osc = {}} = store.hello;
  const place = osc.port ? `${osc.host ?? '127.0.0.1'}:${osc.port}` : 'off';
  const copy = h('button.field', {'aria-label': `Copy ${place}`, onclick: () => navigator.clipboard?.writeText(place)}, h('code', {text: place}), icon('copy'));
  const names = midiInputs();
  const rows = mappings().map(({address, from}) => h('div.maprow', {}, h('code', {text: address.replace('/audiobend', '')}), h('em', {text: from.replace(/^midi |^osc /, '').replace(/ ch 1$/, '')}),
    h('button.btn.ghost', {'aria-label': `Forget ${address}`, onclick: () => forget(address)}, icon('x'))));
  return [set('OSC', copy), set('MIDI', h('div.field', {}, h('span', {text: names.join(', ') || (navigator.requestMIDIAccess ? 'none heard yet' : 'this browser has none')}))), ...rows,
    h('p.note', {}, 'Focus any control, press ', h('kbd', {text: 'L'}), ', then move the knob.')];
}

function ramp() {
  const field = h('select.field', {'aria-label': 'Seconds to reach a scene', onchange: () => keep('ramp', Number(field.value))}, ...[0, 0.5, 1, 2, 4, 8, 16].map((n) => h('option', {value: n, text: n ? `${n} s` : 'at once'})));
  field.value = recalled('ramp', 0.5);
  return set('reached in', field);
}

function look() {
  const cap = (name) => [name[0].toUpperCase() + name.slice(1)];
  return [set('Theme', radios('Theme', ['system', 'dark', 'light'], recalled('theme', 'system'), chooseTheme, cap)), set('Spectrogram', radios('Spectrogram colours', ['bend', 'viridis', 'magma', 'grey'], theme.map, chooseMap, cap))];
}

