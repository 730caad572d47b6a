import assert from 'node:assert/strict';
import test from 'node:test';
import {clock, digits, fromShare, megabytes, meterShare, shown, toShare, typed, unit, written} from '../../../audiobend/page/static/numbers.js';

const radius = {min: 0, max: 32, whole: true};
const factor = {min: -10, max: 10};

test('a share and its value are one another\'s way back', () => {
  for (const share of [0, 0.25, 0.5, 1]) assert.equal(toShare(fromShare(share, factor), factor), share);
});

test('a whole number stays whole, and a share never leaves the range', () => {
  assert.equal(fromShare(0.3, radius), 10);
  assert.equal(fromShare(7, radius), 32);
  assert.equal(fromShare(-1, radius), 0);
  assert.equal(toShare(99, radius), 1);
});

test('numbers have a true minus sign, and a sign of their own only where both signs are possible', () => {
  assert.equal(shown(-1.2, factor), '\u22121.2');
  assert.equal(shown(2, factor), '+2.0');
  assert.equal(shown(3, radius), '3');
  assert.equal(shown(3.71, radius, true), '3.7');
  assert.equal(written(-0.001, 2), '0.00');
});

test('the narrower the range, the more digits', () => {
  assert.deepEqual([{min: 0, max: 360}, {min: 0, max: 16}, {min: 0, max: 1}].map(digits), [0, 1, 2]);
});

test('what is typed is read with either minus sign, a comma and a unit', () => {
  assert.equal(typed('\u22121,5 dB'), -1.5);
  assert.equal(typed(' 30 %'), 30);
  assert.ok(Number.isNaN(typed('loud')));
  assert.ok(Number.isNaN(typed('')));
});

test('a meter begins at its floor, and silence is no number to it', () => {
  assert.equal(meterShare(0), 1);
  assert.equal(meterShare(-60), 0);
  assert.equal(meterShare(-30), 0.5);
  assert.equal(meterShare(-Infinity), 0);
});

test('units and clocks', () => {
  assert.equal(unit('degrees'), '°');
  assert.equal(unit('cells'), '\u00a0cells');
  assert.equal(unit('of the width'), '');
  assert.equal(clock(161.9), '2:41');
  assert.equal(clock(3 * 3600 + 62), '3:01:02');
  assert.equal(megabytes(3_140_000), '3.1\u00a0MB');
  assert.equal(megabytes(9_990_000), '10\u00a0MB');
});
