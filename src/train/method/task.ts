// What a run of the method is given: the same for all of its steps.
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { OpenClipSource } from "../../corpus/clips/clip-source.ts";
import type { Sample } from "../../data/sample.ts";
import type { EmotionScore } from "../../emotion/score.ts";
import type { Embedder } from "../../evidence/cue.ts";
import type { JudgedTerm } from "../../rl/rewards/judged.ts";
import type { ScoreOptions } from "../../rl/score.ts";
import type { DeepReadonly } from "../../run/config.ts";
import type { World } from "../../tensor/index.ts";
import type { TrainConfig } from "../config.ts";
import type { ReadCues } from "../masked-inputs.ts";
import type { OpenedPolicy } from "../policy.ts";
import type { RolloutsOverRanks } from "../rollouts/over-ranks.ts";

export type ClaimSources = Pick<ScoreOptions, "claimBank" | "claimPrior">;

/** What the method learns from. */
export interface GrpoTask {
  readonly config: DeepReadonly<TrainConfig>;
  readonly models: OpenedPolicy;
  readonly library: ClipLibrary;
  readonly samples: readonly Sample[];
  /** Brings the clips of a step into the library; left out: those of all samples are in it. */
  readonly clips?: Pick<OpenClipSource<Sample>, "ready" | "more" | "upcoming">;
  /** @param question in place of the task's */
  readonly promptText: (sample: Sample, question?: string) => string;
  readonly embedder: Embedder;
  readonly emotionScore: EmotionScore;
  /** What claims are looked up in, where others score by the same; left out: counted here. */
  readonly claims?: ClaimSources;
  /** Terms that a judge is asked for; left out: none. */
  readonly judged?: readonly JudgedTerm[];
  /** Servers that sample the completions; left out: this process does. */
  readonly rollouts?: RolloutsOverRanks;
  /** What perception.support "observer" and "reference" ask. */
  readonly readCues?: ReadCues;
  /** The processes that make the steps together; left out: one. */
  readonly world?: World;
}
