// What an accessibility check finds: a list of sentences, empty where all is well. Run inside of the page.
() => {
  const found = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (node) => node.checkVisibility({visibilityProperty: true}) && !node.closest('[hidden]') && node.getClientRects().length > 0;
  const what = (node) => `<${node.tagName.toLowerCase()} ${['id', 'data-act', 'data-cell', 'class'].map((name) => node.getAttribute(name) && `${name}="${node.getAttribute(name)}"`).filter(Boolean).join(' ')}>`;
  const named = (node) => (node.getAttribute('aria-label') ?? '').trim() || document.getElementById(node.getAttribute('aria-labelledby') ?? '')?.textContent.trim()
    || (node.matches('input,select') ? '' : node.textContent.trim()) || node.title;

  // Names and states.
  for (const node of all('button,a[href],input:not([hidden]),select,[role=slider],[role=dialog],[role=meter],[role=img],[role=radiogroup],[role=grid]').filter(seen)) {
    if (!named(node)) found.push(`${what(node)} has no name`);
    if (node.tabIndex > 0) found.push(`${what(node)} has a tabindex above 0`);
  }
  const needs = {radio: ['checked'], switch: ['checked'], slider: ['valuenow'], meter: ['valuenow'], tab: ['selected']};
  for (const [role, states] of Object.entries(needs))
    for (const node of all(`[role=${role}]`).filter(seen)) for (const state of states) if (!node.hasAttribute(`aria-${state}`)) found.push(`${what(node)} has no aria-${state}`);
  const within = {gridcell: 'row', rowheader: 'row', row: 'grid', radio: 'radiogroup', listitem: 'list', tab: 'tablist'};
  for (const [role, outer] of Object.entries(within))
    for (const node of all(`[role=${role}]`)) if (!node.closest(`[role=${outer}]`)) found.push(`${what(node)} is in no ${outer}`);
  for (const node of all('[aria-hidden=true]')) if (node.matches('button,[tabindex="0"]') || node.querySelector('button,[tabindex="0"]')) found.push(`${what(node)} is hidden from readers but not from Tab`);
  const ids = all('[id]').map((node) => node.id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) found.push(`two elements are called #${id}`);
  if (all('h1').length !== 1 || all('main').length !== 1 || !document.documentElement.lang) found.push('one h1, one main and a language are needed');
  if (all('#grid [tabindex="0"]').filter(seen).length > 1) found.push('more than one stop of Tab in the grid');

  // A finger meets 44 by 44.
  for (const node of all('button,a[href]:not(.vh),select').filter(seen)) {
    const {width, height} = node.getBoundingClientRect();
    if (width < 43.5 || height < 43.5) found.push(`${what(node)} is ${Math.round(width)} by ${Math.round(height)}`);
  }

  // Contrast of text against what lies behind it.
  const parse = (colour) => { const [r, g, b, a = 1] = colour.startsWith('color(srgb') ? colour.match(/[\d.]+/g).map((part, i) => (i < 3 ? 255 * part : +part)) : colour.match(/[\d.]+/g).map(Number); return {rgb: [r, g, b], a}; };
  const luminance = (rgb) => { const [r, g, b] = rgb.map((part) => { const x = part / 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (node) => {
    const layers = [];
    for (let one = node; one; one = one.parentElement) { const layer = parse(getComputedStyle(one).backgroundColor); if (layer.a > 0) layers.push(layer); if (layer.a === 1) break; }
    return layers.reverse().reduce((below, {rgb, a}) => below.map((part, i) => part * (1 - a) + rgb[i] * a), [255, 255, 255]);
  };
  const modal = document.documentElement.dataset.overlay ? document.querySelector('#sheet') : document.body;
  const walker = document.createTreeWalker(modal, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !seen(node) || node.closest(':disabled,.vh,[aria-hidden=true],select,option')) continue;
    const [a, b] = [luminance(parse(getComputedStyle(node).color).rgb), luminance(behind(node.matches('.cell .n') ? node.parentElement.querySelector('.lab') : node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${what(node)} "${text.data.trim().slice(0, 24)}" has a contrast of ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)];
}
