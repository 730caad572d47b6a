// Long work on the server: how far it is, how long it takes, and where its result lies.

import {$, h, say} from './dom.js';
import {speak} from './speak.js';

/** Show a job until it is done; its result is a link. */
export async function watchJob(job, title) {
  const words = h('span', {text: title});
  const bar = h('progress', {max: 1, value: 0, 'aria-label': title});
  const close = h('button.btn.ghost', {'aria-label': 'Close', onclick: () => node.remove()}, '×');
  const node = h('div.job', {role: 'group', 'aria-label': title, 'data-job': job}, words, bar, close);
  $('#jobs').append(node);
  for (;;) {
    const answer = await fetch(`/api/jobs/${job}`).catch(() => null);
    const state = answer?.ok ? await answer.json() : {state: 'failed', sentence: 'The page server cannot be reached.'};
    bar.value = state.fraction ?? 0;
    say(words, state.state === 'running' && state.eta_s ? `${title}: ${Math.ceil(state.eta_s)} s left` : state.sentence || title);
    if (state.state === 'done' || state.state === 'failed') return finish(node, bar, title, state);
    await new Promise((done) => { setTimeout(done, 500); });
  }
}

function finish(node, bar, title, {state, result, sentence}) {
  node.dataset.state = state;
  bar.remove();
  if (state === 'done' && result) node.insertBefore(h('a.btn', {href: result, download: '', 'data-result': ''}, 'Download'), node.lastChild);
  speak(state === 'done' ? `${title}: done` : sentence);
  if (state === 'done' && !result) setTimeout(() => node.remove(), 4000);
}
