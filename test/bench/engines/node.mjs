// Runs a task in a fresh process of one Node.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const GUEST = fileURLToPath(new URL("../guest/node.mjs", import.meta.url));
const LIMIT_MS = 180_000;

/**
 * @param execPath the node program
 * @param execArgv its options
 */
export function nodeEngine(execPath, execArgv = []) {
  return {
    run: (task) =>
      new Promise((resolve) => {
        const child = fork(GUEST, { execPath, execArgv, silent: true });
        let log = "";
        child.stderr.on("data", (text) => {
          log = (log + text).slice(-2000);
        });
        child.stdout.resume();
        const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
        let result;
        child.once("message", (message) => {
          result = message;
        });
        child.once("close", (code, signal) => {
          clearTimeout(timer);
          resolve(result ?? { error: `the process ended by ${signal ?? code}: ${log}` });
        });
        child.once("error", (error) => {
          clearTimeout(timer);
          resolve({ error: String(error) });
        });
        child.send(task);
      }),
    close() {},
  };
}
