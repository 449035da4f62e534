// An answer taken apart as training does it: clauses, and how near each comes to each cue of the clip.
import { chooseEmbedder } from "../../../corpus/corpus-embedder.ts";
import { kindOf } from "../../../corpus/kinds.ts";
import { defaultDelta } from "../../../corpus/settings.ts";
import type { Sample } from "../../../data/sample.ts";
import { OppoError } from "../../../error.ts";
import type { Cue, Embedder } from "../../../evidence/cue.ts";
import { routeEvidence } from "../../../evidence/route.ts";
import type { Clause } from "../../../text/clause.ts";
import { splitClauses } from "../../../text/clauses.ts";
import { parseResponse } from "../../../text/response.ts";
import type { Answer } from "../../model/protocol.ts";
import type { XrayAnswer } from "../api.ts";
import { LatestUsed } from "../logs/latest-used.ts";

const keptEmbedders = 4;

export class TakeApart {
  readonly #embedders = new LatestUsed<Promise<Embedder>>(keptEmbedders);

  async answer(sample: Sample, { text, ids, pieces }: Answer): Promise<XrayAnswer> {
    const { think } = parseResponse(text);
    const clauses = think === null ? [] : splitClauses(pieces, think.chars);
    const routed = await this.#route(sample, clauses);
    let end = 0;
    return {
      text,
      ids,
      ends: pieces.map((piece) => {
        end += piece.length;
        return end;
      }),
      clauses: clauses.map(({ text: said, chars, tokens: span }) => ({
        text: said,
        chars: [chars.start, chars.end],
        tokens: [span.start, span.end],
      })),
      cues: sample.cues.map(({ kind, text: said }) => ({ kind, text: said })),
      threshold: defaultDelta,
      ...routed,
    };
  }

  async #route(sample: Sample, clauses: readonly Clause[]): Promise<Pick<XrayAnswer, "similarity" | "routingProblem">> {
    if (sample.cues.length === 0) return { similarity: [], routingProblem: "The clip has no annotated cues." };
    if (clauses.length === 0)
      return { similarity: [], routingProblem: "The answer has no clauses: its format is broken." };
    try {
      const kind = kindOf([sample]);
      const name = kind?.name ?? sample.id;
      const embedder = await this.#embedders.get(name, () => openEmbedder(sample, kind));
      return { similarity: await similarityOf(sample.cues, clauses, embedder), routingProblem: null };
    } catch (error) {
      if (!(error instanceof OppoError)) throw error;
      return { similarity: [], routingProblem: error.message };
    }
  }
}

/** Of the corpus' kind, else one that knows the clip's own cues. */
async function openEmbedder(sample: Sample, kind: ReturnType<typeof kindOf>): Promise<Embedder> {
  const options = { embedder: "auto", similarityThreshold: defaultDelta };
  return (await chooseEmbedder([sample], kind, options)).embedder;
}

async function similarityOf(cues: readonly Cue[], clauses: readonly Clause[], embedder: Embedder): Promise<number[]> {
  const texts = (list: readonly { readonly text: string }[]) => list.map(({ text }) => text);
  const [cueVectors, clauseVectors] = [
    await embedder.embed(texts(cues), "cue"),
    await embedder.embed(texts(clauses), "clause"),
  ];
  const { similarity } = routeEvidence(cues, clauses, cueVectors, clauseVectors, embedder.dimension);
  return Array.from(similarity, (value) => Number(value.toFixed(3)));
}
