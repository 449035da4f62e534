// The handful of clips that a report plays: what each arm says of them with and without each modality, which of its
// clauses are true, the evidence routing of the intact reasoning, and how far every token's distribution moves when a
// modality is masked (Eq. 7 and 8).
import { type CueBank, presentCues } from "../../bench/cue-bank.ts";
import { borrowedRows, type ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { Sample } from "../../data/sample.ts";
import { routeEvidence } from "../../evidence/route.ts";
import type { Modality } from "../../media/clip.ts";
import type { ModelPrompt, OmniModel } from "../../models/omni-model.ts";
import type { ArmStory } from "../../page/data.ts";
import { narrateAll } from "../../page/narration.ts";
import { tokenDivergence } from "../../rl/divergence.ts";
import { noGrad, scope } from "../../tensor/index.ts";
import { reasoningSpan } from "../../text/answer.ts";
import type { Clause } from "../../text/clause.ts";
import { splitClauses } from "../../text/clauses.ts";

export interface StoryOptions {
  readonly arm: string;
  readonly bank: CueBank;
  readonly similarityThreshold: number;
  readonly promptText: (sample: Sample) => string;
  readonly maxNewTokens: number;
}

export async function armStory(
  model: OmniModel,
  library: ClipLibrary,
  sample: Sample,
  options: StoryOptions,
): Promise<ArmStory> {
  const view = (masked: Modality | null): ModelPrompt => {
    const rows = library.rows(sample.id);
    const rowsOf = (modality: Modality) =>
      modality === masked ? library.blankRows(sample.id, modality) : rows[modality];
    return library.prompt(sample.id, options.promptText(sample), borrowedRows(rowsOf("video"), rowsOf("audio")));
  };
  const views = { intact: view(null), video: view("video"), audio: view("audio") };
  const [intact, video, audio] = scope(() =>
    noGrad(() =>
      model.sample([views.intact, views.video, views.audio], {
        numSamples: 1,
        maxNewTokens: options.maxNewTokens,
        temperature: 0,
      }),
    ),
  ).map(([completion]) => completion!.ids);
  const pieces = model.decodePieces(intact!);
  const divergence = (masked: ModelPrompt) => tokenDivergence(model, views.intact, masked, [intact!])[0]!;
  const [videoNats, audioNats] = [divergence(views.video), divergence(views.audio)];
  const [present] = await presentCues(options.bank, [sample]);
  const narrated = (ids: Int32Array, masked: Modality | null) => ({
    text: model.decodePieces(ids).join(""),
    present: present!,
    masked,
  });
  const [full, noVideo, noAudio] = await narrateAll(options.bank, [
    narrated(intact!, null),
    narrated(video!, "video"),
    narrated(audio!, "audio"),
  ]);
  return {
    arm: options.arm,
    full: full!.narration,
    masked: { video: noVideo!.narration, audio: noAudio!.narration },
    routing: await routing(pieces, sample, options.bank),
    tokens: pieces.map((text, t) => ({ text, video: videoNats[t]!, audio: audioNats[t]! })),
  };
}

function clausesOf(pieces: readonly string[]): Clause[] {
  return splitClauses(pieces, reasoningSpan(pieces.join("")));
}

async function routing(pieces: readonly string[], sample: Sample, bank: CueBank): Promise<ArmStory["routing"]> {
  const clauses = clausesOf(pieces);
  const { embedder } = bank;
  const cueVectors = await embedder.embed(
    sample.cues.map((cue) => cue.text),
    "cue",
  );
  const clauseVectors = await embedder.embed(
    clauses.map((clause) => clause.text),
    "clause",
  );
  const { similarity } = routeEvidence(sample.cues, clauses, cueVectors, clauseVectors, embedder.dimension);
  return {
    cues: sample.cues,
    clauses: clauses.map((clause) => clause.text),
    similarity: [...similarity].map((value) => Number(value.toFixed(3))),
  };
}
