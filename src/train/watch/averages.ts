// Moving averages of a run's numbers, and what they began with and were at best: what a collapse is told by.

/** Weight of what was before; about the last five steps count. */
const decay = 0.8;
/** Values whose mean stands for the start. */
const startValues = 5;

/** Of one number. */
export class Average {
  #sum = 0;
  #weight = 0;
  #count = 0;
  #startSum = 0;
  #highest = Number.NEGATIVE_INFINITY;
  #last = Number.NaN;

  /** One that is not finite is the last value, and no part of the averages. */
  add(value: number): void {
    this.#last = value;
    if (!Number.isFinite(value)) return;
    this.#sum = decay * this.#sum + value;
    this.#weight = decay * this.#weight + 1;
    this.#count++;
    if (this.#count <= startValues) this.#startSum += value;
    this.#highest = Math.max(this.#highest, this.now);
  }

  get last(): number {
    return this.#last;
  }

  /** The present average. */
  get now(): number {
    return this.#sum / this.#weight;
  }

  /** The mean of the first five values. */
  get start(): number {
    return this.#startSum / Math.min(this.#count, startValues);
  }

  /** The largest average so far; the first is the first value, which is that of the model as it was. */
  get best(): number {
    return this.#highest;
  }

  /** Whether there was something before the present to compare it with. */
  get isStanding(): boolean {
    return this.#count > startValues;
  }
}
