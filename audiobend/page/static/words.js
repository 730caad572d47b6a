// Names and sentences that are spoken and shown. Pure.

import {shown, unit} from './numbers.js';

/** What a parameter of a bend turned to, with its unit, as one reads it. */
export const valueText = (value, param, moving) => shown(value, param, moving) + unit(param.unit);

/** "layer 3 · low band, sustained" */
export function where(bend, layers) {
  const layer = layers.find((one) => one.name === bend.layer);
  const place = bend.layer === 'z' ? 'latent' : bend.layer.startsWith('e') ? `encoder ${bend.layer}` : `layer ${bend.layer}`;
  const [kind, ...rest] = bend.features.split(' ');
  if (kind === 'all') return place;
  if (kind === 'random') return `${place} · random ${Math.round(100 * Number(rest[0]))} %`;
  if (kind !== 'cluster') return `${place} · ${bend.features.replace(/,/g, ', ')}`;
  const labels = rest.join(',').split(',').map((id) => layer?.clusters.find((one) => String(one.id) === id)?.label ?? `cluster ${id}`);
  return `${place} · ${labels.join(' + ')}`;
}

/** The accessible name of a cell. */
export function cellName(layer, cluster, bend, strength) {
  const head = `Layer ${layer.name}, cluster ${cluster.id}, ${cluster.label}, ${cluster.features} features: `;
  return head + (bend ? `${bend.transform}${strength ? ` ${strength}` : ''}` : 'not bent');
}

/** A short sentence of what the picture shows. */
export function picture(bends, layers, listen) {
  const on = bends.filter((bend) => bend.on);
  if (listen === 'dry') return 'Input above, output below. The output is dry.';
  if (!on.length) return 'Input above, output below. Nothing is bent.';
  return `Input above, output below. ${on.map((bend) => `${bend.transform} on ${where(bend, layers)}`).join('; ')}.`;
}

/** A name that no other has: "scene 1", "scene 2". */
export function freeName(stem, names) {
  for (let n = 1; ; n++) if (!names.includes(`${stem} ${n}`)) return `${stem} ${n}`;
}

/** A cluster's label as a narrow cell shows it: what all of a kind share goes, the difference stays. */
export const shortLabel = (label) => label.replace(/^whole sound, (?=.)/, '').replace(/^more (?=.)/, '');
