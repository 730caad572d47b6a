import assert from 'node:assert/strict';
import test from 'node:test';
import {readFileSync} from 'node:fs';
import {LEVELS, SATURATIONS, colourTable, rgb, saturation} from '../../../audiobend/page/static/bendmap.js';
import {BANDS, decode} from '../../../audiobend/page/static/frames.js';
import {NAMES, cells} from '../../../audiobend/page/static/glyphs.js';
import {heightOf, levelSteps, makeRing, push, rowBands, slotOf} from '../../../audiobend/page/static/history.js';
import {joined} from '../../../audiobend/page/static/lanes.js';
import {action, GROUPS, rowsOf} from '../../../audiobend/page/static/keys.js';
import {moved, placeAt} from '../../../audiobend/page/static/order.js';
import {sample} from '../../../audiobend/page/static/shapes.js';
import {addressTable, bendAddress, bendTarget, placeId, template} from '../../../audiobend/page/static/table.js';
import {percents, weights} from '../../../audiobend/page/static/weights.js';
import {cellName, freeName, shortLabel, where} from '../../../audiobend/page/static/words.js';
import {cellsOf, helloFacts, sceneFacts} from '../../../audiobend/page/static/facts.js';

const table = JSON.parse(readFileSync(new URL('../../../osc_schemas/audiobend.json', import.meta.url)));
const parts = (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255];
const luminance = (word) => { const [r, g, b] = parts(word); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };

// --- colours ---

test('louder is lighter in the dark and darker in the light, for every hue and saturation', () => {
  for (const dark of [true, false]) {
    const colours = colourTable('bend', dark);
    for (let row = 0; row < colours.length / LEVELS; row++)
      for (let i = 8; i < LEVELS; i += 8) {
        const step = luminance(colours[row * LEVELS + i]) - luminance(colours[row * LEVELS + i - 8]);
        assert.ok(dark ? step > 0 : step < 0, `row ${row} level ${i}`);
      }
  }
});

test('what is not bent is grey, what is bent has a hue', () => {
  const colours = colourTable('bend', true);
  const spread = (word) => Math.max(...parts(word)) - Math.min(...parts(word));
  assert.ok(spread(colours[40]) < 8);
  for (let hue = 1; hue < 7; hue++) assert.ok(spread(colours[(hue * SATURATIONS + 7) * LEVELS + 36]) > 60, `hue ${hue}`);
});

test('OKLCH white, black and a known red come out right', () => {
  assert.deepEqual(rgb(1, 0, 0), [255, 255, 255]);
  assert.deepEqual(rgb(0, 0, 0), [0, 0, 0]);
  rgb(0.62796, 0.25768, 29.234).forEach((part, i) => assert.ok(Math.abs(part - [255, 0, 0][i]) <= 3));
});

test('no change has no colour, ten decibels and more have all of it', () => {
  assert.equal(saturation(0), 0);
  assert.equal(saturation(120), SATURATIONS - 1);
  assert.equal(saturation(255), SATURATIONS - 1);
});

// --- frames ---

function columnsFrame(count, sequence = 9) {
  const buffer = new ArrayBuffer(32 + count * 392);
  const view = new DataView(buffer);
  view.setUint8(0, 1); view.setUint8(1, 1); view.setUint16(2, count, true); view.setUint32(4, sequence, true); view.setFloat64(8, 1.5, true);
  [-12, -9, -3, -1].forEach((db, i) => view.setFloat32(16 + 4 * i, db, true));
  for (let i = 0; i < count; i++) { view.setUint8(32 + i * 392 + BANDS, 77); view.setUint8(32 + i * 392 + 384, 3); view.setFloat32(32 + i * 392 + 388, 12.5, true); }
  return buffer;
}

test('columns are read with their levels, hue and latency', () => {
  const frame = decode(columnsFrame(2));
  assert.deepEqual([frame.sequence, frame.time, frame.levels], [9, 1.5, [-12, -9, -3, -1]]);
  assert.deepEqual(frame.columns.map((one) => [one.output[0], one.hue, one.late]), [[77, 3, 12.5], [77, 3, 12.5]]);
});

test('a frame that is cut short, of another version or of no kind is none', () => {
  const whole = columnsFrame(2);
  for (const length of [0, 15, 31, whole.byteLength - 1]) assert.equal(decode(whole.slice(0, length)), null);
  const other = columnsFrame(1);
  new DataView(other).setUint8(1, 2);
  assert.equal(decode(other), null);
  const unknown = columnsFrame(1);
  new DataView(unknown).setUint8(0, 9);
  assert.equal(decode(unknown), null);
});

