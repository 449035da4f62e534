// Whether a server computes with the weights that it was given. A fixed prompt of the run is asked about with each of them, and its
// likeliest first tokens are held against the trainer's own: servers have been seen that take an adapter and ignore it, or that
// go on with the weights of before.
import { OppoError } from "../../error.ts";
import { addAdapter } from "../../models/adapt.ts";
import type { AdaptedModel, OmniModel } from "../../models/omni-model.ts";
import { logDistribution } from "../../rl/chunks.ts";
import { Generator, noGrad, op, scope } from "../../tensor/index.ts";
import type { RolloutRequest } from "./engine.ts";

/** Ids and log-probabilities of a server. */
export type Likeliest = ReadonlyMap<number, number>;

/** log pi of every token as the first one of an answer, [V]. */
export type FirstToken = Float32Array;

/** The trainer's own. */
export function firstToken(
  model: OmniModel,
  { prompt, clip }: Pick<RolloutRequest, "prompt" | "clip">,
  temperature: number,
): FirstToken {
  return scope(() =>
    noGrad(() => {
      // Rows of a library go with their step, and towers may learn.
      const rows = clip.numFrames + clip.waveform.length === 0 ? null : model.encode([model.features(clip)])[0]!;
      const hidden = model.hidden([{ tokens: prompt.tokens, rows }], [[Int32Array.of(model.stopIds[0] ?? 0)]]);
      return logDistribution(model.logits(hidden.select(0, 0)), temperature).toFloat32Array();
    }),
  );
}

/** Mean difference in nats over the tokens that a server told. */
export function distance(told: Likeliest, own: FirstToken): number {
  let sum = 0;
  for (const [id, logprob] of told) sum += Math.abs(logprob - (own[id] ?? 0));
  return sum / told.size;
}

/** The same between two of ours, over those tokens. */
function moved(told: Likeliest, before: FirstToken, after: FirstToken): number {
  let sum = 0;
  for (const id of told.keys()) sum += Math.abs(after[id]! - before[id]!);
  return sum / told.size;
}

/** Nats in the mean that the weights of a model may differ by between two float32 engines of ours; else, by roundings of bfloat16. */
const nearest = 1e-3;
const nearEnough = 0.25;

export function toleranceOf(policy: Pick<OmniModel, "dtype">, isOurs: boolean): number {
  return isOurs && policy.dtype === "float32" ? nearest : nearEnough;
}

/** @throws OppoError ERR_ROLLOUT_MODEL */
export function requireModel(server: string, told: Likeliest, own: FirstToken, tolerance: number): void {
  const difference = distance(told, own);
  if (difference <= tolerance) return;
  throw new OppoError(
    "ERR_ROLLOUT_MODEL",
    `${server}: expected the log-probabilities of the model that the run starts from (within ${tolerance} nats), got others by ${difference.toFixed(4)} in the mean. ` +
      "It serves other weights, or tells them at another temperature; serve the folder that the run starts from, with --logprobs-mode processed_logprobs where the temperature is not 1.",
  );
}

/** An adapter that is heard: what is tried on a server before the first step. */
export interface TestAdapter {
  readonly adapted: AdaptedModel;
  readonly own: FirstToken;
}

const clearlyHeard = 0.5;
const firstSize = 0.02;
const maxDoublings = 12;

/** Of the run's own form, its B drawn so large that the probe's answer is another. The caller disposes of it. */
export function testAdapter(
  policy: AdaptedModel,
  request: RolloutRequest,
  temperature: number,
  seed: number,
): TestAdapter {
  const base = firstToken(policy.base, request, temperature);
  const adapted = addAdapter(policy.base, policy.adapter.config, seed);
  const likely = new Map([...base.entries()].toSorted(([, a], [, b]) => b - a).slice(0, 20));
  let own = base;
  for (let i = 0, size = firstSize; i < maxDoublings && moved(likely, base, own) < clearlyHeard; i++, size *= 2) {
    drawUp(adapted, seed, size);
    own = firstToken(adapted, request, temperature);
  }
  return { adapted, own };
}

function drawUp(adapted: AdaptedModel, seed: number, size: number): void {
  using generator = new Generator(seed);
  noGrad(() =>
    scope(() => {
      for (const [name, value] of adapted.parameters()) {
        if (!name.endsWith(".lora_B.weight")) continue;
        const drawn = op.randn(value.shape, { generator }).mul(size);
        value.copy_(drawn.to({ device: value.device, dtype: value.dtype }));
      }
    }),
  );
}

/** @param base the trainer's without an adapter @throws OppoError ERR_ROLLOUT_ADAPTER */
export function requireHeard(
  server: string,
  told: Likeliest,
  { own }: TestAdapter,
  base: FirstToken,
  tolerance: number,
): void {
  const heard = distance(told, own);
  if (heard <= Math.max(tolerance, 0.1 * moved(told, base, own))) return;
  const isIgnored = distance(told, base) < heard;
  const got = isIgnored
    ? "it without: the adapter was taken and is ignored"
    : `${heard.toFixed(4)} nats from that: it is applied in another way (layers, scale)`;
  throw new OppoError(
    "ERR_ROLLOUT_ADAPTER",
    `${server}: expected answers of the model with a test adapter, got ${got}. This server's version cannot be used for rollouts with adapters; take another one, or train the whole model (--trainable decoder).`,
  );
}

/** What is known of a server's weights, from one version to the next. */
export class WeightWatch {
  readonly #server: string;
  /** The last version that showed, and how far the server was from it. */
  #seen: { readonly own: FirstToken; readonly noise: number } | null = null;

  constructor(server: string) {
    this.#server = server;
  }

  /** An answer that is known to be of these weights. */
  begin(told: Likeliest, own: FirstToken): void {
    this.#seen = { own, noise: distance(told, own) };
  }

  get hasBegun(): boolean {
    return this.#seen !== null;
  }

  /**
   * Looks at the answer of a new version. What moved less than twice the server's usual distance from us proves nothing yet, and is
   * looked at again together with what comes.
   * @returns how far the answer is from ours, and how far ours moved since the last version that showed
   * @throws OppoError ERR_ROLLOUT_STALE
   */
  look(version: number, told: Likeliest, own: FirstToken): { readonly difference: number; readonly moved: number } {
    const difference = distance(told, own);
    const seen = this.#seen;
    if (seen === null) {
      this.#seen = { own, noise: difference };
      return { difference, moved: 0 };
    }
    const way = moved(told, seen.own, own);
    const shows = way > 4 * seen.noise + 1e-6;
    if (shows && difference > way / 2) {
      throw new OppoError(
        "ERR_ROLLOUT_STALE",
        `${this.#server}: expected the answers of the weights after ${version} updates, which moved by ${way.toExponential(2)} nats, got ones that are ${difference.toExponential(2)} from them. ` +
          "It goes on with older weights or ignores the adapter; start it again, or take another version.",
      );
    }
    if (shows) this.#seen = { own, noise: difference };
    return { difference, moved: way };
  }
}
