// A few things that are dear to make, kept by name: the one that was used longest ago makes room. What is made of logs must not
// grow with the number of runs that somebody looked at.

export class LatestUsed<T> {
  readonly #limit: number;
  readonly #kept = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(name: string, make: () => T): T {
    const found = this.#kept.get(name);
    const value = found ?? make();
    this.#kept.delete(name);
    this.#kept.set(name, value);
    if (this.#kept.size > this.#limit) this.#kept.delete(this.#kept.keys().next().value!);
    return value;
  }
}