test('maps are read row by row, and one that is cut short is none', () => {
  const head = new Uint8Array(16 + 4 + 6);
  head[0] = 2; head[1] = 1; head[2] = 1;
  head.set([3, 1, 2, 3, 1, 2, 3, 4, 5, 6], 16);
  const [map] = decode(head.buffer).maps;
  assert.deepEqual([map.layer, map.cluster, map.rows, map.columns, [...map.cells]], [3, 1, 2, 3, [1, 2, 3, 4, 5, 6]]);
  assert.equal(decode(head.buffer.slice(0, 25)), null);
});

// --- the ring ---

const column = (level) => ({input: new Uint8Array(BANDS).fill(level), output: new Uint8Array(BANDS), change: new Uint8Array(BANDS), hue: 0});

test('a ring gives back what is young enough, fills small holes, and forgets the rest', () => {
  const ring = makeRing(40);
  for (const number of [0, 1, 2, 4, 5, 42, 43]) push(ring, number, column(number), null);
  assert.equal(ring.input[slotOf(ring, 43) * BANDS], 43);
  assert.equal(ring.index[slotOf(ring, 9)], 5);
  assert.equal(slotOf(ring, 1), 1);
  assert.equal(slotOf(ring, 30), -1);
  assert.ok(slotOf(ring, 2) < 0 || ring.index[slotOf(ring, 2)] <= 2);
});

test('every row of a picture shows at least one band, and together they show all', () => {
  for (const rows of [38, 90, 128, 300]) {
    const bands = rowBands(rows, true, [40, 16000]);
    const seen = new Set();
    for (let y = 0; y < rows; y++) {
      assert.ok(bands[2 * y + 1] > bands[2 * y]);
      for (let b = bands[2 * y]; b < bands[2 * y + 1]; b++) seen.add(b);
    }
    assert.equal(seen.size, BANDS);
  }
  assert.equal(heightOf(40, true, [40, 16000]), 0);
  assert.equal(heightOf(16000, true, [40, 16000]), 1);
});

test('levels rise to the top of the table and silence is its bottom', () => {
  const steps = levelSteps();
  assert.equal(steps[0], 0);
  assert.equal(steps[255], 63);
  for (let i = 1; i < 256; i++) assert.ok(steps[i] >= steps[i - 1]);
});

// --- addresses ---

test('every address of a place becomes its bend\'s, and back', () => {
  const target = bendTarget('/audiobend/layer/3/cluster/2/erode/radius');
  assert.deepEqual([target.id, target.name, target.place], ['layer3.cluster2.erode', 'radius', {layer: '3', features: 'cluster 2', transform: 'erode'}]);
  assert.equal(bendAddress('layer3.cluster2.erode', 'radius'), '/audiobend/layer/3/cluster/2/erode/radius');
  assert.equal(bendAddress('layere1.all.ablate', 'on'), '/audiobend/layer/e1/all/ablate');
  assert.equal(bendTarget('/audiobend/layer/e1/all/ablate').name, 'on');
  assert.equal(placeId('3', 'cluster 2', 'erode'), 'layer3.cluster2.erode');
  assert.equal(bendAddress('fog', 'mix'), '/audiobend/bend/fog/mix');
  assert.equal(bendTarget('/audiobend/gain'), null);
});

test('what the page says of a place is in the table of the engine', () => {
  const known = addressTable(table);
  for (const layer of table.layers.filter((one) => one.clusters.length))
    for (const name of ['on', 'mix', 'radius', 'radius/lfo', 'radius/lfo/rate'])
      assert.ok(known.row(bendAddress(placeId(layer.layer, 'cluster 1', 'erode'), name)), `${layer.layer} ${name}`);
  assert.equal(template('/audiobend/latent/3/offset'), '/audiobend/latent/{axis}/offset');
  assert.equal(template('/audiobend/macro/16'), '/audiobend/macro/{macro}');
  assert.ok(known.has('/bend/{id}/features'));
  assert.ok(!known.has('/nothing'));
});

// --- keys ---

const key = (name, more = {}) => ({key: name, code: '', shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, ...more});

test('keys do what help says, shifted digits by their place on the keyboard', () => {
  assert.deepEqual(action(key('.')), ['panic']);
  assert.deepEqual(action(key('!', {code: 'Digit1', shiftKey: true})), ['corner', 0]);
  assert.deepEqual(action(key('Z', {shiftKey: true})), ['redo']);
  assert.deepEqual(action(key('ArrowUp', {altKey: true})), ['move', -1]);
  assert.deepEqual(action(key('?', {shiftKey: true})), ['help']);
  assert.deepEqual(action(key('+', {shiftKey: true})), ['turn', 0.05]);
});

test('keys with control belong to the browser, and unknown ones to nobody', () => {
  assert.equal(action(key('r', {ctrlKey: true})), null);
  assert.equal(action(key('c', {metaKey: true})), null);
  assert.equal(action(key('q')), null);
});

