// The bench inside a page: engines/chromium.mjs calls `runTask` once in a fresh page, and answers
// `benchBefore` and `benchFirst` with what only the outside can see, the memory of the page's process.
import { measure } from "./measure.mjs";

const io = {
  engine: "page",
  url: (address) => new URL(address, location.origin).href,
  async bytes(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address}: HTTP ${response.status}`);
    return response.arrayBuffer();
  },
  before: () => window.benchBefore(),
  first: () => window.benchFirst(),
};

window.runTask = async (task) => {
  try {
    const peer = await import(`../peers/${task.peer}.mjs`);
    return task.peer === "peak" ? await peer.peak(task) : await measure(peer, task, io);
  } catch (error) {
    return { error: String(error?.stack ?? error) };
  }
};
