// The MEP set of a corpus: of a kind that knows its cues, or any other.

import type { Selection, SelectionOptions } from "../bench/mep-set.ts";
import { type MepProbeOptions, type MepSet, makeMepSet, selectSamples } from "../bench/mep-set.ts";
import type { Sample } from "../data/sample.ts";
import { normaliseLabels } from "../emotion/labels.ts";
import { openLexicon } from "../emotion/open-lexicon/open-lexicon.ts";
import { resolveGroups } from "../emotion/wheel.ts";
import type { Embedder } from "../evidence/cue.ts";
import type { CorpusKind } from "./corpus-kind.ts";
import { corpusSetOptions, type MepSetOptions } from "./mep-options.ts";
import { defaultAccess } from "./open-embedder.ts";
import type { Setting, SettingOptions } from "./setting.ts";

export function setOptionsFor(kind: CorpusKind | null): MepSetOptions {
  return { ...corpusSetOptions, ...kind?.setOptions };
}

/**
 * Statements and cues are both embedded without an instruction, as the working repository of the paper's authors does for this
 * benchmark; only training asks with one (docs/embedders.md). So the embedder that a set is stamped with has none in its name.
 */
export function comparedAlike<Options extends Pick<SettingOptions, "access">>(options: Options): Options {
  return { ...options, access: { ...(options.access ?? defaultAccess), clauseInstruction: "" } };
}

/** The set of given clips of a kind that knows its cues. */
export async function makeKnownSet(
  kind: CorpusKind,
  embedder: Embedder,
  clips: Pick<MepSet, "congruent" | "conflict">,
  options: MepProbeOptions = setOptionsFor(kind),
): Promise<MepSet> {
  const bank = await kind.bank(embedder);
  const { isTypical, fitsEmotion, absenceOf } = kind;
  return makeMepSet(clips, { embedder, bank, isTypical, fitsEmotion, absenceOf }, options);
}

/** Clips of an annotated corpus, chosen by what is measured on it. */
export function selectOnCorpus(
  candidates: readonly Sample[],
  setting: Pick<Setting, "embedder">,
  options: SelectionOptions,
  accept?: (sample: Sample) => Promise<boolean>,
): Promise<Selection> {
  return selectSamples(candidates, setting.embedder, labelGroups(), options, accept);
}

/** Labels by their group on the built-in lexicon's first wheel, so that "furious" and "mad" are one emotion; or as they are. */
export function labelGroups(): (sample: Sample) => string[] {
  const lexicon = openLexicon();
  const wheel = lexicon.wheels[0]!;
  return ({ labels }) => {
    const groups = normaliseLabels(labels).flatMap((label) => {
      const found = resolveGroups(lexicon, wheel, [label]);
      return found.size > 0 ? [...found] : [label];
    });
    return [...new Set(groups)];
  };
}
