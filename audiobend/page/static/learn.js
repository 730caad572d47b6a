// Learning: a knob, a pad or an address for any control. WebMIDI here, OSC as the server hears it.

import {hearOsc, slide, tellEngine, panic} from './engine.js';
import {fromShare} from './numbers.js';
import {keep, paints, recalled, store, touch, value} from './store.js';
import {speak} from './speak.js';

let access = null;

export const mappings = () => recalled('mappings', []);

export function makeLearn() {
  paints('heard', heard);
  if (mappings().some((one) => one.from.startsWith('midi'))) openMidi();
  paints('hello', () => { if (mappings().some((one) => one.from.startsWith('osc'))) hearOsc(true); });
}

/** Begin to learn the focused control, or stop. */
export function learn() {
  if (store.learning) return stop('');
  if (!store.focus?.address) return speak('Focus a control first, then learn.');
  store.learning = {...store.focus};
  hearOsc(true);
  openMidi();
  speak('Learning: turn a knob, press a pad or send any address. Escape leaves it as it was.');
  touch('learning');
  return true;
}

export function stop(words = 'Left as it was') {
  if (!store.learning) return false;
  store.learning = null;
  hearOsc(mappings().some((one) => one.from.startsWith('osc')));
  if (words) speak(words);
  touch('learning');
  return true;
}

export function forget(address) {
  keep('mappings', mappings().filter((one) => one.address !== address));
  touch('learning');
}

/** The inputs that MIDI has, by name; empty where there is no WebMIDI. */
export const midiInputs = () => (access ? [...access.inputs.values()].map((input) => input.name) : []);

async function openMidi() {
  if (access || !navigator.requestMIDIAccess) return;
  try {
    access = await navigator.requestMIDIAccess();
    const attach = () => { for (const input of access.inputs.values()) input.onmidimessage = ({data}) => midi(data); touch('learning'); };
    access.onstatechange = attach;
    attach();
  } catch { access = null; }
}

/** A MIDI message as [name, share 0..1]: control changes, notes and pitch bend. */
export function midiEvent([status, first, second = 0]) {
  const channel = (status & 15) + 1;
  const kind = status >> 4;
  if (kind === 11) return [`midi CC ${first} ch ${channel}`, second / 127];
  if (kind === 9 || kind === 8) return [`midi note ${first} ch ${channel}`, kind === 9 && second ? second / 127 : 0];
  if (kind === 14) return [`midi bend ch ${channel}`, ((second << 7) | first) / 16383];
  return null;
}

const midi = (data) => { const event = midiEvent(data); if (event) came(...event); };

let last = 0;
function heard() {
  if (!store.heard || store.heard.at === last) return;
  last = store.heard.at;
  const {address, value: given} = store.heard;
  came(`osc ${address}`, Math.min(1, Math.max(0, Number(given) || 0)));
}

function came(from, share) {
  if (store.learning) {
    const {address, range} = store.learning;
    keep('mappings', [...mappings().filter((one) => one.address !== address && one.from !== from), {address, from, range: range && {min: range.min, max: range.max, whole: range.whole}}]);
    return stop(`Learned: ${from.slice(4)}`);
  }
  for (const one of mappings()) if (one.from === from) play(one, share, from.startsWith('midi note'));
}

function play({address, range}, share, note) {
  if (address === '/audiobend/panic') { if (share > 0) panic(); return; }
  if (/\/on$|\/limiter$|\/bypass$/.test(address)) { if (!note || share > 0) tellEngine([address, note ? 1 - (value(address, 0) ? 1 : 0) : share >= 0.5 ? 1 : 0]); return; }
  if (range) slide(address, fromShare(share, range));
}
