// Which part of the page a smaller screen shows.

import {$$, attr} from './dom.js';
import {touch} from './store.js';

const root = document.documentElement;

export function setView(name) {
  root.dataset.view = name;
  for (const tab of $$('[data-go]')) attr(tab, 'aria-selected', tab.dataset.go === name);
  touch('theme', 'view');
}

export function makeViews() {
  for (const tab of $$('[data-go]')) tab.addEventListener('click', () => setView(tab.dataset.go));
  const start = new URLSearchParams(location.search).get('view');
  setView(['play', 'chain', 'scenes', 'take'].includes(start) ? start : 'play');
}
