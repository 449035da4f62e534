// What is sampled elsewhere is sampled from a slightly other distribution: another kernel, precision, or version of the weights.
// The policy's term is weighed by min(exp(l_old - l_engine), cap), l_old the trainer's log-probability of a token when the update
// began, l_engine the one that came with it. Nothing learns in the factor, and no other term has it: the KL and J_omni are
// expectations that are taken over what was said, whoever said it. Host arithmetic.

export interface CorrectionOptions {
  /**
   * "token": a factor for every token. "sequence": one for all tokens of a rollout, of the sum of their differences, which is the
   * unbiased one and varies more. "none": 1.
   */
  readonly form: "none" | "token" | "sequence";
  /** No factor is larger: rare tokens that the engine hardly ever says would count for too much. */
  readonly cap: number;
}

/** TRL's and the literature's cap; off, since what is sampled in this process is the policy's own. */
export const defaultCorrection: CorrectionOptions = { form: "none", cap: 3 };

/** One factor per token. */
export function tokenFactors(old: Float32Array, engine: Float32Array, cap: number): Float32Array {
  return old.map((logprob, i) => Math.min(Math.exp(logprob - engine[i]!), cap));
}

/** The same for all tokens of a rollout. @param lengths of the rollouts, one after the other */
export function sequenceFactors(
  lengths: readonly number[],
  old: Float32Array,
  engine: Float32Array,
  cap: number,
): Float32Array {
  const factors = new Float32Array(old.length);
  let at = 0;
  for (const length of lengths) {
    let sum = 0;
    for (let i = at; i < at + length; i++) sum += old[i]! - engine[i]!;
    factors.fill(Math.min(Math.exp(sum), cap), at, at + length);
    at += length;
  }
  return factors;
}
