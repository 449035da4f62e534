// Which embedder compares the clauses of a model with the cues of a corpus: that of the corpus' kind, one fitted on a bank of
// paraphrases that a person wrote, one fitted on the corpus' own cue texts, where every distinct text is a concept, or a
// language model's. A slow one remembers what it has embedded, and has the corpus' cues done before anything else starts.
import type { Sample } from "../data/sample.ts";
import { OppoError } from "../error.ts";
import { type Concept, fitBuiltinEmbedder } from "../evidence/builtin-embedder.ts";
import { confusion, leakShare } from "../evidence/confusion.ts";
import { EmbedCache } from "../evidence/embed-cache.ts";
import { contentRuns, phraseFeatures } from "../evidence/phrase-features.ts";
import type { CorpusKind } from "./corpus-kind.ts";
import type { EmbedderAccess, OpenedEmbedder } from "./embedding/opened-embedder.ts";
import { defaultAccess, openEmbedder } from "./open-embedder.ts";

export interface EmbedderOptions {
  /** "auto", "cues" or what `openEmbedder` takes. */
  readonly embedder: string;
  readonly similarityThreshold: number;
  readonly access?: EmbedderAccess | undefined;
  /** Told how many of the corpus' cues are embedded; may stop it by throwing. */
  readonly onCues?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

/** More concepts take minutes to fit; so many cues need an embedder that has learned a language. */
const maxConcepts = 3000;
/** Of vectors in memory: 65,000 texts of 1,024 numbers. */
const cacheBytes = 2 ** 28;

/** @throws OppoError ERR_EMBEDDER, ERR_BANK, ERR_EMBEDDER_AMBIGUOUS_PHRASE, ERR_EMBEDDER_EMPTY_PHRASE and those of a model */
export async function chooseEmbedder(
  samples: readonly Sample[],
  kind: CorpusKind | null,
  options: EmbedderOptions,
): Promise<OpenedEmbedder> {
  const choice = options.embedder === "auto" ? (kind?.name ?? "cues") : options.embedder;
  // Whoever names the cues' own embedder means to compare with some.
  if (options.embedder === "auto" && choice === "cues" && samples.every(({ cues }) => cues.length === 0)) {
    return withoutCues;
  }
  if (choice === "cues") return fitOnCues(samples, options.similarityThreshold);
  const opened = await openEmbedder(choice, options.access ?? defaultAccess, "auto, cues, ");
  if (!opened.isSlow) return opened;
  try {
    const numbers = cacheBytes / Float32Array.BYTES_PER_ELEMENT;
    const embedder = new EmbedCache(opened.embedder, Math.ceil(numbers / opened.embedder.dimension));
    await embedCues({ ...opened, embedder }, samples, options.onCues);
    return { ...opened, embedder };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

/** So that the first step of a training is no slower than the others, and what cannot be embedded is found at once. */
async function embedCues(
  { embedder, textsPerTurn }: Pick<OpenedEmbedder, "embedder" | "textsPerTurn">,
  samples: readonly Sample[],
  onCues: EmbedderOptions["onCues"],
): Promise<void> {
  const texts = [...new Set(samples.flatMap(({ cues }) => cues.map(({ text }) => text)))];
  for (let start = 0; start < texts.length; start += textsPerTurn) {
    await embedder.embed(texts.slice(start, start + textsPerTurn), "cue");
    await onCues?.(Math.min(texts.length, start + textsPerTurn), texts.length);
  }
}

async function fitOnCues(samples: readonly Sample[], threshold: number): Promise<OpenedEmbedder> {
  const { concepts, numWordless } = cueConcepts(samples);
  if (concepts.length > maxConcepts) {
    throw new OppoError(
      "ERR_EMBEDDER",
      `embedder: expected at most ${maxConcepts} distinct cues to fit the built-in embedder on, got ${concepts.length}. Give --embedder qwen3:DIR, or builtin:BANK.json with the corpus' concepts and their paraphrases.`,
    );
  }
  const embedder = fitBuiltinEmbedder(concepts);
  const leak = leakShare(await confusion(embedder, concepts), threshold);
  const notes = [
    `embedder: built in, fitted on this corpus' ${concepts.length} distinct cues (${embedder.name}); it knows no paraphrases, so a cue in other words counts little. --embedder qwen3:DIR or builtin:BANK.json brings them`,
    `embedder: ${(100 * leak).toFixed(1)}% of the cues come above ${threshold} with another cue`,
  ];
  if (numWordless > 0) notes.push(`embedder: ${numWordless} cues without a word that says anything are never matched`);
  return { embedder, notes, isSlow: false, textsPerTurn: maxConcepts, [Symbol.dispose]: () => undefined };
}

/** For rows with labels alone: every text is a zero vector, which is like no other. */
const withoutCues: OpenedEmbedder = {
  embedder: { name: "none", dimension: 1, embed: (texts) => new Float32Array(texts.length) },
  notes: ["embedder: none, for no sample has a cue to compare with"],
  isSlow: false,
  textsPerTurn: maxConcepts,
  [Symbol.dispose]: () => undefined,
};

/** One concept per distinct cue text; texts that read the same to the embedder ("a smile", "the smile") are one. */
export function cueConcepts(samples: readonly Sample[]): { concepts: Concept[]; numWordless: number } {
  const texts = new Map<string, Map<string, string>>();
  const wordless = new Set<string>();
  for (const { kind, text } of samples.flatMap((sample) => sample.cues)) {
    const key = phraseFeatures(contentRuns(text)).sort().join(" ");
    if (key === "") wordless.add(text);
    else if (texts.has(key)) texts.get(key)!.set(text, kind);
    else texts.set(key, new Map([[text, kind]]));
  }
  const concepts = [...texts.values()].map((variants): Concept => {
    const [[name, kind]] = variants as Iterable<[string, string]> as [[string, string]];
    return { name, kind, phrases: [...variants.keys()] };
  });
  return { concepts, numWordless: wordless.size };
}
