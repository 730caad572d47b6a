// What a finger on a cell means: a state machine without DOM or clock. Pure.
//
// On at touch, off at release: an off cell sounds at once and the same finger goes on to turn its strength; an on
// cell goes off only where the finger did not move. Held still it opens the sheet. A second tap within 300 ms leaves
// it on, with its strength back at the default.

export const HOLD = 450;
export const DOUBLE = 300;
export const SLACK = 6;
export const TRAVEL = 160;

/** Nothing is touched. */
export const idle = {press: null, last: null};

/**
 * Take one event: {type: 'down', cell, y, time, on}, {type: 'move', y, fine}, {type: 'hold'}, {type: 'up', time},
 * {type: 'cancel'}. Returns [state, effects]; an effect is ['switch', cell, on], ['turn', cell, share],
 * ['reset', cell], ['sheet', cell].
 */
export function gesture(state, event) {
  const {press} = state;
  if (event.type === 'down') {
    if (press) return [state, []];
    const {cell, y, on, time} = event;
    return [{...state, press: {cell, y, on, time, moved: false}}, on ? [] : [['switch', cell, true]]];
  }
  if (!press) return [state, []];
  if (event.type === 'move') return moved(state, press, event);
  if (event.type === 'hold') return press.moved ? [state, []] : [idle, [['sheet', press.cell]]];
  if (event.type === 'up' && !press.moved) return tapped(state, press, event.time);
  return [idle, []];
}

function moved(state, press, {y, fine}) {
  if (!press.moved && Math.abs(press.y - y) <= SLACK) return [state, []];
  const share = (press.y - y) / (fine ? 10 * TRAVEL : TRAVEL);
  return [{...state, press: {...press, y, moved: true}}, share ? [['turn', press.cell, share]] : []];
}

function tapped({last}, {cell, on}, time) {
  if (last && last.cell === cell && time - last.time < DOUBLE) {
    return [idle, [...(on ? [] : [['switch', cell, true]]), ['reset', cell]]];
  }
  return [{press: null, last: {cell, time}}, on ? [['switch', cell, false]] : []];
}
