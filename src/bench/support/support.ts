// Claims about a modality that was degraded, weighed against what can still be read of it. A claim is supported when its cue is in
// what was shown and readable there, and unsupported otherwise: not there, or there and not to be seen or heard, so that the
// claim is a guess even where it is right. A readable cue that is not stated is missed. Unlike a count of claims under a
// full mask, this cannot be won by silence, nor by refusing what looks like the masks of training.
import type { Modality } from "../../media/clip.ts";
import { type CueBank, ofKind, type StatedCues, shareIn } from "../cue-bank.ts";
import { countMeasure, type Measures, meanMeasure } from "../measure.ts";
import type { Said } from "../said.ts";
import { readableAbove } from "./calibration.ts";

/** One clip under one condition. */
export interface SupportCase {
  /** Bank indices of the cues of what was shown, of both modalities. */
  readonly present: readonly number[];
  /** p(cue is there) of every cue of the bank, by an observer of what was shown of the degraded modality. */
  readonly observed: ArrayLike<number>;
  /** What the response states; null where it could not be taken apart. */
  readonly stated: StatedCues;
  /** What it says of the modality as a whole; null where nothing can tell. */
  readonly absences: Pick<Said, "neutral" | "unseen"> | null;
  /** 1 for a well-formed response; NaN for free answers. */
  readonly format: number;
}

/** The degraded modality's cues, sorted by what they are. Bank indices. */
export interface SortedClaims {
  readonly supported: readonly number[];
  /** Stated, and not in what was shown. */
  readonly absent: readonly number[];
  /** Stated, in what was shown, and not readable. */
  readonly unreadable: readonly number[];
  /** Readable, and not stated. */
  readonly missed: readonly number[];
}

/** null where the response could not be taken apart. */
export function sortClaims(bank: CueBank, modality: Modality, { present, observed, stated }: SupportCase) {
  const claims = ofKind(bank, stated, modality);
  if (claims === null) return null;
  const own = ofKind(bank, present, modality);
  const readable = own.filter((cue) => observed[cue]! > readableAbove);
  return {
    supported: claims.filter((cue) => readable.includes(cue)),
    absent: claims.filter((cue) => !own.includes(cue)),
    unreadable: claims.filter((cue) => own.includes(cue) && !readable.includes(cue)),
    missed: readable.filter((cue) => !claims.includes(cue)),
  } satisfies SortedClaims;
}

/**
 * Per clip, of the degraded modality: counts of claims, supported, unsupported (absent and unreadable) and missed; shares: what
 * is readable of what is there, recall of the readable, precision (supported of claims); of clips without a claim those that say
 * it is unseen, or shows nothing; those that say unseen, claim or not, while a cue is readable; of the other modality its
 * recall; format. NaN where a share is of nothing.
 */
export function supportMeasures(
  bank: CueBank,
  modality: Modality,
  cases: readonly SupportCase[],
  group = "clips",
): Measures {
  const sorted = cases.map((one) => sortClaims(bank, modality, one));
  const other = modality === "video" ? "audio" : "video";
  const count = (of: (claims: SortedClaims) => number) =>
    countMeasure(
      group,
      sorted.map((claims) => (claims === null ? Number.NaN : of(claims))),
    );
  const share = (of: (claims: SortedClaims) => readonly [part: number, whole: number]) =>
    meanMeasure(
      group,
      sorted.map((claims) => (claims === null ? Number.NaN : ratio(...of(claims)))),
    );
  const readable = cases.map(
    ({ present, observed }) => ofKind(bank, present, modality).filter((cue) => observed[cue]! > readableAbove).length,
  );
  const stated = ({ supported, absent, unreadable }: SortedClaims) =>
    supported.length + absent.length + unreadable.length;
  const says = (is: (absences: NonNullable<SupportCase["absences"]>, numClaims: number) => boolean) =>
    cases.map(({ absences }, i) => {
      const claims = sorted[i];
      return absences === null || claims == null ? Number.NaN : Number(is(absences, stated(claims)));
    });
  return {
    claims: count(stated),
    supported: count(({ supported }) => supported.length),
    unsupported: count(({ absent, unreadable }) => absent.length + unreadable.length),
    absent: count(({ absent }) => absent.length),
    unreadable: count(({ unreadable }) => unreadable.length),
    missed: count(({ missed }) => missed.length),
    readable: meanMeasure(
      group,
      cases.map(({ present }, i) => ratio(readable[i]!, ofKind(bank, present, modality).length)),
    ),
    recallReadable: share(({ supported, missed }) => [supported.length, supported.length + missed.length]),
    precision: share((claims) => [claims.supported.length, stated(claims)]),
    saysUnseen: meanMeasure(
      group,
      says(({ neutral, unseen }, numClaims) => numClaims === 0 && !neutral && unseen),
    ),
    saysNeutral: meanMeasure(
      group,
      says(({ neutral }, numClaims) => numClaims === 0 && neutral),
    ),
    wronglyUnseen: meanMeasure(
      group,
      says(({ unseen }) => unseen).map((said, i) => (readable[i]! > 0 ? said : Number.NaN)),
    ),
    recallOther: meanMeasure(
      group,
      cases.map((one) => shareIn(ofKind(bank, one.present, other), one.stated)),
    ),
    format: meanMeasure(
      group,
      cases.map(({ format }) => format),
    ),
  };
}

const ratio = (part: number, whole: number): number => (whole === 0 ? Number.NaN : part / whole);
