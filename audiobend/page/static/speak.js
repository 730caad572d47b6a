// The live regions: polite for what the hand did and for the connection, assertive for what is wrong.

let timer = 0;

export function speak(text) {
  const node = document.getElementById('say');
  node.textContent = '';
  clearTimeout(timer);
  timer = setTimeout(() => { node.textContent = text; }, 50);
}

export function alarm(text) {
  document.getElementById('alarm').textContent = text;
}
