// An audio worklet that hands samples to the page, 1,024 at a time.
class Recorder extends AudioWorkletProcessor {
  #samples = new Float32Array(1024);
  #filled = 0;

  process([[channel]]) {
    if (!channel) return true;
    this.#samples.set(channel, this.#filled);
    this.#filled += channel.length;
    if (this.#filled === this.#samples.length) {
      this.port.postMessage(this.#samples);
      this.#filled = 0;
    }
    return true;
  }
}
registerProcessor("recorder", Recorder);