test('every key is in help once', () => {
  const words = GROUPS.flatMap((group) => rowsOf(group).map(([keys]) => keys.join(' ')));
  assert.equal(new Set(words).size, words.length);
});

// --- order, weights, shapes, glyphs, words ---

test('moving keeps every one and puts it where asked', () => {
  assert.deepEqual(moved(['a', 'b', 'c', 'd'], 0, 2), ['b', 'c', 'a', 'd']);
  assert.deepEqual(moved(['a', 'b', 'c'], 2, 0), ['c', 'a', 'b']);
  assert.deepEqual(moved(['a', 'b'], 5, 0), ['a', 'b']);
  const boxes = [0, 50, 100].map((top) => ({top, height: 48}));
  assert.deepEqual([10, 80, 200].map((y) => placeAt(y, boxes, 0)), [0, 1, 2]);
});

test('weights are shares: one at a corner, together one, per cents sum to a hundred', () => {
  assert.deepEqual(weights(0, 0), [1, 0, 0, 0]);
  assert.deepEqual(weights(1, 1), [0, 0, 0, 1]);
  for (const [x, y] of [[0.34, 0.62], [0.5, 0.5], [0.111, 0.777]]) assert.equal(percents(x, y).reduce((a, b) => a + b), 100);
});

test('movements stay within their reach and begin where the engine\'s do', () => {
  for (const shape of ['sine', 'triangle', 'square', 'random', 'follow'])
    for (let phase = -1; phase < 2; phase += 0.013) assert.ok(Math.abs(sample(shape, phase)) <= 1);
  assert.equal(sample('sine', 0), 0);
  assert.ok(Math.abs(sample('triangle', 0.25) - 1) < 1e-9);
});

test('every transform of the engine has a picture of its own, seven by seven', () => {
  const transforms = new Set(table.addresses.map((row) => /^\/audiobend\/layer\/\{layer\}\/\{features\}\/([^/]+)$/.exec(row.path)?.[1]).filter(Boolean));
  assert.ok(transforms.size >= 30);
  for (const name of transforms) assert.ok(NAMES.includes(name), name);
  const pictures = NAMES.map((name) => JSON.stringify(cells(name)));
  assert.equal(new Set(pictures).size, pictures.length);
  for (const name of NAMES) for (const [x, y] of cells(name)) assert.ok(x >= 0 && x < 7 && y >= 0 && y < 7);
});

const layers = [{name: '3', features: 32, clusters: [{id: 0, label: 'whole sound, more highs, soft', features: 9}, {id: 1, label: 'bass', features: 5}]}];

test('a bend is named by where it acts', () => {
  assert.equal(where({layer: '3', features: 'cluster 1'}, layers), 'layer 3 · bass');
  assert.equal(where({layer: '2', features: 'random 0.25'}, layers), 'layer 2 · random 25 %');
  assert.equal(where({layer: 'e1', features: 'all'}, layers), 'encoder e1');
  assert.equal(cellName(layers[0], layers[0].clusters[1], {transform: 'erode'}, '3'), 'Layer 3, cluster 1, bass, 5 features: erode 3');
  assert.equal(shortLabel('whole sound, more highs, soft'), 'highs, soft');
  assert.equal(shortLabel('whole sound'), 'whole sound');
  assert.equal(freeName('scene', ['scene 1', 'scene 3']), 'scene 2');
});

test('a hello with the model inside reads like a flat one', () => {
  const hello = helloFacts({model: {name: 'm', layers: [{name: 1, title: '1 coarse', clusters: []}], transforms: [], models: ['m']}, latency: {card_ms: 12, window_ms: 46}});
  assert.deepEqual([hello.name, hello.layers[0].name, hello.layers[0].title, hello.latency.total_ms], ['m', '1', 'coarse', 58]);
});

test('a scene lights the cells of the bends that are on', () => {
  const bends = [{layer: '3', features: 'cluster 0,1', on: true}, {layer: '2', features: 'random 0.2', on: true}, {layer: '1', features: 'all', on: false}];
  assert.deepEqual(cellsOf(bends), ['3/0', '3/1', '2/all']);
  assert.deepEqual(sceneFacts(['a', {name: 'b', bends}]).map((one) => one.cells), [[], ['3/0', '3/1', '2/all']]);
});

test('a lane of a take is thick where the bend is strong, and nothing where it is off', () => {
  assert.deepEqual(joined({on: [[2, 0], [4, 1]], turned: [[3, 5], [5, 10]]}), [[0, 0.5], [2, 0], [3, 0], [4, 0.5], [5, 1]]);
  assert.deepEqual(joined({on: [[1, 1]], turned: null}), [[0, 0], [1, 1]]);
});
