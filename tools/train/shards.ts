// A step in parts: gradients made apart and added in order. Invariant: each part starts from the same statistics,
// and sums go in the order of the parts, whoever made them.

import type { Trainer } from "./trainer.ts";

/** Makes the gradients of one step elsewhere; see workers.ts. */
export interface ShardWorkers {
  /** leaves the gradients of the step in the machine; returns the mean loss */
  run(step: number): number;
}

/** Adds shards' gradients in order, and averages the statistics that each of them moved from the same start. */
export class ShardSum {
  readonly #trainer: Trainer;
  readonly #gradients: Float32Array;
  readonly #statistics: Float32Array;
  readonly #before: Float32Array;
  #loss = 0;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
    const { gradients, statisticValues } = trainer.machine;
    this.#gradients = new Float32Array(gradients.length);
    this.#statistics = new Float32Array(statisticValues.length);
    this.#before = statisticValues.slice();
  }

  restoreStatistics(): void {
    this.#trainer.machine.statisticValues.set(this.#before);
  }

  add(loss: number, gradients: Float32Array, statistics: Float32Array): void {
    const share = 1 / this.#trainer.shards;
    const sum = this.#gradients;
    for (let i = 0; i < sum.length; i++) sum[i]! += gradients[i]! * share;
    const mean = this.#statistics;
    for (let i = 0; i < mean.length; i++) mean[i]! += statistics[i]! * share;
    this.#loss += loss * share;
  }

  finish(): number {
    const { machine } = this.#trainer;
    machine.gradients.set(this.#gradients);
    machine.statisticValues.set(this.#statistics);
    return this.#loss;
  }
}
