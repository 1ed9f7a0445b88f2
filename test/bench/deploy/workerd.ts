// kws in workerd as it is deployed: its first request in an isolate that has answered none, CPU of start-up and of
// requests, its upload. Invariant: Workers that do nothing run beside it, round by round, and are subtracted where that is
// said; every answer is compared before a time is kept.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "../../../host/targets/node.ts";
import { startWorker } from "../../engines/workerd.ts";
import { sharedData } from "../../support/sharedData.ts";
import { packKeywords, packShared } from "../../targets/webview/page.ts";
import { bundleWorker, oneModelProject } from "../../targets/worker/oneModel.ts";
// @ts-expect-error: the bench's scripts have no types
import { residentMiB } from "../engines/resident.mjs";

const REQUESTS = 300;
const headers = { "content-type": "application/octet-stream" };

export interface WorkerRow {
  readonly name: string;
  readonly upload: number;
  /** ms from asking to the answer: the first request, which loads the model and starts the core; the best later one */
  readonly firstMs: readonly number[];
  readonly laterMs: number;
  /** the same way with nothing done */
  readonly emptyMs: number;
  /** ms of CPU beyond a Worker that does nothing: until it is ready, of the first request on its thread, of others on average */
  readonly startCpuMs: number;
  readonly firstCpuMs: number;
  /** compiling in the background included */
  readonly firstAllCpuMs: number;
  readonly laterCpuMs: number;
  readonly rssMiB: number;
  readonly version: string;
}

interface Deployed {
  readonly name: string;
  readonly folder: string;
  readonly upload: number;
  readonly input?: Uint8Array;
  readonly expected?: readonly number[];
}

/** ms of CPU that process `pid` has taken: in all its threads, or in the first, which runs all requests of workerd. */
function cpuMs(pid: number, threads: readonly string[] = readdirSync(`/proc/${pid}/task`)): number {
  const nanoseconds = threads.map((thread) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      return 0; // it ended meanwhile
    }
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** The newest workerd that this process started. */
function workerdPid(): number {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  const mine = pids.filter((pid) => {
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("workerd");
    } catch {
      return false;
    }
  });
  return Math.max(...mine);
}

/** Makes what is measured; takes the time that bundling takes. */
export async function prepareWorkers(): Promise<{ workers: Deployed[]; remove(): void }> {
  const project = oneModelProject();
  project.write("nothing/worker.js", "export default { fetch: () => Response.json({}) };");
  const golden = join(sharedData!, "cases/kws_ref_model/yes");
  const { outputs } = JSON.parse(readFileSync(join(golden, "case.json"), "utf8"));
  const sound = packKeywords();
  // 44 bytes of header, then 16-bit samples
  const wav = readFileSync(join(sharedData!, "media/yes_1000ms.wav"));
  const samples = Float32Array.from({ length: 16_000 }, (_, i) => wav.readInt16LE(44 + 2 * i) / 32768);
  const session = await (await loadModel(sound)).createSession();
  const [heard] = Object.values(session.run(samples));
  const kws = bundleWorker(project, "kws", packShared("kws_ref_model.tflite", {}));
  const whole = bundleWorker(project, "sound", sound);
  return {
    workers: [
      { name: "nothing", folder: join(project.folder, "nothing"), upload: 0 },
      {
        ...{ name: "kws, features", folder: kws.folder, upload: kws.upload },
        input: readFileSync(join(golden, "in0.bin")),
        expected: [...new Int8Array(readFileSync(join(golden, outputs[0].files.xnnpack)))],
      },
      {
        ...{ name: "kws, a second of sound", folder: whole.folder, upload: whole.upload },
        input: new Uint8Array(samples.buffer),
        expected: [...heard!],
      },
    ],
    remove: () => project.remove(),
  };
}

type Round = Omit<WorkerRow, "name" | "upload" | "firstMs"> & { readonly firstMs: number };

async function round({ name, folder, input, expected }: Deployed): Promise<Round> {
  const worker = await startWorker(folder, "worker.js");
  try {
    const pid = workerdPid();
    const startCpuMs = cpuMs(pid);
    const ask = async (init?: RequestInit): Promise<number> => {
      const started = performance.now();
      const answer = (await (await worker.fetch("/", init)).json()) as { output?: number[] };
      const elapsed = performance.now() - started;
      if (init && String(answer.output) !== String(expected))
        throw new Error(`${name}: a wrong answer: ${answer.output}`);
      return elapsed;
    };
    const init = input && { method: "POST", headers, body: input as BodyInit };
    // the connection is made by asking for nothing, which touches neither model nor core
    await ask();
    const [before, ownBefore] = [cpuMs(pid), cpuMs(pid, [`${pid}`])];
    const firstMs = await ask(init);
    const [first, ownFirst] = [cpuMs(pid), cpuMs(pid, [`${pid}`])];
    let laterMs = Infinity;
    for (let i = 0; i < REQUESTS; i++) laterMs = Math.min(laterMs, await ask(init));
    const laterCpuMs = (cpuMs(pid) - first) / REQUESTS;
    let emptyMs = Infinity;
    for (let i = 0; i < 50; i++) emptyMs = Math.min(emptyMs, await ask());
    const rssMiB = residentMiB(process.pid, "workerd") as number;
    return {
      firstMs,
      laterMs,
      emptyMs,
      startCpuMs,
      firstCpuMs: ownFirst - ownBefore,
      firstAllCpuMs: first - before,
      laterCpuMs,
      rssMiB,
      version: worker.version,
    };
  } finally {
    await worker.close();
  }
}

/** Fresh processes, round by round. */
export async function measureWorkers(workers: readonly Deployed[], rounds: number): Promise<WorkerRow[]> {
  const measured = new Map<Deployed, Round[]>(workers.map((each) => [each, []]));
  for (let i = 0; i < rounds; i++) for (const each of workers) measured.get(each)!.push(await round(each));
  const least = (each: Deployed, key: keyof Round): number =>
    Math.min(...measured.get(each)!.map((one) => one[key] as number));
  const [nothing, ...others] = workers as [Deployed, ...Deployed[]];
  const beyond = (each: Deployed, key: keyof Round): number => least(each, key) - least(nothing, key);
  return others.map((each) => ({
    name: each.name,
    upload: each.upload,
    firstMs: measured.get(each)!.map(({ firstMs }) => firstMs),
    laterMs: least(each, "laterMs"),
    emptyMs: least(each, "emptyMs"),
    startCpuMs: beyond(each, "startCpuMs"),
    firstCpuMs: beyond(each, "firstCpuMs"),
    firstAllCpuMs: beyond(each, "firstAllCpuMs"),
    laterCpuMs: beyond(each, "laterCpuMs"),
    rssMiB: least(each, "rssMiB"),
    version: measured.get(each)![0]!.version,
  }));
}
