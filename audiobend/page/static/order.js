// Putting things in another order. Pure.

/** A copy of the list with the item at one place moved to another. */
export function moved(list, from, to) {
  if (from < 0 || from >= list.length) return [...list];
  const rest = list.filter((_, i) => i !== from);
  rest.splice(Math.max(0, Math.min(rest.length, to)), 0, list[from]);
  return rest;
}

/** The place where something held at height y would fall among cards with these tops and heights. */
export function placeAt(y, boxes, from) {
  const before = boxes.filter((box, i) => i !== from && y > box.top + box.height / 2);
  return before.length;
}
