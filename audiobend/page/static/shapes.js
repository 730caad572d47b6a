// The shapes of movements, for their pictures: -1..1 at a phase in periods. Pure.

const drawn = (n) => { const x = Math.sin(n * 127.1 + 311.7) * 43758.5453; return 2 * (x - Math.floor(x)) - 1; };
const part = (phase) => phase - Math.floor(phase);

export function sample(shape, phase) {
  if (shape === 'triangle') return 1 - 4 * Math.abs(part(phase + 0.25) - 0.5);
  if (shape === 'square') return part(phase) < 0.5 ? 1 : -1;
  if (shape === 'random') return drawn(Math.floor(phase));
  if (shape === 'follow') return 0.5 * Math.abs(Math.sin(phase * 9)) * (1 - part(phase)) * 2 - 0.5;
  return Math.sin(2 * Math.PI * phase);
}
