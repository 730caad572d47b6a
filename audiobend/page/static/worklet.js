// In the audio thread: blocks of the microphone go out with a number, blocks that come back wait in a ring.
// A block: u32 sequence, u32 frames, then interleaved f32, little endian.

const BLOCK = 512;
const RING = 1 << 16;

class Audiobend extends AudioWorkletProcessor {
  constructor({processorOptions: {channels}}) {
    super();
    Object.assign(this, {channels, sequence: 0, filled: 0, read: 0, written: 0, underruns: 0, frames: 0, started: false});
    this.block = new Float32Array(BLOCK * channels);
    this.ring = new Float32Array(RING * channels);
    this.wanted = BLOCK * 24;    // 280 ms: what the network and the other side's timers may take
    this.port.onmessage = ({data}) => this.connect(data);
  }

  connect(courier) {
    this.courier = courier;
    courier.onmessage = ({data}) => this.take(data);
  }

  take(data) {
    const samples = new Float32Array(data, 8);
    const {ring, channels} = this;
    const size = RING * channels;
    for (let i = 0; i < samples.length; i++) ring[(this.written + i) % size] = samples[i];
    this.written += samples.length;
    if (this.written - this.read > size) this.read = this.written - this.wanted * channels;
    if (!this.started && this.written - this.read >= this.wanted * channels) this.started = true;
  }

  process([input], [output]) {
    const frames = output[0].length;
    this.give(input, frames);
    const there = (this.written - this.read) / this.channels;
    if (this.started && there < frames) { this.underruns++; this.started = false; this.wanted = Math.min(RING / 2, this.wanted + 4 * BLOCK); }
    if (this.started) this.play(output, frames);
    this.frames += frames;
    if (this.frames % 44032 < frames) this.port.postMessage({underruns: this.underruns, frames: this.frames});
    return true;
  }

  play(output, frames) {
    const size = RING * this.channels;
    for (let i = 0; i < frames; i++)
      for (let c = 0; c < output.length; c++) output[c][i] = this.ring[(this.read + i * this.channels + Math.min(c, this.channels - 1)) % size];
    this.read += frames * this.channels;
  }

  give(input, frames) {
    const {channels} = this;
    for (let i = 0; i < frames; i++) {
      for (let c = 0; c < channels; c++) this.block[this.filled * channels + c] = input[c]?.[i] ?? input[0]?.[i] ?? 0;
      if (++this.filled === BLOCK) this.send();
    }
  }

  send() {
    const packet = new ArrayBuffer(8 + 4 * this.block.length);
    new Uint32Array(packet, 0, 2).set([this.sequence++ >>> 0, BLOCK]);
    new Float32Array(packet, 8).set(this.block);
    this.courier?.postMessage(packet, [packet]);
    this.filled = 0;
  }
}

registerProcessor('audiobend', Audiobend);
