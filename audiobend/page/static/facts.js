// What the server says of the model and the state, in the page's own words. Pure.

const RATE = 44100 / 256;

/** A hello (or {model} alone, while sound is only starting) as one flat object. */
export function helloFacts(raw) {
  const model = raw.model ?? {};
  const layers = (model.layers ?? raw.layers ?? []).map((layer) => ({...layer, name: String(layer.name), title: titleOf(layer)}));
  return {
    ...raw,
    name: model.name ?? raw.name ?? '', models: model.models ?? raw.models ?? [], axes: model.axes ?? raw.axes ?? 0, version: model.version ?? raw.version,
    layers, transforms: model.transforms ?? raw.transforms ?? [],
    latency: latencyFacts(raw.latency), columns_per_second: raw.columns_per_second ?? RATE, bands_hz: raw.bands_hz ?? [40, 16000],
    input: typeof raw.input === 'string' ? {kind: 'card', name: raw.input} : raw.input ?? null,
    devices: raw.devices ?? {input: nameOf(raw.input), output: nameOf(raw.output)},
    session: raw.session ?? {},
  };
}

const nameOf = (one) => (typeof one === 'string' ? one : one?.name ?? '');
const titleOf = ({name, title}) => (title ?? '').replace(new RegExp(`^${name}\\s*`), '').trim();

/** Latency as {parts: [{name, ms}], total_ms}, from a list of parts or from a table of milliseconds. */
function latencyFacts(raw) {
  if (!raw) return {parts: [], total_ms: 0};
  const parts = raw.parts ?? Object.entries(raw).filter(([name, ms]) => typeof ms === 'number' && !/total|together/.test(name)).map(([name, ms]) => ({name: name.replace(/_ms$/, ''), ms}));
  return {parts, total_ms: raw.total_ms ?? parts.reduce((sum, part) => sum + part.ms, 0)};
}

/** Scenes with the cells they light. */
export function sceneFacts(scenes = []) {
  return scenes.map((scene) => (typeof scene === 'string' ? {name: scene, cells: []} : {...scene, cells: scene.cells ?? cellsOf(scene.bends ?? [])}));
}

/** The cells that bends light: "3/0", or "3/all" where they mean other features than clusters. */
export function cellsOf(bends) {
  const cells = bends.filter((bend) => bend.on).flatMap(({layer, features}) => {
    const [kind, ids = ''] = features.split(' ');
    return kind === 'cluster' ? ids.split(',').map((id) => `${layer}/${id}`) : [`${layer}/all`];
  });
  return [...new Set(cells)];
}

/** A status with the names that the page uses. */
export const statusFacts = (raw) => ({...raw, late: raw.late ?? raw.late_blocks ?? 0});
