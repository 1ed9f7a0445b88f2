// One step shared by several threads. Invariant: a shard's gradients do not depend on who made them, and they are
// added in the order of the shards, so one worker or several give the same bytes.
//
//   shared memory:  control i32: generation, step, done, failed │ values │ shard 0: loss f64, gradients, statistics │ shard 1 …
//
//   main:    values ─► generation++ ─► own shards ─► waits for done ─► Σ in order
//   worker:            waits ───────► its shards ─► done++

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ToolError } from "../errors.ts";
import { ShardSum, type ShardWorkers } from "./shards.ts";
import type { Trainer } from "./trainer.ts";

const CONTROL_WORDS = 4;
const [GENERATION, STEP, DONE, FAILED] = [0, 1, 2, 3] as const;
/** A worker that says nothing for so long has died. */
const PATIENCE_MS = 120_000;

export interface SharedStep {
  readonly buffer: SharedArrayBuffer;
  readonly trained: number;
  readonly statistics: number;
}

/** What main and workers see of the shared memory. */
export class Exchange {
  readonly control: Int32Array;
  readonly #shared: SharedStep;

  constructor(shared: SharedStep) {
    this.#shared = shared;
    this.control = new Int32Array(shared.buffer, 0, CONTROL_WORDS);
  }

  static bytes(trained: number, statistics: number, shards: number): number {
    const values = (trained + statistics) * 4;
    return CONTROL_WORDS * 4 + values + shards * (8 + values);
  }

  #floats(slot: number): [first: Float32Array, second: Float32Array] {
    const { buffer, trained, statistics } = this.#shared;
    const values = (trained + statistics) * 4;
    const at = CONTROL_WORDS * 4 + (slot < 0 ? 0 : values + slot * (8 + values) + 8);
    return [new Float32Array(buffer, at, trained), new Float32Array(buffer, at + trained * 4, statistics)];
  }

  /** trained values and statistics at the start of the step */
  get values(): [trained: Float32Array, statistics: Float32Array] {
    return this.#floats(-1);
  }

  shard(index: number): { loss: Float64Array; gradients: Float32Array; statistics: Float32Array } {
    const [gradients, statistics] = this.#floats(index);
    const { buffer } = this.#shared;
    // losses are not aligned to eight bytes everywhere: a copy is read and written through a view of bytes
    const loss = new Float64Array(new Uint8Array(buffer, gradients.byteOffset - 8, 8).slice().buffer);
    return { loss, gradients, statistics };
  }

  /** Runs one shard from the shared values and puts what it gives into its slot. */
  compute(trainer: Trainer, step: number, index: number): void {
    const [trained, statistics] = this.values;
    trainer.machine.trainedValues.set(trained);
    trainer.machine.statisticValues.set(statistics);
    const loss = trainer.shardGradients(step, index);
    const slot = this.shard(index);
    slot.gradients.set(trainer.machine.gradients);
    slot.statistics.set(trainer.machine.statisticValues);
    new Uint8Array(this.#shared.buffer, slot.gradients.byteOffset - 8, 8).set(
      new Uint8Array(Float64Array.of(loss).buffer),
    );
  }
}

export interface WorkerData {
  readonly recipe: string;
  readonly seed: number;
  readonly shared: SharedStep;
  readonly shards: readonly number[];
}

export class WorkerPool implements ShardWorkers {
  readonly #trainer: Trainer;
  readonly #exchange: Exchange;
  readonly #workers: readonly Worker[];
  readonly #own: readonly number[];

  private constructor(trainer: Trainer, exchange: Exchange, workers: readonly Worker[], own: readonly number[]) {
    this.#trainer = trainer;
    this.#exchange = exchange;
    this.#workers = workers;
    this.#own = own;
  }

  /** `count` threads, this one included; each imports `recipe` (a module's path) and makes its own trainer of it. */
  static async open(trainer: Trainer, recipe: string, count: number): Promise<WorkerPool> {
    const { shards, seed, machine } = trainer;
    if (count > shards) {
      throw new ToolError(
        "USAGE",
        `${count} workers cannot share a step of ${shards} shard${shards === 1 ? "" : "s"}; let the recipe say "shards: ${count}".`,
      );
    }
    const script = new URL("./worker.js", import.meta.url);
    if (!existsSync(fileURLToPath(script)))
      throw new ToolError("USAGE", "workers need the built tools; run npm run build.");
    const [trained, statistics] = [machine.trainedValues.length, machine.statisticValues.length];
    const shared = { buffer: new SharedArrayBuffer(Exchange.bytes(trained, statistics, shards)), trained, statistics };
    const sharesOf = (worker: number): number[] =>
      Array.from({ length: shards }, (_, shard) => shard).filter((shard) => shard % count === worker);
    const workers = await Promise.all(
      Array.from({ length: count - 1 }, (_, i) => {
        const workerData: WorkerData = { recipe, seed, shared, shards: sharesOf(i + 1) };
        const worker = new Worker(script, { workerData });
        return new Promise<Worker>((resolve, reject) => {
          worker.once("message", () => resolve(worker));
          worker.once("error", reject);
        });
      }),
    );
    for (const worker of workers) worker.unref();
    return new WorkerPool(trainer, new Exchange(shared), workers, sharesOf(0));
  }

  run(step: number): number {
    const { control, values } = this.#exchange;
    const trainer = this.#trainer;
    const { machine, shards } = trainer;
    values[0].set(machine.trainedValues);
    values[1].set(machine.statisticValues);
    const sum = new ShardSum(trainer);
    Atomics.store(control, STEP, step);
    Atomics.store(control, DONE, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    for (const shard of this.#own) this.#exchange.compute(trainer, step, shard);
    for (;;) {
      const done = Atomics.load(control, DONE);
      if (Atomics.load(control, FAILED) !== 0) throw new Error("a training worker failed; its message is above");
      if (done === this.#workers.length) break;
      if (Atomics.wait(control, DONE, done, PATIENCE_MS) === "timed-out")
        throw new Error("a training worker has stopped answering");
    }
    for (let shard = 0; shard < shards; shard++) {
      const { loss, gradients, statistics } = this.#exchange.shard(shard);
      sum.add(loss[0]!, gradients, statistics);
    }
    return sum.finish();
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** A worker's life: waits for a step, makes its shards, says so. Never returns. */
export function serve(trainer: Trainer, { shared, shards }: WorkerData): void {
  const exchange = new Exchange(shared);
  const { control } = exchange;
  for (let seen = 0; ; ) {
    Atomics.wait(control, GENERATION, seen);
    if (Atomics.load(control, GENERATION) === seen) continue;
    seen = Atomics.load(control, GENERATION);
    try {
      for (const shard of shards) exchange.compute(trainer, Atomics.load(control, STEP), shard);
    } catch (error) {
      Atomics.store(control, FAILED, 1);
      Atomics.add(control, DONE, 1);
      Atomics.notify(control, DONE);
      throw error;
    }
    Atomics.add(control, DONE, 1);
    Atomics.notify(control, DONE);
  }
}
