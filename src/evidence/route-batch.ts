// Routes the rollouts of a whole step at once: every distinct text is embedded once, and rollouts that share their cues
// (a group of one sample) share the cosines of the clauses they have in common.
import type { Clause } from "../text/clause.ts";
import type { Cue, Embedder } from "./cue.ts";
import type { EvidenceRouting } from "./route.ts";
import { cosineMatrix } from "./similarity.ts";

export interface RoutingRequest {
  readonly cues: readonly Cue[];
  readonly clauses: readonly Clause[];
}

/**
 * The same routings as `routeEvidence` one by one, bit for bit. The embedder sees each distinct text once, in one call;
 * put an EmbedCache in front of it to remember texts from step to step.
 */
export async function routeBatch(requests: readonly RoutingRequest[], embedder: Embedder): Promise<EvidenceRouting[]> {
  const rowOf = new Map<string, number>();
  for (const { cues, clauses } of requests) {
    for (const { text } of cues) if (!rowOf.has(text)) rowOf.set(text, rowOf.size);
    for (const { text } of clauses) if (!rowOf.has(text)) rowOf.set(text, rowOf.size);
  }
  const vectors = await embedder.embed([...rowOf.keys()]);
  const rowsOf = (items: readonly { readonly text: string }[]) => items.map(({ text }) => rowOf.get(text)!);

  const routings = new Array<EvidenceRouting>(requests.length);
  for (const { cueRows, members } of groupByCues(requests, rowsOf)) {
    const clauseRows = members.map((member) => rowsOf(requests[member]!.clauses));
    const distinct = [...new Set(clauseRows.flat())];
    const columnOf = new Map(distinct.map((row, column) => [row, column]));
    const left = gatherRows(vectors, cueRows, embedder.dimension);
    const right = gatherRows(vectors, distinct, embedder.dimension);
    const all = cosineMatrix(left, right, embedder.dimension);
    members.forEach((member, m) => {
      const columns = clauseRows[m]!.map((row) => columnOf.get(row)!);
      routings[member] = {
        ...requests[member]!,
        similarity: pickColumns(all, distinct.length, cueRows.length, columns),
      };
    });
  }
  return routings;
}

interface CueGroup {
  readonly cueRows: readonly number[];
  /** Indices of the requests that have exactly these cues. */
  readonly members: number[];
}

function groupByCues(
  requests: readonly RoutingRequest[],
  rowsOf: (cues: readonly Cue[]) => number[],
): Iterable<CueGroup> {
  const groups = new Map<string, CueGroup>();
  requests.forEach(({ cues }, index) => {
    const cueRows = rowsOf(cues);
    const key = cueRows.join(" ");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { cueRows, members: [index] });
    else group.members.push(index);
  });
  return groups.values();
}

function gatherRows(matrix: Float32Array, rows: readonly number[], dimension: number): Float32Array {
  const out = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) => {
    out.set(matrix.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  });
  return out;
}

function pickColumns(matrix: Float32Array, stride: number, numRows: number, columns: readonly number[]): Float32Array {
  const out = new Float32Array(numRows * columns.length);
  let at = 0;
  for (let row = 0; row < numRows; row++) for (const column of columns) out[at++] = matrix[row * stride + column]!;
  return out;
}
