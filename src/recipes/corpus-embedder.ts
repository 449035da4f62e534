// Which embedder compares the clauses of a model with the cues of a corpus: the theatre's, one fitted on a bank of
// paraphrases that a person wrote, or one fitted on the corpus' own cue texts, where every distinct text is a concept.
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Sample } from "../data/sample.ts";
import { OppoError } from "../error.ts";
import { type Concept, fitBuiltinEmbedder } from "../evidence/builtin-embedder.ts";
import { confusion, leakShare } from "../evidence/confusion.ts";
import type { Embedder } from "../evidence/cue.ts";
import { contentRuns, phraseFeatures } from "../evidence/phrase-features.ts";
import { theatreEmbedder } from "./demo/theatre-setting.ts";

export interface ChosenEmbedder {
  readonly embedder: Embedder;
  /** Lines for the log. */
  readonly notes: readonly string[];
}

/** More concepts take minutes to fit; so many cues need an embedder that has learned a language. */
const maxConcepts = 3000;

const bankPrefix = "builtin:";

/** @throws OppoError ERR_EMBEDDER, ERR_BANK, ERR_EMBEDDER_AMBIGUOUS_PHRASE, ERR_EMBEDDER_EMPTY_PHRASE */
export async function chooseEmbedder(
  samples: readonly Sample[],
  isTheatre: boolean,
  options: { readonly embedder: string; readonly similarityThreshold: number },
): Promise<ChosenEmbedder> {
  const choice = options.embedder === "auto" ? (isTheatre ? "theatre" : "cues") : options.embedder;
  if (choice === "theatre") {
    const embedder = theatreEmbedder();
    return { embedder, notes: [`embedder: the theatre's (${embedder.name})`] };
  }
  if (choice.startsWith(bankPrefix)) {
    const file = choice.slice(bankPrefix.length);
    const bank = readBank(file);
    const embedder = fitBuiltinEmbedder(bank);
    return { embedder, notes: [`embedder: built in, fitted on the ${bank.length} concepts of ${file}`] };
  }
  if (choice === "cues") return fitOnCues(samples, options.similarityThreshold);
  throw new OppoError(
    "ERR_EMBEDDER",
    `embedder: expected auto, theatre, cues or builtin:BANK.json, got "${choice}". Choose one of them.`,
  );
}

async function fitOnCues(samples: readonly Sample[], threshold: number): Promise<ChosenEmbedder> {
  const { concepts, numWordless } = cueConcepts(samples);
  if (concepts.length > maxConcepts) {
    throw new OppoError(
      "ERR_EMBEDDER",
      `embedder: expected at most ${maxConcepts} distinct cues to fit the built-in embedder on, got ${concepts.length}. Give --embedder builtin:BANK.json with the corpus' concepts and their paraphrases.`,
    );
  }
  const embedder = fitBuiltinEmbedder(concepts);
  const leak = leakShare(await confusion(embedder, concepts), threshold);
  const notes = [
    `embedder: built in, fitted on this corpus' ${concepts.length} distinct cues (${embedder.name}); it knows no paraphrases, so a cue in other words counts little. --embedder builtin:BANK.json brings them`,
    `embedder: ${(100 * leak).toFixed(1)}% of the cues come above ${threshold} with another cue`,
  ];
  if (numWordless > 0) notes.push(`embedder: ${numWordless} cues without a word that says anything are never matched`);
  return { embedder, notes };
}

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

const bankSchema = z.array(
  z.strictObject({ name: z.string().min(1), kind: z.string().optional(), phrases: z.array(z.string().min(1)).min(1) }),
);

const bankForm = '[{ "name": "smile", "kind": "video", "phrases": ["a bright smile", "a broad grin"] }, ...]';

function readBank(file: string): Concept[] {
  const wrong = (got: string, cause?: unknown) =>
    new OppoError("ERR_BANK", `${file}: expected a bank of concepts such as ${bankForm}, got ${got}.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  const parsed = bankSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`${issue!.path.join(".") || "the file"}: ${issue!.message}`);
  }
  return parsed.data.map(({ kind, ...concept }) => (kind === undefined ? concept : { ...concept, kind }));
}
