// `oppo serve reward`: corpus, embedder and accuracy as training chooses them, behind the routes, on an address.

import { readCorpus } from "../../corpus/clips/read-corpus.ts";
import { chooseEmbedder } from "../../corpus/corpus-embedder.ts";
import type { EmbedderAccess, OpenedEmbedder } from "../../corpus/embedding/opened-embedder.ts";
import { chooseEmotionScore } from "../../corpus/emotion-score.ts";
import { kindOf } from "../../corpus/kinds.ts";
import { deltaWarnings } from "../../corpus/known-delta.ts";
import type { FieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { Embedder } from "../../evidence/cue.ts";
import { EmbedCache } from "../../evidence/embed-cache.ts";
import { readingModes } from "../../text/answer.ts";
import { calibratedDeltas } from "../../train/presets.ts";
import { Counters } from "../http/counters.ts";
import { listen } from "../http/listen.ts";
import type { Corpus } from "./reference.ts";
import { rewardApp } from "./reward-app.ts";
import { type RewardRules, RewardScorer } from "./reward-scorer.ts";

export interface ServeRewardOptions {
  /** Samples as JSON lines; null: cues and labels come with the requests. */
  readonly data: string | null;
  /** As of `oppo train`. */
  readonly embedder: string;
  readonly access?: EmbedderAccess;
  /** As of `oppo train`: the very score that it would train with. */
  readonly accuracy: string;
  /** Where imported lexicons are. */
  readonly home: string;
  readonly rules: RewardRules;
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  readonly maxBodyBytes: number;
  readonly maxSkippedRows: number;
  /** Where rows call things by other names than the usual ones. */
  readonly fields?: FieldMap | undefined;
  readonly log: (line: string) => void;
}

export interface RewardServer {
  readonly address: string;
  readonly embedder: string;
  readonly accuracy: string;
  readonly numSamples: number;
  /** What was chosen, one line each. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

const requestSeconds = 30;
/** Of vectors in memory. */
const cacheBytes = 2 ** 27;

/** @throws OppoError ERR_REWARD_EMBEDDER, and those of corpus, embedder, lexicon and address */
export async function serveReward(options: ServeRewardOptions): Promise<RewardServer> {
  const { data, log, rules } = options;
  const samples = data === null ? [] : await readCorpus(data, options.maxSkippedRows, log, options.fields);
  const kind = kindOf(samples);
  requireEmbedder(options.embedder, samples);
  const opened = await chooseEmbedder(samples, kind, {
    embedder: options.embedder,
    similarityThreshold: rules.threshold,
    access: options.access,
  });
  try {
    const accuracy = chooseEmotionScore({ choice: options.accuracy, groups: null, home: options.home }, kind);
    const app = rewardApp({
      scorer: new RewardScorer(await remembering(opened, samples), accuracy.score, rules),
      corpus: data === null ? null : corpusOf(samples),
      embedderName: opened.embedder.name,
      accuracyName: accuracy.name,
      maxBodyBytes: options.maxBodyBytes,
      token: options.token,
      host: options.host,
      counters: new Counters("oppo_reward"),
      onNotice: log,
      onFault: (error) => log(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    const { address, close } = await listen(app, { host: options.host, port: options.port, requestSeconds });
    const warnings = deltaWarnings(opened.embedder.name, rules.threshold, calibratedDeltas);
    return {
      address,
      embedder: opened.embedder.name,
      accuracy: accuracy.name,
      numSamples: samples.length,
      notes: [...opened.notes, ...warnings, accuracy.note, `completions are read by the ${readingModes.strict}`],
      close: () => close().finally(() => opened[Symbol.dispose]()),
    };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

/** An embedder that knows the corpus' cues already; a slow one remembers by itself. */
async function remembering({ embedder, isSlow }: OpenedEmbedder, samples: readonly Sample[]): Promise<Embedder> {
  if (isSlow) return embedder;
  const numbers = cacheBytes / Float32Array.BYTES_PER_ELEMENT;
  const cached = new EmbedCache(embedder, Math.ceil(numbers / embedder.dimension));
  await cached.embed([...new Set(samples.flatMap(({ cues }) => cues.map(({ text }) => text)))]);
  return cached;
}

/** An embedder that is fitted on a corpus' cues knows no others. */
function requireEmbedder(choice: string, samples: readonly Sample[]): void {
  if (samples.length > 0 || !["auto", "cues"].includes(choice)) return;
  throw new OppoError(
    "ERR_REWARD_EMBEDDER",
    `--embedder: expected one that knows cues of any kind when there is no --data, got "${choice}". Give --data, or an --embedder that needs no corpus.`,
  );
}

function corpusOf(samples: readonly Sample[]): Corpus {
  return new Map(samples.map(({ id, cues, labels }) => [id, { cues, labels }]));
}
