// `npm run bench:deploy`: what a Worker and a page cost where they are deployed, on real workerd and Chromium.
//   --write        write docs/deploy.md
// Invariant: nothing is reported whose answers were not right; needs ../shared/data and the engines of test/engines.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { browserAbsent } from "../../engines/browsers.ts";
import { sharedData } from "../../support/sharedData.ts";
import { root } from "../../support/sources.ts";
import { oneModelAbsent } from "../../targets/worker/oneModel.ts";
import { measureCamera, measureLoads, preparePage } from "./page.ts";
import { report } from "./report.ts";
import { measureWorkers, prepareWorkers } from "./workerd.ts";

const ROUNDS = 4;
const LOADS = 8;
const CAMERA_SECONDS = 5;

const missing = sharedData ? (oneModelAbsent() ?? browserAbsent("chromium")) : "../shared/data is absent";
if (missing) {
  console.error(missing);
  process.exit(1);
}
const { workers, remove } = await prepareWorkers();
const page = preparePage();
try {
  const say = (what: string): void => console.error(`${(performance.now() / 1000).toFixed(0)} s: ${what}`);
  say("the page");
  const loads = await measureLoads(page, LOADS);
  say("the camera");
  const camera = await measureCamera(page, CAMERA_SECONDS);
  say("Workers");
  const text = report(await measureWorkers(workers, ROUNDS), loads, camera);
  console.log(text);
  if (process.argv.includes("--write")) writeFileSync(join(root, "docs/deploy.md"), text);
} finally {
  remove();
  page.remove();
}
