// Routes the rollouts of a whole step at once: every distinct text is embedded once, and rollouts share the cosines of the
// cues and clauses that they have in common. Corpora with few phrases repeat them in every rollout; elsewhere at least the
// rollouts of one sample have the same cues.
import type { Clause } from "../text/clause.ts";
import type { Cue, Embedder, TextRole } from "./cue.ts";
import type { EvidenceRouting } from "./route.ts";
import { cosinesOfRows, matrixRows } from "./similarity.ts";

export interface RoutingRequest {
  readonly cues: readonly Cue[];
  readonly clauses: readonly Clause[];
}

/** Requests whose cosines are computed in one matrix [distinct cues, distinct clauses]. */
interface Block {
  readonly members: readonly number[];
  /** Distinct rows of the vectors. */
  readonly cueRows: readonly number[];
  readonly clauseRows: readonly number[];
}

/**
 * The same routings as `routeEvidence` one by one, bit for bit. The embedder sees each distinct text once, in one call
 * (an asymmetric one: each distinct cue and each distinct clause, in two); put an EmbedCache in front of it to remember texts from step to step.
 */
export async function routeBatch(requests: readonly RoutingRequest[], embedder: Embedder): Promise<EvidenceRouting[]> {
  const cueRowOf = new Map<string, number>();
  const clauseRowOf = embedder.isAsymmetric ? new Map<string, number>() : cueRowOf;
  const cues = requests.map((request) => rowsOf(request.cues, cueRowOf));
  const clauses = requests.map((request) => rowsOf(request.clauses, clauseRowOf));
  const cueVectors = await vectorsOf([...cueRowOf.keys()], "cue", embedder);
  const clauseVectors = embedder.isAsymmetric
    ? await vectorsOf([...clauseRowOf.keys()], "clause", embedder)
    : cueVectors;

  const routings = new Array<EvidenceRouting>(requests.length);
  for (const { members, cueRows, clauseRows } of cheapestBlocks(cues, clauses)) {
    const left = cueRows.map((row) => cueVectors[row]!);
    const right = clauseRows.map((row) => clauseVectors[row]!);
    const all = cosinesOfRows(left, right, embedder.dimension);
    const atCue = new Map(cueRows.map((row, index) => [row, index * clauseRows.length]));
    const atClause = new Map(clauseRows.map((row, index) => [row, index]));
    for (const member of members) {
      const rows = cues[member]!.map((row) => atCue.get(row)!);
      const columns = clauses[member]!.map((row) => atClause.get(row)!);
      routings[member] = { ...requests[member]!, similarity: pick(all, rows, columns) };
    }
  }
  return routings;
}

async function vectorsOf(
  texts: readonly string[],
  role: TextRole,
  embedder: Embedder,
): Promise<readonly Float32Array[]> {
  if (embedder.embedRows !== undefined) return await embedder.embedRows(texts, role);
  return matrixRows(await embedder.embed(texts, role), embedder.dimension);
}

/** The row of every text, new texts at the end. */
function rowsOf(items: readonly { readonly text: string }[], rowOf: Map<string, number>): number[] {
  return items.map(({ text }) => {
    if (!rowOf.has(text)) rowOf.set(text, rowOf.size);
    return rowOf.get(text)!;
  });
}

/** One block for all, or one per distinct set of cues: whichever needs fewer cosines. */
function cheapestBlocks(cues: readonly number[][], clauses: readonly number[][]): readonly Block[] {
  const membersOf = new Map<string, number[]>();
  cues.forEach((rows, member) => {
    const key = rows.join(" ");
    const members = membersOf.get(key);
    if (members === undefined) membersOf.set(key, [member]);
    else members.push(member);
  });
  const block = (members: readonly number[]): Block => ({
    members,
    cueRows: [...new Set(members.flatMap((member) => cues[member]!))],
    clauseRows: [...new Set(members.flatMap((member) => clauses[member]!))],
  });
  const perCues = [...membersOf.values()].map(block);
  const whole = block(cues.map((_, member) => member));
  const cost = ({ cueRows, clauseRows }: Block) => cueRows.length * clauseRows.length;
  return cost(whole) <= perCues.reduce((sum, one) => sum + cost(one), 0) ? [whole] : perCues;
}

/** @param rowStarts offsets of the rows wanted; the result is row-major [rowStarts, columns]. */
function pick(matrix: Float32Array, rowStarts: readonly number[], columns: readonly number[]): Float32Array {
  const out = new Float32Array(rowStarts.length * columns.length);
  let at = 0;
  for (const start of rowStarts) for (const column of columns) out[at++] = matrix[start + column]!;
  return out;
}
