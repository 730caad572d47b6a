// Sheets over the page: help, settings, all transforms, a cell. One at a time; focus goes in and comes back.

import {$, $$, h, icon} from './dom.js';

const root = document.documentElement;
let before = null;
let closed = null;

/** Open a sheet with a title and a body. Focus goes to the given control, else to its close button. */
export function openSheet(name, title, body, focus, onclose) {
  if (root.dataset.overlay) closeSheet(false);
  const sheet = $('#sheet');
  sheet.className = `sheet ${name}`;
  const close = h('button.btn.ghost', {'aria-label': 'Close', 'data-act': 'close', onclick: () => closeSheet()}, icon('x'));
  const heading = typeof title === 'string' ? h('h2', {id: 'sheet-title', text: title}) : title;
  sheet.replaceChildren(h('div.bar', {}, heading, close), body);
  sheet.hidden = false;
  before = document.activeElement;
  closed = onclose;
  root.dataset.overlay = name;
  (focus ?? close).focus({preventScroll: true});
  return sheet;
}

export function closeSheet(back = true) {
  if (!root.dataset.overlay) return false;
  root.dataset.overlay = '';
  $('#sheet').hidden = true;
  $('#sheet').style.cssText = '';
  $('#drop').hidden = true;
  closed?.();
  closed = null;
  if (back && before?.isConnected) before.focus({preventScroll: true});
  return true;
}

/** Keep Tab inside the open sheet; Panic stays within reach. */
export function trap(event) {
  if (event.key !== 'Tab' || !root.dataset.overlay) return;
  const box = root.dataset.overlay === 'drop' ? $('#drop') : $('#sheet');
  const stops = $$('button,input,select,[tabindex="0"],a[href]', box).filter((one) => !one.disabled && one.tabIndex >= 0 && one.offsetParent);
  const panic = $$('[data-act=panic]').find((one) => one.offsetParent);
  const all = panic ? [...stops, panic] : stops;
  const at = all.indexOf(document.activeElement);
  event.preventDefault();
  all[(at + (event.shiftKey ? -1 : 1) + all.length) % all.length]?.focus();
}
