// Sound in the browser: hear what comes over a websocket, send what the microphone hears, show levels.

import { colour } from "./dom.js";

const RATE = 16000;

export function floats(pcm) {
  const samples = new Int16Array(pcm);
  const out = new Float32Array(samples.length);
  for (let at = 0; at < samples.length; at += 1) out[at] = samples[at] / 32768;
  return out;
}

/** Plays frames of 16-bit PCM; each channel has a level of its own. */
export class Player {
  static async open(rate, channels) {
    const player = new Player();
    player.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    try {
      await player.#build(channels);
    } catch (error) {
      player.close();
      throw error;
    }
    return player;
  }

  async #build(channels) {
    await this.context.audioWorklet.addModule("/static/js/worklet-player.js");
    this.node = new AudioWorkletNode(this.context, "player", {
      numberOfInputs: 0, outputChannelCount: [channels], processorOptions: { channels },
    });
    this.gain = this.context.createGain();
    const split = this.context.createChannelSplitter(channels);
    this.levels = Array.from({ length: channels }, (_, channel) => {
      const level = this.context.createAnalyser();
      level.fftSize = 512;
      split.connect(level, channel);
      return level;
    });
    this.node.connect(split);
    this.node.connect(this.gain).connect(this.context.destination);
    await this.context.resume();
  }

  play(pcm) {
    const samples = floats(pcm);
    this.node.port.postMessage(samples, [samples.buffer]);
  }

  clear() {
    this.node.port.postMessage("clear");
  }

  set volume(value) {
    this.gain.gain.setTargetAtTime(value, this.context.currentTime, 0.02);
  }

  close() {
    this.context?.close();
  }
}

/** The microphone as frames of 20 ms: heard(ArrayBuffer of 16-bit PCM, 16 kHz). */
export class Microphone {
  static async open(heard) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("This browser gives pages no microphone here: open the panel at https:// or at 127.0.0.1");
    }
    const microphone = new Microphone();
    try {
      microphone.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      const why = { NotAllowedError: "The microphone was not allowed: allow it beside the address, then try again", NotFoundError: "No microphone was found: plug one in, then try again" };
      throw new Error(why[error.name] ?? `The microphone cannot be opened: ${error.message}`);
    }
    const connect = async (options) => {
      microphone.context = new AudioContext(options);
      await microphone.context.audioWorklet.addModule("/static/js/worklet-microphone.js");
      return microphone.context.createMediaStreamSource(microphone.stream);
    };
    let source;
    try {
      source = await connect({ sampleRate: RATE }).catch(async () => {
        await microphone.context.close(); // Firefox joins no streams of another rate
        return connect({});
      });
    } catch (error) {
      microphone.close(); // else the browser goes on showing that it listens
      throw new Error(`The microphone cannot be opened: ${error.message}`);
    }
    const node = new AudioWorkletNode(microphone.context, "microphone", { numberOfOutputs: 0 });
    node.port.onmessage = ({ data }) => { if (!microphone.muted) heard(data); };
    microphone.level = microphone.context.createAnalyser();
    microphone.level.fftSize = 512;
    source.connect(node);
    source.connect(microphone.level);
    await microphone.context.resume();
    return microphone;
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.context?.close();
  }
}

const buffers = new WeakMap();

/** The level of an analyser now, 0 to 1, as ears count: -60 dB is 0. */
export function levelOf(analyser) {
  if (!analyser) return 0;
  if (!buffers.has(analyser)) buffers.set(analyser, new Float32Array(analyser.fftSize));
  const samples = buffers.get(analyser);
  analyser.getFloatTimeDomainData(samples);
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length + 1e-10);
  return Math.max(0, Math.min(1, (db + 60) / 55));
}

/** Draw levels on canvases until stopped: [[canvas, analyser of now, colour token]]. */
export function meters(pairs) {
  let going = true;
  const shown = pairs.map(() => 0);
  function draw() {
    if (!going) return;
    pairs.forEach(([canvas, analyser, token], at) => {
      shown[at] = Math.max(levelOf(analyser()), shown[at] * 0.88);
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = colour(token);
      context.fillRect(0, 0, canvas.width * shown[at], canvas.height);
    });
    requestAnimationFrame(draw);
  }
  draw();
  return () => {
    going = false;
    for (const [canvas] of pairs) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  };
}
