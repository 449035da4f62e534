// One parameter of a model as its architecture describes it: what a checkpoint is checked against, what a new model is
// made from, and what counts come from.

/** How a fresh parameter is drawn; `residual` is a weight whose output is added to the residual stream. */
export type ParameterRole = "embedding" | "weight" | "residual" | "zero" | "one";

export interface ParameterSpec {
  /** Checkpoint key without the architecture's prefix. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
  /** True: a file may leave it out (a head that is tied to the embedding). */
  readonly optional?: boolean;
  /** True: nothing reads it. It may be absent or of any shape, does not learn, and is saved as it was. */
  readonly isUnused?: boolean;
}

export function numElements(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function weight(name: string, ...shape: number[]): ParameterSpec {
  return { name: `${name}.weight`, shape, role: "weight" };
}

export function residual(name: string, ...shape: number[]): ParameterSpec {
  return { name: `${name}.weight`, shape, role: "residual" };
}

export function bias(name: string, width: number): ParameterSpec {
  return { name: `${name}.bias`, shape: [width], role: "zero" };
}

export function norm(name: string, width: number): ParameterSpec {
  return { name: `${name}.weight`, shape: [width], role: "one" };
}
