// The browser's own microphone and loudspeaker: an AudioWorklet on this side, a WebSocket to the engine's.

import {alarm, speak} from './speak.js';
import {store, touch} from './store.js';

export const mic = {on: false, underruns: 0, frames: 0, latency: 0, words: ''};
let context = null, socket = null, stream = null, node = null, source = null;

/** Begin: the sound of the microphone goes to the engine, and what comes back is heard. */
export async function startMic() {
  if (mic.on) return;
  try {
    stream = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1}});
    context = new AudioContext({sampleRate: store.hello.sample_rate ?? 44100, latencyHint: 'interactive'});
    await context.audioWorklet.addModule('/static/worklet.js');
  } catch (error) {
    stopMic();
    return alarm(`No microphone: ${error.message}`);
  }
  node = new AudioWorkletNode(context, 'audiobend', {numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1], processorOptions: {channels: 1}});
  source = context.createMediaStreamSource(stream);
  source.connect(node).connect(context.destination);
  node.port.onmessage = ({data}) => (data instanceof ArrayBuffer ? give(data) : counted(data));
  open();
  await context.resume();
}

function open() {
  socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/audio?rate=${context.sampleRate}&channels=1`);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => { mic.on = true; speak('This browser\u2019s microphone plays'); touch('mic'); };
  socket.onmessage = ({data}) => {
    if (typeof data === 'string') { const hello = JSON.parse(data); mic.latency = hello.latency_frames ?? 0; touch('mic'); if (hello.fail) alarm(hello.fail); } else node.port.postMessage(data, [data]);
  };
  socket.onclose = ({code, reason}) => { const was = mic.on; stopMic(); if (!was || code > 1001) alarm(reason || 'The engine does not take this browser\u2019s sound.'); };
}

function give(block) {
  if (socket?.readyState === 1 && socket.bufferedAmount < 200000) socket.send(block);
}

function counted({underruns, frames}) {
  Object.assign(mic, {underruns, frames});
  touch('mic');
}

export function stopMic() {
  mic.on = false;
  if (socket) { socket.onclose = null; socket.close(); }
  stream?.getTracks().forEach((track) => track.stop());
  node?.disconnect();
  context?.close();
  context = socket = stream = node = null;
  touch('mic');
}
