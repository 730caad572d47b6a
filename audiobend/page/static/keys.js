// Every key in one place: what is pressed, what it does, what help says. Pure.

const ROWS = [
  // group, keys as shown, words, [key with modifiers, action, argument]...
  ['Grid and chain', ['←', '↑', '↓', '→'], 'walk the grid'],
  ['Grid and chain', ['space'], 'switch', [' ', 'switch']],
  ['Grid and chain', ['+', '\u2212'], 'strength', ['+', 'turn', 0.05], ['=', 'turn', 0.05], ['-', 'turn', -0.05]],
  ['Grid and chain', ['enter'], 'open parameters', ['Enter', 'sheet']],
  ['Grid and chain', ['1', '–', '9'], 'choose a transform', ...Array.from({length: 9}, (_, i) => [`${i + 1}`, 'transform', i])],
  ['Grid and chain', ['S', 'D'], 'solo, difference', ['s', 'solo'], ['d', 'difference']],
  ['Grid and chain', ['alt', '↑', '↓'], 'move the bend in the chain', ['alt+ArrowUp', 'move', -1], ['alt+ArrowDown', 'move', 1]],
  ['Grid and chain', ['R'], 'dice: new seed', ['r', 'dice']],
  ['Grid and chain', ['Z'], 'undo', ['z', 'undo']],
  ['Grid and chain', ['shift', 'Z'], 'redo', ['shift+Z', 'redo']],
  ['Stage', ['.'], 'panic. Full stop.', ['.', 'panic']],
  ['Stage', ['0'], 'dry while held', ['0', 'dry']],
  ['Stage', ['shift', '1', '–', '4'], 'scenes A to D', ...[1, 2, 3, 4].map((n) => [`shift+Digit${n}`, 'corner', n - 1])],
  ['Stage', ['X'], 'focus the morph pad', ['x', 'pad']],
  ['Stage', ['T'], 'take: record, then stop', ['t', 'take']],
  ['Stage', ['shift', 'T'], 'record the sound, then stop', ['shift+T', 'record']],
  ['Stage', ['F'], 'freeze the picture', ['f', 'freeze']],
  ['Page', ['L'], 'learn the focused control', ['l', 'learn']],
  ['Page', ['C'], 'copy its OSC address', ['c', 'copy']],
  ['Page', [','], 'settings', [',', 'settings']],
  ['Page', ['?'], 'this sheet', ['?', 'help'], ['shift+?', 'help']],
  ['Page', ['esc'], 'close', ['Escape', 'close']],
];

export const GROUPS = [...new Set(ROWS.map(([group]) => group))];

/** The rows of a group as help shows them: [[keys], words]. */
export const rowsOf = (group) => ROWS.filter((row) => row[0] === group).map((row) => [row[1], row[2]]);

const ACTIONS = new Map(ROWS.flatMap((row) => row.slice(3).map(([key, ...action]) => [key, action])));

/** What a key event asks for: [action, argument], or null. Keys with control or command are the browser's. */
export function action({key, code = '', shiftKey, altKey, ctrlKey, metaKey}) {
  if (ctrlKey || metaKey) return null;
  const before = (altKey ? 'alt+' : '') + (shiftKey ? 'shift+' : '');
  return ACTIONS.get(before + code) ?? ACTIONS.get(before + key) ?? (shiftKey && /^[+.,]$/.test(key) ? ACTIONS.get(key) : null) ?? null;
}
