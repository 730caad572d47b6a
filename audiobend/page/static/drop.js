// A sound dropped on the page, or chosen: play it in, or render it.

import {$, $$} from './dom.js';
import {watchJob} from './jobs.js';
import {store, touch} from './store.js';
import {closeSheet} from './sheet.js';
import {alarm, speak} from './speak.js';

const root = document.documentElement;
let deep = 0;
let wanted = 'input';

export function makeDrop() {
  const zone = $('#drop');
  addEventListener('dragenter', (event) => { if (!hasFiles(event)) return; event.preventDefault(); deep++; show(); });
  addEventListener('dragover', (event) => { if (hasFiles(event)) { event.preventDefault(); mark(event.target); } });
  addEventListener('dragleave', () => { deep = Math.max(0, deep - 1); if (!deep && root.dataset.overlay === 'drop') closeSheet(false); });
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    deep = 0;
    const what = event.target.closest('[data-drop]')?.dataset.drop ?? 'input';
    closeSheet(false);
    send(event.dataTransfer.files[0], what);
  });
  for (const half of $$('[data-drop]', zone)) half.addEventListener('click', () => { wanted = half.dataset.drop; $('#file').click(); });
  $('#file').addEventListener('change', ({target}) => { closeSheet(); if (target.files[0]) send(target.files[0], wanted); target.value = ''; });
  $('[data-act=drop]').addEventListener('click', () => { show(); $('[data-drop]').focus(); });
}

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');

function show() {
  if (root.dataset.overlay !== 'drop') closeSheet(false);
  root.dataset.overlay = 'drop';
  $('#drop').hidden = false;
}

function mark(target) {
  for (const half of $$('[data-drop]')) half.classList.toggle('is-over', half.contains(target));
}

export async function send(file, what) {
  const limit = store.hello?.drop_limit;
  if (limit && file.size > limit) return alarm(`${file.name} is too large: ${Math.round(limit / 1e6)} MB are the most.`);
  speak(`${file.name}: ${what === 'input' ? 'playing it in' : 'rendering it'}`);
  const answer = await fetch(`/api/drop?what=${what}&name=${encodeURIComponent(file.name)}`, {method: 'POST', body: file}).catch(() => null);
  if (!answer?.ok) return alarm((await answer?.text().catch(() => ''))?.slice(0, 200) || `${file.name} was not taken.`);
  const {job, input} = await answer.json();
  if (input) { store.hello.input = input; touch('input'); speak(`${input.name ?? file.name} is the input`); }
  if (job !== undefined && job !== null) watchJob(job, what === 'input' ? `Play ${file.name} in` : `Render ${file.name}`);
}
