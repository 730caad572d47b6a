// The browser's own microphone and loudspeaker: an AudioWorklet on this side, a WebSocket to the engine's.

import {alarm, speak} from './speak.js';
import {store, touch} from './store.js';

export const mic = {on: false, underruns: 0, frames: 0, latency: 0, words: ''};
let context = null, courier = null, stream = null, node = null, source = null;

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
  node.port.onmessage = ({data}) => counted(data);
  open();
  await context.resume();
}

// Blocks go from the audio thread to a worker with the socket and back: a page that draws does not hold them up.
function open() {
  courier = new Worker('/static/courier.js');
  courier.onmessage = ({data}) => hear(data);
  const {port1, port2} = new MessageChannel();
  node.port.postMessage(port1, [port1]);
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  courier.postMessage({url: `${scheme}://${location.host}/audio?rate=${context.sampleRate}&channels=1`, port: port2}, [port2]);
}

function hear({open, hello, closed}) {
  if (open) { mic.on = true; speak('This browser\u2019s microphone plays'); touch('mic'); }
  if (hello) { mic.latency = hello.latency_frames ?? mic.latency; touch('mic'); if (hello.fail) alarm(hello.fail); }
  if (closed) { const was = mic.on; stopMic(); if (!was || closed.code > 1001) alarm(closed.reason || 'The engine does not take this browser\u2019s sound.'); }
}

function counted({underruns, frames}) {
  Object.assign(mic, {underruns, frames});
  touch('mic');
}

export function stopMic() {
  mic.on = false;
  courier?.terminate();
  stream?.getTracks().forEach((track) => track.stop());
  node?.disconnect();
  context?.close();
  context = courier = stream = node = null;
  touch('mic');
}
