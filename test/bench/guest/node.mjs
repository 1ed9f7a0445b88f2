// The bench inside a Node process: takes one task from its parent, sends back one result, and ends.
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { pathOf } from "../places.mjs";
import { measure } from "./measure.mjs";

const MIB = 2 ** 20;
let rssBefore = 0;

const io = {
  engine: "node",
  url: (address) => pathToFileURL(pathOf(address)).href,
  path: pathOf,
  async bytes(address) {
    const { buffer, byteOffset, length } = await readFile(pathOf(address));
    return buffer.slice(byteOffset, byteOffset + length);
  },
  before() {
    rssBefore = process.memoryUsage().rss;
  },
  first() {
    const { rss } = process.memoryUsage();
    return { rssMiB: rss / MIB, rssAddedMiB: (rss - rssBefore) / MIB };
  },
};

process.once("message", async (task) => {
  let result;
  try {
    const peer = await import(`../peers/${task.peer}.mjs`);
    result = task.peer === "peak" ? await peer.peak(task) : await measure(peer, task, io);
  } catch (error) {
    result = { error: String(error?.stack ?? error) };
  }
  process.send(result, () => process.exit(0));
});
