// On the audio thread: a ring of samples for each channel, filled by messages, played as they come.
// It waits for a little stock first (jitter), drops the oldest when too much waits, and is silent when empty.
// Stock that was never needed for a while, as after a stall, or where the sender's clock is faster than ours, is
// dropped as well: otherwise all that follows would be heard late.

const STOCK_S = 0.06;
const MOST_S = 0.5;
const LOOK_S = 2;

class Player extends AudioWorkletProcessor {
  constructor(options) {
    super();
    this.channels = options.processorOptions.channels;
    this.size = Math.ceil(sampleRate * 2);
    this.enough = Math.round(sampleRate * STOCK_S);
    this.rings = Array.from({ length: this.channels }, () => new Float32Array(this.size));
    this.read = 0;
    this.stock = 0;
    this.playing = false;
    this.look();
    this.port.onmessage = ({ data }) => (data === "clear" ? this.clear() : this.push(data));
  }

  clear() {
    this.stock = 0;
    this.playing = false;
  }

  push(samples) {
    const frames = samples.length / this.channels;
    const most = sampleRate * MOST_S;
    if (this.stock + frames > most) {
      this.drop(Math.min(this.stock, this.stock + frames - this.enough));
    }
    for (let at = 0; at < frames; at += 1) {
      const place = (this.read + this.stock + at) % this.size;
      for (let channel = 0; channel < this.channels; channel += 1) this.rings[channel][place] = samples[at * this.channels + channel];
    }
    this.stock += frames;
    if (this.stock >= this.enough) this.playing = true;
  }

  drop(frames) {
    this.read = (this.read + frames) % this.size;
    this.stock -= frames;
  }

  /** Begin to look how much of the stock is needed. */
  look() {
    this.least = Infinity;
    this.looked = 0;
  }

  process(_, outputs) {
    const out = outputs[0];
    const frames = out[0].length;
    const n = this.playing ? Math.min(frames, this.stock) : 0;
    for (let channel = 0; channel < out.length; channel += 1) {
      const ring = this.rings[Math.min(channel, this.channels - 1)];
      for (let at = 0; at < n; at += 1) out[channel][at] = ring[(this.read + at) % this.size];
    }
    this.drop(n);
    if (!this.stock) this.playing = false;
    this.least = Math.min(this.least, this.stock);
    this.looked += frames;
    if (this.looked >= sampleRate * LOOK_S) {
      if (this.least > 2 * this.enough) this.drop(this.least - this.enough);
      this.look();
    }
    return true;
  }
}

registerProcessor("player", Player);
