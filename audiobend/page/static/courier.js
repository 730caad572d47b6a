// A worker: carries blocks of sound between the audio thread and the engine's socket.

const MOST_WAITING = 200000;    // bytes; what is more than a second late is of no use

onmessage = ({data: {url, port}}) => {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => postMessage({open: true});
  socket.onmessage = ({data}) => {
    if (typeof data === 'string') postMessage({hello: JSON.parse(data)});
    else port.postMessage(data, [data]);
  };
  socket.onclose = ({code, reason}) => postMessage({closed: {code, reason}});
  port.onmessage = ({data}) => { if (socket.readyState === 1 && socket.bufferedAmount < MOST_WAITING) socket.send(data); };
};
