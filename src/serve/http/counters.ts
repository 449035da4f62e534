// Counters of a server in the text format that Prometheus reads, and the spread of its answering times.

/** Upper bounds in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Counters {
  readonly #prefix: string;
  readonly #values = new Map<string, number>();
  readonly #gauges = new Map<string, () => number>();
  readonly #spread = new Float64Array(buckets.length + 1);
  #seconds = 0;

  /** @param prefix such as "oppo_reward" */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Example: `add("requests_total", 1, { path: "/v1/rewards", status: "200" })` */
  add(name: string, by = 1, labels: Readonly<Record<string, string>> = {}): void {
    const inner = Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, "_")}"`);
    const key = inner.length === 0 ? name : `${name}{${inner.join(",")}}`;
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }

  /** A value that is asked for when the counters are read. */
  gauge(name: string, value: () => number): void {
    this.#gauges.set(name, value);
  }

  /** The time that one request took. */
  observe(seconds: number): void {
    const index = buckets.findIndex((bound) => seconds <= bound);
    this.#spread[index < 0 ? buckets.length : index]! += 1;
    this.#seconds += seconds;
  }

  text(): string {
    const lines = [...this.#values].map(([key, value]) => `${this.#prefix}_${key} ${value}`);
    for (const [name, value] of this.#gauges) lines.push(`${this.#prefix}_${name} ${value()}`);
    let sum = 0;
    this.#spread.forEach((count, i) => {
      sum += count;
      lines.push(`${this.#prefix}_request_seconds_bucket{le="${buckets[i] ?? "+Inf"}"} ${sum}`);
    });
    lines.push(`${this.#prefix}_request_seconds_sum ${this.#seconds}`, `${this.#prefix}_request_seconds_count ${sum}`);
    return `${lines.join("\n")}\n`;
  }
}
