// Making elements, without templates of text: what a model or a stranger names can never become markup.

import {cells} from './glyphs.js';

const SVG = 'http://www.w3.org/2000/svg';

/** An element: properties beginning with a letter become attributes, `on...` listeners, `text` its text. */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name || 'div');
  if (classes.length) node.className = classes.join(' ');
  if (name === 'button') node.type = 'button';
  for (const [key, value] of Object.entries(props)) put(node, key, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function put(node, key, value) {
  if (key === 'text') node.textContent = value;
  else if (key === 'value') node.value = value;
  else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
  else attr(node, key, value);
}

/** Set an attribute only where it differs; null, and false where it is no aria state, take it away. */
export function attr(node, name, value) {
  if (value === null || value === undefined || (value === false && !name.startsWith('aria-'))) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/** Set the text only where it differs. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** The picture of a transform. */
export function glyph(name, size = 21) {
  const dots = cells(name).map(([x, y, ghost]) => svg('rect', {x, y, width: 0.86, height: 0.86, ...(ghost ? {opacity: 0.38} : {})}));
  return svg('svg', {class: 'g', viewBox: '0 0 7 7', width: size, height: size, fill: 'currentColor', 'aria-hidden': 'true'}, ...dots);
}

const ICONS = {
  undo: 'M4 7h7a4 4 0 0 1 0 8H8M4 7l3-3M4 7l3 3',
  redo: 'M14 7H7a4 4 0 0 0 0 8h3M14 7l-3-3M14 7l-3 3',
  set: 'M2 5h2M8 5h8M2 9h8M14 9h2M2 13h3M9 13h7M8 5a2 2 0 1 1-4 0a2 2 0 1 1 4 0M14 9a2 2 0 1 1-4 0a2 2 0 1 1 4 0M9 13a2 2 0 1 1-4 0a2 2 0 1 1 4 0',
  dice: 'M2.500 2.500h13v13h-13zM6 6h.01M12 6h.01M9 9h.01M6 12h.01M12 12h.01',
  copy: 'M6 6h9v9h-9zM12 6V3H3v9h3',
  x: 'M4 4l10 10M14 4L4 14',
  play: 'M5.500 3.500l9 5.500-9 5.500z',
  stop: 'M4.500 4.500h9v9h-9z',
  dl: 'M9 3v8M5.500 8L9 11.500 12.500 8M3 15h12',
  drag: 'M7 5h.01M11 5h.01M7 9h.01M11 9h.01M7 13h.01M11 13h.01',
  render: 'M3 9h2l1.500-5 3 10 2.500-8 1 3h2',
};

/** A drawn sign, 18 by 18. */
export function icon(name) {
  const path = svg('path', {d: ICONS[name]});
  return svg('svg', {class: `i i-${name}`, viewBox: '0 0 18 18', width: 18, height: 18, 'aria-hidden': 'true'}, path);
}

/** A group of buttons of which one is chosen; arrow keys walk it. */
export function radios(label, options, chosen, choose, make = (name) => [name]) {
  const group = h('div.seg', {role: 'radiogroup', 'aria-label': label});
  const mark = (name) => {
    for (const one of group.children) {
      attr(one, 'aria-checked', one.dataset.option === name);
      one.tabIndex = one.dataset.option === name ? 0 : -1;
    }
  };
  for (const name of options) {
    const pick = () => { mark(name); choose(name); };
    group.append(h('button.btn', {role: 'radio', 'data-option': name, onclick: pick}, ...make(name)));
  }
  walkable(group, '[role=radio]', (one) => one.click());
  mark(chosen);
  if (!options.includes(chosen) && group.firstChild) group.firstChild.tabIndex = 0;
  group.mark = mark;
  return group;
}

/** Let arrow keys walk among the parts of a group. */
export function walkable(group, selector, arrive) {
  group.addEventListener('keydown', (event) => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    const all = $$(selector, group).filter((one) => !one.disabled && !one.hidden);
    const at = all.indexOf(document.activeElement);
    if (!step || at < 0 || event.altKey) return;
    event.preventDefault();
    const next = all[(at + step + all.length) % all.length];
    next.focus();
    arrive(next);
  });
}
