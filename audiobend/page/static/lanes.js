// What a take did to a bend, as one line of strength. Pure.

/** The value of a line of steps at a time; before its first step, before. */
function at(points, time, before) {
  let value = before;
  for (const [when, to] of points) { if (when > time) break; value = to; }
  return value;
}

/**
 * Join a bend's switch and its most turned number, each [[seconds, value]] or null, to [[seconds, share 0..1]].
 * Before its first step a switch was the other way, and a number had the value that it was first given.
 */
export function joined({on, turned}) {
  const most = Math.max(1e-9, ...(turned ?? []).map((point) => Math.abs(point[1])));
  const times = [...new Set([0, ...(on ?? []), ...(turned ?? [])].map((one) => (Array.isArray(one) ? one[0] : one)))].sort((a, b) => a - b);
  return times.map((time) => {
    const sounds = on ? at(on, time, on[0][1] ? 0 : 1) : 1;
    const strength = turned ? Math.abs(at(turned, time, turned[0][1])) / most : 1;
    return [time, sounds ? strength : 0];
  });
}
