// Takes: record, see as a timeline, replay, render, download.

import {$, $$, attr, h, icon, say} from './dom.js';
import {tellEngine} from './engine.js';
import {watchJob} from './jobs.js';
import {draws} from './loop.js';
import {clock} from './numbers.js';
import {recordingsList} from './recordings.js';
import {paints, store, value} from './store.js';
import {closeSheet, openSheet} from './sheet.js';
import {speak} from './speak.js';
import {drawTimeline} from './timeline.js';

let chosen = null;
let timeline = null;
let playing = null;
let drawn = '';
let latest = '';

export function makeTake() {
  paints('hello take', list);
  paints('hello take', follow);
  paints('hello theme view', () => { drawn = ''; draw(); });
  for (const button of $$('[data-act=take]')) button.addEventListener('click', record);
  $('#takes').addEventListener('change', (event) => load(event.target.value));
  $('[data-act=play-take]').addEventListener('click', play);
  $('[data-act=render-take]').addEventListener('click', render);
  $('[data-act=download]').addEventListener('click', downloads);
  new ResizeObserver(() => { drawn = ''; draw(); }).observe($('#timeline').parentNode);
  draws(6, playhead);
}

const takes = () => (store.hello?.session.takes ?? []).map((one) => (typeof one === 'string' ? {name: one} : one));

export function record() {
  const name = value('/audiobend/take/name', '');
  tellEngine([name ? '/audiobend/take/stop' : '/audiobend/take/start', ...(name ? [1] : [])]);
  speak(name ? 'Take ended' : 'Recording a take');
}

function list() {
  document.documentElement.dataset.records = store.canRecord ? 'here' : 'elsewhere';
  const names = takes().map((one) => one.name);
  const recording = value('/audiobend/take/name', '');
  const select = $('#takes');
  const wanted = [...names];
  if (wanted.join('\n') !== select.dataset.names) {
    select.dataset.names = wanted.join('\n');
    select.replaceChildren(...wanted.map((name) => h('option', {value: name, text: name})));
  }
  if (names.length && !recording && latest !== names.join('\n')) {
    latest = names.join('\n');
    load(names[names.length - 1]);
  }
  select.hidden = !names.length;
  $('#take-title').hidden = names.length > 0;
  for (const act of ['play-take', 'render-take']) $(`[data-act=${act}]`).disabled = !chosen || (act === 'play-take' && !store.table.has('/take/play'));
  if (!names.length) { say($('#take-about'), store.canRecord ? 'Press Take, then play.' : 'The host records what is played here.'); draw(); }
}

const AGAIN = 300, TRIES = 10;

/** Show a take; one that has only just ended is read again until all of it is on the disk. */
async function load(name, tries = TRIES) {
  if (name !== chosen) timeline = null;
  chosen = name;
  $('#takes').value = name;
  try {
    const answer = await fetch(`/api/takes/${encodeURIComponent(name)}/timeline`);
    if (answer.ok && chosen === name) timeline = await answer.json();
  } catch { timeline = null; }
  const about = takes().find((one) => one.name === name) ?? {};
  const moves = about.moves ?? timeline?.moves;
  $('#take-about').replaceChildren(clock(about.seconds ?? timeline?.seconds ?? 0), ...(moves === undefined ? [] : [h('s', {text: ` · ${moves} moves`})]));
  for (const act of ['play-take', 'render-take']) $(`[data-act=${act}]`).disabled = act === 'play-take' && !store.table.has('/take/play');
  if (timeline && !timeline.is_whole && tries > 0) setTimeout(() => { if (chosen === name) load(name, tries - 1); }, AGAIN);
  drawn = '';
  draw();
}

// --- the picture ---

function draw() {
  const canvas = $('#timeline');
  const box = canvas.parentNode.getBoundingClientRect();
  const key = `${box.width}x${box.height} ${chosen} ${Boolean(timeline)}`;
  if (!box.width || key === drawn) return;
  drawn = key;
  drawTimeline(canvas, chosen, timeline);
}

// --- replay ---

const replayed = () => value('/audiobend/take/playing', '');

/** Follow what is replayed, whoever began it. */
function follow() {
  const name = replayed();
  if ((playing?.name ?? '') === name) return;
  playing = name ? {name, start: performance.now()} : null;
  if (name && name !== chosen) load(name);
  $('[data-act=play-take]').replaceChildren(icon(name ? 'stop' : 'play'));
  attr($('[data-act=play-take]'), 'aria-label', name ? 'Stop the replay' : 'Replay take');
  attr($('[data-act=play-take]'), 'aria-pressed', Boolean(name));
}

function playhead(now) {
  const head = $('#playhead');
  const at = playing ? (now - playing.start) / 1000 : -1;
  head.hidden = !playing || !timeline || at > timeline.seconds;
  if (head.hidden) return;
  head.style.transform = `translateX(${((at / timeline.seconds) * $('#timeline').width).toFixed(1)}px)`;
  say($('b', head), clock(at));
}

function play() {
  const name = replayed();
  tellEngine(name ? ['/audiobend/take/halt', 1] : ['/audiobend/take/play', chosen]);
  speak(name ? 'The replay has stopped' : `Replaying ${chosen}`);
}

async function render() {
  const answer = await fetch(`/api/takes/${encodeURIComponent(chosen)}/render`, {method: 'POST'});
  if (!answer.ok) return speak(`${chosen} cannot be rendered`);
  watchJob((await answer.json()).job, `Render ${chosen}`);
}

async function downloads() {
  const [answer, recordings] = await Promise.all([fetch('/api/jobs').catch(() => null), recordingsList()]);
  const sounds = (answer?.ok ? await answer.json() : []).filter((job) => job.state === 'done');
  const link = (words, about, href, name) => h('a.file', {href, download: name, onclick: () => closeSheet()}, h('b', {text: words}), h('span', {text: about}), icon('dl'));
  openSheet('downloads', 'Download', h('div.sc', {},
    h('h3', {text: 'What sounds'}), link('Patch', 'as it sounds now', '/api/patch', 'patch.yaml'),
    chosen ? link(chosen, 'the take: its gestures', `/api/takes/${encodeURIComponent(chosen)}`, `${chosen}.jsonl`) : null,
    h('h3', {text: 'Recordings'}), recordings ?? h('p.note', {text: 'None yet. Press Record: what is played is kept until you press it again.'}),
    h('h3', {text: 'Rendered'}), ...sounds.map(({name, result}) => link(name, '', result, name)),
    sounds.length ? null : h('p.note', {text: 'None yet. Render a take, or drop a file; its sound is here then.'})));
}
