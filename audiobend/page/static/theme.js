// Theme, colour table and tokens as canvases need them. Read again only when the theme changes.

import {colourTable} from './bendmap.js';
import {keep, recalled, touch} from './store.js';

const root = document.documentElement;
const system = matchMedia('(prefers-color-scheme: light)');
const still = matchMedia('(prefers-reduced-motion: reduce)');
let tokens = {};

export const theme = {table: null, dark: true, reduced: still.matches, map: recalled('map', 'bend')};

/** The colour of a token, "t1", as CSS writes it. */
export const token = (name) => (tokens[name] ??= getComputedStyle(root).getPropertyValue(`--${name}`).trim());

/** The hue token of a layer by its name. */
export const hueOf = (layer) => (layer === 'z' ? 'hz' : layer.startsWith('e') ? 'he' : `h${((Number(layer) - 1) % 4) + 1}`);
/** The hue index of a layer as frames have it. */
export const hueIndex = (layer) => (layer === 'z' ? 5 : layer.startsWith('e') ? 6 : ((Number(layer) - 1) % 4) + 1);

const WORDS = new Map();
/** A token as one RGBA word for an ImageData. */
export function word(name) {
  if (!WORDS.has(name)) {
    const hex = parseInt(token(name).slice(1), 16);
    WORDS.set(name, ((255 << 24) | ((hex & 255) << 16) | (hex & 0xff00) | (hex >> 16)) >>> 0);
  }
  return WORDS.get(name);
}

export function applyTheme() {
  const choice = recalled('theme', 'system');
  theme.dark = choice === 'system' ? !system.matches : choice === 'dark';
  root.dataset.theme = theme.dark ? 'dark' : 'light';
  tokens = {};
  WORDS.clear();
  theme.table = colourTable(theme.map, theme.dark);
  touch('theme');
}

export function chooseTheme(name) {
  keep('theme', name);
  applyTheme();
}

export function chooseMap(name) {
  keep('map', name);
  theme.map = name;
  applyTheme();
}

system.addEventListener('change', applyTheme);
still.addEventListener('change', () => { theme.reduced = still.matches; touch('theme'); });
