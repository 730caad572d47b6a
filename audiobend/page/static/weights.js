// The morph pad: a place between four scenes. Pure.

/** Shares of A (top left), B (top right), C (bottom left), D (bottom right) at x, y in 0..1; together 1. */
export const weights = (x, y) => [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];

/** The same as whole per cent that sum to 100 (largest remainders). */
export function percents(x, y) {
  const exact = weights(x, y).map((share) => 100 * share);
  const whole = exact.map(Math.floor);
  const byRest = exact.map((value, i) => [value - whole[i], i]).sort((a, b) => b[0] - a[0]);
  for (let left = 100 - whole.reduce((a, b) => a + b), i = 0; left > 0; left--, i++) whole[byRest[i][1]]++;
  return whole;
}
