// Recordings of what is played: begin and end one, how long it is, and the list to download from.

import {$, $$, attr, h, icon, say} from './dom.js';
import {tellEngine} from './engine.js';
import {clock, megabytes} from './numbers.js';
import {paints, store, value} from './store.js';
import {closeSheet} from './sheet.js';
import {speak} from './speak.js';

let known = null;

export function makeRecordings() {
  paints('hello recording status', paint);
  paints('hello recording', announce);
  for (const button of $$('[data-act=record]')) button.addEventListener('click', recordSound);
}

const recording = () => value('/audiobend/recording/name', '');

/** Record what is played, or end the recording. */
export function recordSound() {
  if (!store.table?.has('/recording/start')) return;
  const on = recording();
  tellEngine(on ? ['/audiobend/recording/stop', 1] : ['/audiobend/recording/start']);
  speak(on ? 'The recording has ended' : 'Recording what is played');
}

function paint() {
  const name = recording();
  document.documentElement.dataset.recording = name ? 'on' : '';
  for (const button of $$('[data-act=record]')) {
    button.hidden = !store.table.has('/recording/start');
    attr(button, 'aria-pressed', Boolean(name));
    attr(button, 'title', name ? `${name}: end it` : 'Record what is played');
    say($('span', button), name ? clock(store.status.recording_seconds ?? 0) : 'Record');
  }
}

const address = (name) => `/api/recordings/${encodeURIComponent(name)}`;

/** Show each that has become whole while this page is open. */
function announce() {
  const names = store.hello.session.recordings;
  if (!names) return;
  const fresh = known ? names.filter((name) => !known.has(name)) : [];
  known = new Set(names);
  for (const name of fresh) {
    $('[data-recorded]')?.remove();    // it is in the list
    const close = h('button.btn.ghost', {'aria-label': 'Close', onclick: () => node.remove()}, '×');
    const link = h('a.btn', {href: address(name), download: `${name}.wav`}, 'Download');
    const node = h('div.job', {role: 'group', 'aria-label': name, 'data-recorded': name, 'data-state': 'done'}, h('span', {text: `${name} is recorded`}), link, close);
    $('#jobs').append(node);
    speak(`${name} is recorded`);
  }
}

/** The list of recordings, as rows of links; null where there are none. */
export async function recordingsList() {
  const answer = await fetch('/api/recordings').catch(() => null);
  const found = answer?.ok ? await answer.json() : [];
  if (!found.length) return null;
  return h('div.files', {role: 'list', 'aria-label': 'Recordings'}, found.map(({name, seconds, bytes}) =>
    h('div', {role: 'listitem'}, h('a.file', {href: address(name), download: `${name}.wav`, 'data-recording': name, onclick: () => closeSheet()},
      h('b', {text: name}), h('span', {text: `${clock(seconds)} · ${megabytes(bytes)}`}), icon('dl')))));
}
