// A log's numbers as curves in bounded memory: every number a column, and once there are too many points, each becomes the mean
// of twice as many steps.

const maxPoints = 4096;
const maxColumns = 300;
const maxNameLength = 120;

interface Column {
  /** Sums of what a point holds, and how many numbers are in it. */
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
}

/** Example: 5,000 rows of step 0 to 4,999 give 2,500 points of stride 2. */
export class Series {
  readonly #columns = new Map<string, Column>();
  readonly #steps = new Float64Array(maxPoints);
  #numRows = 0;
  #stride = 1;

  get stride(): number {
    return this.#stride;
  }

  get numPoints(): number {
    return Math.ceil(this.#numRows / this.#stride);
  }

  names(): string[] {
    return [...this.#columns.keys()];
  }

  clear(): void {
    this.#columns.clear();
    this.#numRows = 0;
    this.#stride = 1;
  }

  add(row: Readonly<Record<string, unknown>>): void {
    if (this.#numRows === maxPoints * this.#stride) this.#halve();
    const point = Math.floor(this.#numRows / this.#stride);
    // A point stands at the last of its steps.
    this.#steps[point] = row.step as number;
    this.#numRows++;
    for (const [name, value] of Object.entries(row)) {
      if (name === "step" || typeof value !== "number" || !Number.isFinite(value)) continue;
      const column = this.#columns.get(name) ?? this.#newColumn(name);
      if (column === null) continue;
      column.sums[point]! += value;
      column.counts[point]! += 1;
    }
  }

  steps(start: number): number[] {
    return [...this.#steps.subarray(start, this.numPoints)];
  }

  /** null: no number there. */
  values(name: string, start: number): (number | null)[] {
    const column = this.#columns.get(name);
    const values: (number | null)[] = [];
    for (let point = start; point < this.numPoints; point++) {
      const count = column?.counts[point] ?? 0;
      values.push(count === 0 ? null : Number((column!.sums[point]! / count).toPrecision(6)));
    }
    return values;
  }

  #newColumn(name: string): Column | null {
    if (this.#columns.size >= maxColumns || name.length > maxNameLength) return null;
    const column = { sums: new Float64Array(maxPoints), counts: new Uint32Array(maxPoints) };
    this.#columns.set(name, column);
    return column;
  }

  #halve(): void {
    const half = maxPoints / 2;
    for (let point = 0; point < half; point++) this.#steps[point] = this.#steps[2 * point + 1]!;
    for (const { sums, counts } of this.#columns.values()) {
      for (let point = 0; point < half; point++) {
        sums[point] = sums[2 * point]! + sums[2 * point + 1]!;
        counts[point] = counts[2 * point]! + counts[2 * point + 1]!;
      }
      sums.fill(0, half);
      counts.fill(0, half);
    }
    this.#stride *= 2;
  }
}
