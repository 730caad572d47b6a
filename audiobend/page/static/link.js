// The WebSocket to the page server: it comes back by itself, and says nothing of what it cannot send.

const WAIT = [0.25, 0.5, 1, 2, 2, 4];

/**
 * Open the link. Handlers: text(object), frame(ArrayBuffer), up(), lost(seconds), answer(reply).
 * Returns {say(object), do(list), now(), up}.
 */
export function openLink(url, handlers) {
  let socket = null;
  let tries = 0;
  let number = 0;
  let timer = 0;
  const link = {up: false, say, do: (list) => say({n: ++number, do: list}), now: connect};

  function connect() {
    clearTimeout(timer);
    if (socket) { socket.onclose = null; socket.close(); }
    socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => { tries = 0; link.up = true; handlers.up(); };
    socket.onmessage = ({data}) => (typeof data === 'string' ? received(data) : handlers.frame(data));
    socket.onclose = () => {
      link.up = false;
      const seconds = WAIT[Math.min(tries++, WAIT.length - 1)];
      handlers.lost(seconds);
      timer = setTimeout(connect, 1000 * seconds);
    };
  }

  function received(text) {
    const message = JSON.parse(text);
    if ('n' in message) handlers.answer(message);
    else handlers.text(message);
  }

  function say(message) {
    if (link.up) socket.send(JSON.stringify(message));
    return link.up;
  }

  connect();
  return link;
}
