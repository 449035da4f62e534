// A lexicon made ready for millions of look-ups: every label is resolved once, to one small integer per metric. A metric
// is one way to say which labels are the same: by base word, by wheel word, or by a wheel's inner or middle ring.
import { normaliseLabels } from "./labels.ts";
import { type EmotionLexicon, labelCandidates, type WheelLevel } from "./wheel.ts";

/** -1 in `resolve`'s answer: out of vocabulary, or not on this wheel. */
export const unresolved = -1;

export interface ResolverMetric {
  /** `case1`, `case2`, `case3_wheel1_level1` ...: the names of the official code. */
  readonly name: string;
  /** Null for the two metrics without a wheel. */
  readonly wheel: string | null;
  readonly level: WheelLevel | null;
  /** Group names; ids are positions. Grows while labels are resolved. */
  readonly groups: readonly string[];
}

export interface LabelResolver {
  readonly lexicon: EmotionLexicon;
  readonly metrics: readonly ResolverMetric[];
  /** Group ids of a label, one per metric; the same array for the same label. Case and outer space do not matter. */
  resolve(label: string): Int32Array;
  isKnown(label: string): boolean;
}

export interface ResolverOptions {
  /** Make "neutral" a group of its own on every wheel; officially it is out of vocabulary. */
  readonly neutralIsGroup?: boolean;
  /** Without the two metrics that need no wheel. */
  readonly wheelsOnly?: boolean;
}

const neutral = "neutral";

interface GrowingMetric extends ResolverMetric {
  readonly groups: string[];
  readonly ids: Map<string, number>;
}

export function labelResolver(lexicon: EmotionLexicon, options: ResolverOptions = {}): LabelResolver {
  const metric = (name: string, wheel: string | null = null, level: WheelLevel | null = null): GrowingMetric => ({
    name,
    wheel,
    level,
    groups: [],
    ids: new Map(),
  });
  const onWheels = (level: WheelLevel) =>
    lexicon.wheels.map((wheel) => metric(`case3_${wheel.name}_${level}`, wheel.name, level));
  const bare = options.wheelsOnly === true ? [] : [metric("case1"), metric("case2")];
  const metrics = [...bare, ...onWheels("level1"), ...onWheels("level2")];
  const wheels = new Map(lexicon.wheels.map((wheel) => [wheel.name, wheel]));
  const known = new Map<string, Int32Array>();

  function groupOf(
    { bases, wheelWords }: ReturnType<typeof labelCandidates>,
    { name, wheel, level }: ResolverMetric,
  ): string | null {
    if (name === "case1") return bases[0] ?? null;
    if (name === "case2") return bases[0] === undefined ? null : (wheelWordsOf(lexicon, bases[0])[0] ?? null);
    const groups = wheels.get(wheel!)!.levels[level!];
    const word = wheelWords.find((candidate) => groups.has(candidate));
    return word === undefined ? null : groups.get(word)!;
  }

  const nowhere = new Int32Array(metrics.length).fill(unresolved);

  function resolveFresh(label: string): Int32Array {
    const isNeutral = options.neutralIsGroup === true && label === neutral;
    const candidates = labelCandidates(lexicon, label);
    if (!isNeutral && candidates.bases.length === 0) return nowhere;
    return Int32Array.from(metrics, (one) => {
      const group = isNeutral ? neutral : groupOf(candidates, one);
      if (group === null) return unresolved;
      const id = one.ids.get(group) ?? one.groups.push(group) - 1;
      one.ids.set(group, id);
      return id;
    });
  }

  return {
    lexicon,
    metrics,
    resolve(label) {
      let ids = known.get(label);
      if (ids !== undefined) return ids;
      const normal = normaliseLabels([label])[0]!;
      ids = known.get(normal) ?? resolveFresh(normal);
      // Sentences that came as labels would fill the memory and never come again.
      if (label.length <= maxKeptLength && known.size < maxKept) known.set(label, ids);
      return ids;
    },
    isKnown(label) {
      return this.resolve(label).some((id) => id !== unresolved);
    },
  };
}

const maxKeptLength = 60;
const maxKept = 200_000;

function wheelWordsOf(lexicon: EmotionLexicon, base: string): string[] {
  return [...(lexicon.synonyms === null ? [base] : (lexicon.synonyms.get(base) ?? []))].sort();
}
