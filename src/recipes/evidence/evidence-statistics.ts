// An extraction in numbers: how many cues of each kind, what was dropped and why, what was left out and why.
import type { CueKind } from "../../evidence/cue.ts";
import { type DropReason, dropReasons } from "../../evidence/extraction/check-phrases.ts";
import {
  type CueExtraction,
  type ExtractionProblem,
  extractionProblems,
} from "../../evidence/extraction/extract-cues.ts";
import type { Account } from "./accounts.ts";

/** Stamped into every file: cues of rules are not cues of a model. */
export type Extractor =
  | { readonly kind: "model"; readonly model: string; readonly version: string }
  | { readonly kind: "offline rules, no model"; readonly version: string };

export interface Extracted {
  readonly account: Account;
  readonly extraction: CueExtraction;
}

export interface KindStatistics {
  readonly cues: number;
  /** Different texts. */
  readonly distinct: number;
  readonly perSample: number;
  readonly samplesWithout: number;
  readonly dropped: number;
}

export interface EvidenceStatistics {
  readonly extractor: Extractor;
  readonly source: string;
  readonly accounts: number;
  /** Written; the accounts less the skipped ones. */
  readonly samples: number;
  readonly kinds: Readonly<Record<CueKind, KindStatistics>>;
  /** Written samples without any cue, since their accounts hold none. */
  readonly samplesWithoutCues: number;
  /** Replies that reached their limit of tokens. */
  readonly cutOff: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Accounts that are not written, and the first of each kind by name. */
  readonly skipped: Readonly<
    Partial<Record<ExtractionProblem, { readonly count: number; readonly first: readonly string[] }>>
  >;
  readonly badRows: { readonly count: number; readonly first: readonly string[] };
}

const mostNamed = 10;
export const cueKinds: readonly CueKind[] = ["video", "audio", "emotion"];

export function evidenceStatistics(input: {
  readonly extractor: Extractor;
  readonly source: string;
  readonly extracted: readonly Extracted[];
  readonly badRows: readonly string[];
}): EvidenceStatistics {
  const { extractor, source, extracted, badRows } = input;
  const written = extracted.filter(({ extraction }) => extraction.problem === null);
  const allDropped = extracted.flatMap(({ extraction }) => extraction.dropped);
  const kinds = Object.fromEntries(
    cueKinds.map((kind) => {
      const perSample = written.map(({ extraction }) => extraction.cues.filter((cue) => cue.kind === kind));
      const texts = perSample.flat().map(({ text }) => text.toLowerCase());
      return [
        kind,
        {
          cues: texts.length,
          distinct: new Set(texts).size,
          perSample: written.length === 0 ? 0 : Number((texts.length / written.length).toFixed(3)),
          samplesWithout: perSample.filter((cues) => cues.length === 0).length,
          dropped: allDropped.filter((one) => one.kind === kind).length,
        },
      ];
    }),
  ) as Record<CueKind, KindStatistics>;
  return {
    extractor,
    source,
    accounts: extracted.length,
    samples: written.length,
    kinds,
    samplesWithoutCues: written.filter(({ extraction }) => extraction.cues.length === 0).length,
    cutOff: extracted.filter(({ extraction }) => extraction.isCutOff).length,
    dropped: present(
      dropReasons,
      (name) => allDropped.filter(({ reason }) => reason === name).length,
      (count) => count,
    ),
    skipped: present(
      extractionProblems,
      (name) => extracted.flatMap(({ account, extraction }) => (extraction.problem === name ? [account.id] : [])),
      (ids) => ids.length,
      (ids) => ({ count: ids.length, first: ids.slice(0, mostNamed) }),
    ),
    badRows: { count: badRows.length, first: badRows.slice(0, mostNamed) },
  };
}

/** The names that occurred, in their fixed order. */
function present<Name extends string, Found, Shown = Found>(
  names: readonly Name[],
  find: (name: Name) => Found,
  count: (found: Found) => number,
  show: (found: Found) => Shown = (found) => found as unknown as Shown,
): Partial<Record<Name, Shown>> {
  const found = names.map((name) => [name, find(name)] as const).filter(([, one]) => count(one) > 0);
  return Object.fromEntries(found.map(([name, one]) => [name, show(one)])) as Partial<Record<Name, Shown>>;
}

export function extractorName(extractor: Extractor): string {
  return extractor.kind === "model"
    ? `${extractor.model}, prompt ${extractor.version}`
    : `${extractor.kind} (${extractor.version})`;
}
