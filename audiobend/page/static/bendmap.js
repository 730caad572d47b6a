// The colour map "Bend": luminance is level, hue is the layer that bent. Pure.
// OKLCH to sRGB after Ottosson, "A perceptual color space for image processing" (2020).

export const LEVELS = 64;
export const SATURATIONS = 8;
/** Hues in degrees: none, layers 1 to 4, latent, encoder. */
export const HUES = [230, 66, 245, 153, 347, 107, 295];

const gamma = (value) => (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055);

function linear(lightness, chroma, degrees) {
  const a = chroma * Math.cos((degrees * Math.PI) / 180);
  const b = chroma * Math.sin((degrees * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** An OKLCH colour as three bytes; chroma shrinks until it lies in sRGB. */
export function rgb(lightness, chroma, degrees) {
  let parts = linear(lightness, chroma, degrees);
  for (let i = 0; i < 12 && (Math.min(...parts) < -5e-4 || Math.max(...parts) > 1.0005); i++) {
    chroma = i === 11 ? 0 : chroma * 0.8;
    parts = linear(lightness, chroma, degrees);
  }
  return parts.map((part) => Math.round(255 * gamma(Math.min(1, Math.max(0, part)))));
}

const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

function bend(level, saturation, hue, dark) {
  const lightness = dark ? 0.165 + 0.8 * level : 0.965 - 0.82 * level;
  const most = hue === 4 ? 0.125 : 0.15;
  const room = Math.sin(Math.PI * Math.min(1, (dark ? 0.16 : 0.08) + level * (dark ? 0.82 : 0.78)));
  const chroma = hue === 0 ? 0.004 : saturation * most * Math.max(0, room) ** 0.7;
  return rgb(lightness, chroma, HUES[hue]);
}

const STOPS = {
  viridis: [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]],
  magma: [[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]],
};

function ramp(stops, level) {
  const at = level * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  return stops[low].map((part, i) => Math.round(part + (stops[low + 1][i] - part) * (at - low)));
}

/** One Uint32Array of RGBA words: index (hue * 8 + saturation) * 64 + level. */
export function colourTable(name = 'bend', dark = true) {
  const table = new Uint32Array(HUES.length * SATURATIONS * LEVELS);
  for (let hue = 0; hue < HUES.length; hue++)
    for (let step = 0; step < SATURATIONS; step++)
      for (let i = 0; i < LEVELS; i++) {
        const level = i / (LEVELS - 1);
        const colour = STOPS[name] ? ramp(STOPS[name], dark ? level : level)
          : bend(level, name === 'grey' ? 0 : step / (SATURATIONS - 1), name === 'grey' ? 0 : hue, dark);
        table[(hue * SATURATIONS + step) * LEVELS + i] = packed(colour);
      }
  return table;
}

/** How strongly a bin is coloured, 0..7, for a change in 255ths of 24 dB; 10 dB is all of it. */
export const saturation = (change) => Math.min(SATURATIONS - 1, (change * 17) >> 8);
