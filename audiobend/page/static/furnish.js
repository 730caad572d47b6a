// Signs and pictures that the markup leaves room for.

import {$$, glyph, icon} from './dom.js';

export function furnish() {
  for (const place of $$('[data-icon]')) place.prepend(icon(place.dataset.icon));
  for (const place of $$('[data-glyph]')) place.prepend(glyph(place.dataset.glyph));
}
