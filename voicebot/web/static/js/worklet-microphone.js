// On the audio thread: the microphone, as frames of 20 ms, 16-bit, 16 kHz.

const RATE = 16000;
const FRAME = RATE / 50;

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / RATE;
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.sum = 0;
    this.count = 0;
    this.owed = this.step;
  }

  process(inputs) {
    const heard = inputs[0][0];
    if (!heard) return true;
    for (const sample of heard) {
      // where the browser refuses 16 kHz: the mean of what falls into one of our samples
      this.sum += sample;
      this.count += 1;
      this.owed -= 1;
      if (this.owed > 0.5) continue;
      this.put(this.sum / this.count);
      this.sum = 0;
      this.count = 0;
      this.owed += this.step;
    }
    return true;
  }

  put(value) {
    this.frame[this.filled] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
    this.filled += 1;
    if (this.filled < FRAME) return;
    this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }
}

registerProcessor("microphone", Microphone);
