import assert from 'node:assert/strict';
import test from 'node:test';
import {gesture, idle} from '../../../audiobend/page/static/gesture.js';

const A = '3/0';
/** All effects of a list of events. */
function play(events, state = idle) {
  const all = [];
  for (const event of events) {
    const [next, effects] = gesture(state, event);
    state = next;
    all.push(...effects);
  }
  return [all, state];
}
const down = (on, time = 0) => ({type: 'down', cell: A, y: 100, time, on});
const up = (time = 50) => ({type: 'up', time});

test('an off cell sounds at touch, before the finger leaves', () => {
  assert.deepEqual(play([down(false)])[0], [['switch', A, true]]);
});

test('an on cell goes off at release, and only where the finger did not move', () => {
  assert.deepEqual(play([down(true)])[0], []);
  assert.deepEqual(play([down(true), up()])[0], [['switch', A, false]]);
  const [effects] = play([down(true), {type: 'move', y: 20}, up()]);
  assert.deepEqual(effects, [['turn', A, 0.5]]);
});

test('one finger switches on and turns the strength in one gesture', () => {
  const [effects] = play([down(false), {type: 'move', y: 84}, up()]);
  assert.deepEqual(effects, [['switch', A, true], ['turn', A, 0.1]]);
});

test('six pixels are no movement; shift or a second finger is ten times finer', () => {
  assert.deepEqual(play([down(true), {type: 'move', y: 94}])[0], []);
  assert.deepEqual(play([down(true), {type: 'move', y: 84, fine: true}])[0], [['turn', A, 0.01]]);
});

test('held still it opens the sheet, and release does nothing more', () => {
  assert.deepEqual(play([down(true), {type: 'hold'}, up(600)])[0], [['sheet', A]]);
  assert.deepEqual(play([down(true), {type: 'move', y: 60}, {type: 'hold'}])[0].filter(([kind]) => kind === 'sheet'), []);
});

test('a second tap within 300 ms leaves it on, with its default', () => {
  const [effects] = play([down(false, 0), up(50), down(true, 200), up(240)]);
  assert.deepEqual(effects, [['switch', A, true], ['reset', A]]);
  const [slow] = play([down(false, 0), up(50), down(true, 500), up(540)]);
  assert.deepEqual(slow, [['switch', A, true], ['switch', A, false]]);
});

test('two quick taps on an on cell end with it on', () => {
  const [effects] = play([down(true, 0), up(50), down(false, 150), up(200)]);
  assert.deepEqual(effects.filter(([kind]) => kind === 'switch').at(-1), ['switch', A, true]);
  assert.deepEqual(effects.at(-1), ['reset', A]);
});

test('a cancelled touch and one without a beginning leave nothing behind', () => {
  const [effects, state] = play([down(true), {type: 'cancel'}, up(), {type: 'move', y: 0}]);
  assert.deepEqual(effects, []);
  assert.deepEqual(state, idle);
});
