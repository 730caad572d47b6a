// The address table: what can be said to the engine. Pure.

const ROOT = '/audiobend';

/** A look-up over the entries of osc_schemas/audiobend.json (or /api/table). */
export function addressTable(document) {
  const rows = new Map(document.addresses.map((row) => [row.path, row]));
  return {has: (path) => rows.has(ROOT + path), row: (address) => rows.get(template(address)) ?? rows.get(address)};
}

/** The entry's path that an address is an instance of. */
export function template(address) {
  return address
    .replace(/^(\/audiobend\/layer)\/[^/]+\/(?:all|cluster\/\d+)(?=\/)/, '$1/{layer}/{features}')
    .replace(/^(\/audiobend\/latent)\/[^/]+(?=\/)/, '$1/{axis}')
    .replace(/^(\/audiobend\/bend)\/[^/]+(?=\/)/, '$1/{id}')
    .replace(/^(\/audiobend\/macro)\/\d+(?=\/|$)/, '$1/{macro}');
}

/** What an address of a bend means: {id, name}, by its id or by its place; null for any other address. */
export function bendTarget(address) {
  const [, , kind, first, ...rest] = address.split('/');
  if (kind === 'bend' && rest.length) return {id: first, name: rest.join('/')};
  if (kind !== 'layer') return null;
  const cut = rest[0] === 'cluster' ? 2 : 1;
  if (rest.length <= cut) return null;
  const id = `layer${first}.${rest.slice(0, cut).join('')}.${rest[cut]}`;
  return {id, name: rest.slice(cut + 1).join('/') || 'on', place: {layer: first, features: rest.slice(0, cut).join(' '), transform: rest[cut]}};
}

/** The address of something of a bend: by its place where it belongs to one, else by its id. */
export function bendAddress(id, name) {
  const place = /^layer([^.]+)\.(all|cluster(\d+))\.(.+)$/.exec(id);
  if (!place) return `${ROOT}/bend/${id}/${name}`;
  const features = place[2] === 'all' ? 'all' : `cluster/${place[3]}`;
  const own = ['features', 'layer'].includes(name);
  if (own) return `${ROOT}/bend/${id}/${name}`;
  return `${ROOT}/layer/${place[1]}/${features}/${place[4]}${name === 'on' ? '' : `/${name}`}`;
}

/** The id of the bend that belongs to a place. */
export const placeId = (layer, features, transform) => `layer${layer}.${features.replace(' ', '')}.${transform}`;
