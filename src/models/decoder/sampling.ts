// What sampling is told, and what it gives.

export interface SampleOptions {
  /** Completions per prompt (G). */
  readonly numSamples: number;
  readonly maxNewTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
  /** One seed per row, [prompts * numSamples]: every sequence draws from its own stream. Ignored when greedy. */
  readonly seeds?: readonly number[];
  /**
   * Called for every token when it is chosen, while the others are still to come: for streaming. Must not throw. "stop"
   * ends this sequence here; its `truncated` stays true.
   */
  readonly onToken?: (prompt: number, sample: number, token: ChosenToken) => "stop" | undefined;
  /** Called with the ids of a sequence that has ended, while others are still to come. Must not throw. */
  readonly onEnd?: (prompt: number, sample: number, ids: readonly number[]) => void;
  /** How many of the likeliest ids come with each token of onToken. */
  readonly numLikeliest?: number;
  /** Of the log-probabilities that come back: softmax(logits / this), before anything is banned or cut. Default 1. */
  readonly logprobTemperature?: number;
}

/** A token's id and its log-probability at logprobTemperature, of the untouched logits. */
export interface TokenLogprob {
  readonly id: number;
  readonly logprob: number;
}

export interface ChosenToken extends TokenLogprob {
  /** The numLikeliest likeliest ids at this position, likeliest first; the chosen one need not be among them. */
  readonly likeliest: readonly TokenLogprob[];
}

/** One sampled sequence, stop token included when it was reached. */
export interface SampledCompletion {
  readonly ids: Int32Array;
  /** log pi(token) at logprobTemperature, one per id. */
  readonly logprobs: Float32Array;
  /** True when maxNewTokens ended it. */
  readonly truncated: boolean;
}
