// The progress of a training run on stderr. Invariant: on a terminal one line is rewritten a few times a second;
// elsewhere each epoch is one plain line.

import type { Trainer } from "../train/trainer.ts";

const CLEAR_LINE = "\r\u001b[2K";
const EVERY_MS = 120;
const BAR = 24;

export class TrainingProgress {
  readonly #trainer: Trainer;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #started = performance.now();
  readonly #firstStep: number;
  #shown = 0;
  #epochs: number;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
    this.#firstStep = trainer.progress.step;
    this.#epochs = trainer.progress.epochs.length;
  }

  show(): void {
    const { progress, totalSteps, recipe, stepsPerEpoch } = this.#trainer;
    const now = performance.now();
    const epochEnded = progress.epochs.length > this.#epochs;
    this.#epochs = progress.epochs.length;
    const left = ((now - this.#started) / (progress.step - this.#firstStep)) * (totalSteps - progress.step);
    const last = progress.epochs.at(-1);
    const metric =
      last?.validationAccuracy === undefined ? "" : `  accuracy ${(last.validationAccuracy * 100).toFixed(1)} %`;
    const validation =
      last && this.#trainer.data.validation ? `  validation ${last.validationLoss.toFixed(4)}${metric}` : "";
    const time = `  ${Math.ceil(left / 1000)} s left`;
    if (!this.#terminal) {
      if (!epochEnded || (recipe.epochs > 100 && last!.epoch % Math.ceil(recipe.epochs / 50) !== 0)) return;
      process.stderr.write(
        `epoch ${last!.epoch + 1} of ${recipe.epochs}  loss ${last!.loss.toFixed(4)}${validation}${time}\n`,
      );
      return;
    }
    if (now - this.#shown < EVERY_MS) return;
    this.#shown = now;
    const filled = Math.round((progress.step / totalSteps) * BAR);
    const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
    const epoch = Math.min(recipe.epochs, Math.floor(progress.step / stepsPerEpoch) + 1);
    process.stderr.write(
      `${CLEAR_LINE}${bar} epoch ${epoch} of ${recipe.epochs}  loss ${progress.losses.at(-1)!.toFixed(4)}${validation}${time}`,
    );
  }

  end(): void {
    if (this.#terminal) process.stderr.write(CLEAR_LINE);
  }
}
