// Ridge regression on sparse rows, solved by conjugate gradients. Small and deterministic; a few thousand rows take
// milliseconds.

/** One weighted example: the indices and values of its features, and its targets by output. */
export interface RidgeRow {
  readonly indices: readonly number[];
  readonly values: readonly number[];
  readonly weight: number;
  /** Output -> target; outputs that are not named have target 0. */
  readonly targets: ReadonlyMap<number, number>;
}

const maxIterations = 500;
const relativeTolerance = 1e-10;

/**
 * Minimises, for every output o, sum_r weight_r (x_r . w_o - target_ro)^2 + penalty |w_o|^2.
 *
 * @returns weights, row-major [numFeatures, numOutputs].
 */
export function fitRidge(
  rows: readonly RidgeRow[],
  numFeatures: number,
  numOutputs: number,
  penalty: number,
): Float64Array {
  const weights = new Float64Array(numFeatures * numOutputs);
  for (let output = 0; output < numOutputs; output++) {
    const right = new Float64Array(numFeatures);
    for (const row of rows) {
      const target = row.targets.get(output);
      if (target !== undefined) addScaled(right, row, row.weight * target);
    }
    const solution = conjugateGradients((vector) => normalProduct(rows, vector, penalty), right);
    for (let f = 0; f < numFeatures; f++) weights[f * numOutputs + output] = solution[f]!;
  }
  return weights;
}

/** (X^T W X + penalty I) v */
function normalProduct(rows: readonly RidgeRow[], vector: Float64Array, penalty: number): Float64Array {
  const out = vector.map((value) => value * penalty);
  for (const row of rows) {
    let sum = 0;
    for (let i = 0; i < row.indices.length; i++) sum += row.values[i]! * vector[row.indices[i]!]!;
    if (sum !== 0) addScaled(out, row, row.weight * sum);
  }
  return out;
}

function addScaled(target: Float64Array, row: RidgeRow, scale: number): void {
  for (let i = 0; i < row.indices.length; i++) target[row.indices[i]!]! += row.values[i]! * scale;
}

/** Solves A x = b for a symmetric positive definite A given as a product. */
function conjugateGradients(product: (vector: Float64Array) => Float64Array, right: Float64Array): Float64Array {
  const solution = new Float64Array(right.length);
  const residual = right.slice();
  const direction = right.slice();
  let norm = squaredNorm(residual);
  const goal = norm * relativeTolerance * relativeTolerance;
  for (let iteration = 0; iteration < maxIterations && norm > goal; iteration++) {
    const moved = product(direction);
    let curvature = 0;
    for (let i = 0; i < direction.length; i++) curvature += direction[i]! * moved[i]!;
    const step = norm / curvature;
    for (let i = 0; i < solution.length; i++) {
      solution[i]! += step * direction[i]!;
      residual[i]! -= step * moved[i]!;
    }
    const next = squaredNorm(residual);
    const keep = next / norm;
    for (let i = 0; i < direction.length; i++) direction[i] = residual[i]! + keep * direction[i]!;
    norm = next;
  }
  return solution;
}

function squaredNorm(vector: Float64Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return sum;
}
