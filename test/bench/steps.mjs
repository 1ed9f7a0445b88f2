// What each step of each model takes on the core that the host chooses: `--layers`.
import { pathToFileURL } from "node:url";
import { pathOf } from "./places.mjs";

/** @returns rows of { model, index, name, op, kernel, macs, ms, share } */
export async function benchSteps(models) {
  const { loadModel } = await import("../../dist/host/targets/node.js");
  const rows = [];
  for (const { name: model, moteFile, macs } of models) {
    const session = await (await loadModel(pathToFileURL(pathOf(moteFile)))).createSession();
    const runs = Math.max(20, Math.ceil(2e9 / macs));
    session.profile(undefined, { runs });
    // the mean of each step, least of five
    const profiles = Array.from({ length: 5 }, () => session.profile(undefined, { runs }));
    const steps = profiles[0].map((step, i) => ({
      ...step,
      ms: Math.min(...profiles.map((profile) => profile[i].ms)),
    }));
    const total = steps.reduce((sum, { ms }) => sum + ms, 0);
    for (const step of steps) rows.push({ model, ...step, share: step.ms / total });
  }
  return rows;
}
