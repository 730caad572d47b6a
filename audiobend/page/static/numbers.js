// Decibels, shares and how numbers are written. Pure.

const MINUS = '\u2212';

/** The number between low and high that is nearest to value. */
export const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));

/** A level in dB as a share 0..1 of a meter that begins at floor dB. */
export const meterShare = (db, floor = -60) => (Number.isFinite(db) ? clamp((db - floor) / -floor) : 0);

/** The share 0..1 of a value in its range. */
export const toShare = (value, {min, max}) => (max > min ? clamp((value - min) / (max - min)) : 0);

/** The value at a share 0..1 of a range; whole where the number is whole. */
export function fromShare(share, {min, max, whole}) {
  const value = min + clamp(share) * (max - min);
  return whole ? Math.round(value) : value;
}

/** Digits after the point that a range needs to be played by hand. */
export function digits({min, max, whole}) {
  const span = max - min;
  return whole || span >= 300 ? 0 : span > 4 ? 1 : 2;
}

/** A number with a true minus sign, so many digits, and a plus sign where the range has both signs. */
export function written(value, places = 2, signed = false) {
  const text = Math.abs(value).toFixed(places);
  const zero = Number(text) === 0;
  const sign = value < 0 && !zero ? MINUS : signed && !zero ? '+' : '';
  return sign + text;
}

/** A parameter's value as it stands on the page, without its unit. */
export const shown = (value, range, moving = false) =>
  written(value, range.whole && moving ? 1 : digits(range), range.min < 0 && range.max > 0);

/** What a typed text means: a number, with either minus sign and a comma or a point; NaN where it is none. */
export function typed(text) {
  const plain = text.trim().replace(MINUS, '-').replace(',', '.').replace(/\s*[^\d.e+-].*$/i, '');
  return plain === '' ? NaN : Number(plain);
}

/** A unit as it follows a number: nothing, a degree sign, or a space and words. */
export const unit = (name) => (name === 'degrees' ? '°' : name ? `\u00a0${name.replace(/^(of the|per) .*/, '')}`.trimEnd() : '');

const pair = (number) => String(Math.floor(number)).padStart(2, '0');

/** Seconds as minutes and seconds, with hours where there are any. */
export const clock = (seconds) =>
  seconds < 3600 ? `${Math.floor(seconds / 60)}:${pair(seconds % 60)}` : `${Math.floor(seconds / 3600)}:${pair((seconds / 60) % 60)}:${pair(seconds % 60)}`;

/** The size of a file, in MB; small ones with a digit after the point. */
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)}\u00a0MB`;
