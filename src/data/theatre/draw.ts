// Drawing a scene: which emotions the face and the voice express, the state of every attribute, and the spoken line.
// A scene is plain data and a pure function of (kind, seed); its pixels and samples are made from it later.
import { createRandom, type Random } from "../../random.ts";
import { secondLines, secondNeutralLines, type Troupe } from "./troupes.ts";
import {
  type AcousticState,
  acousticStates,
  type Emotion,
  emotionalLines,
  emotions,
  neutralLines,
  rates,
  typicalAcoustic,
  typicalVisual,
  type VisualState,
  visualStates,
} from "./world.ts";

/**
 * - train: face and voice nearly always agree (the correlation that invites guessing), sometimes one of them is plain
 * - decorrelated: every attribute uniform and independent (encoder warm-up)
 * - congruent: face and voice always agree
 * - conflict: they never do
 */
export type SceneKind = "train" | "decorrelated" | "congruent" | "conflict";

export interface Scene {
  readonly kind: SceneKind;
  /** What the face expresses; null when it expresses nothing, or when attributes were drawn without an emotion. */
  readonly videoEmotion: Emotion | null;
  readonly audioEmotion: Emotion | null;
  readonly visual: VisualState;
  readonly acoustic: AcousticState;
  readonly subtitle: string;
  /** Seeds the actor's looks, the stage and the voice: everything that is no cue. */
  readonly seed: number;
  /** Who plays it; left out: the first troupe. */
  readonly troupe?: "second";
}

/** The troupe changes who plays and what is said, not what is shown: states are those of the first for the same seed. */
export function drawScene(kind: SceneKind, seed: number, troupe: Troupe = "first"): Scene {
  const random = createRandom(seed);
  const { video, audio } = drawEmotions(kind, random);
  const uniform = kind === "decorrelated";
  const visual = drawStates(visualStates, uniform ? "uniform" : video && typicalVisual[video], random);
  const acoustic = drawStates(acousticStates, uniform ? "uniform" : audio && typicalAcoustic[audio], random);
  const spoken = audio ?? video;
  const fits = spoken !== null && random.next() < rates.subtitleFits;
  const [emotional, neutral] = troupe === "first" ? [emotionalLines, neutralLines] : [secondLines, secondNeutralLines];
  const subtitle = pick(fits ? emotional[spoken] : neutral, random);
  const looks = random.int(0x100000000) >>> 0;
  const scene = { kind, videoEmotion: video, audioEmotion: audio, visual, acoustic, subtitle, seed: looks };
  return troupe === "first" ? scene : { ...scene, troupe };
}

/** A uniformly drawn element of a list that is not empty. */
export function pick<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)]!;
}

interface EmotionPair {
  readonly video: Emotion | null;
  readonly audio: Emotion | null;
}

function drawEmotions(kind: SceneKind, random: Random): EmotionPair {
  const audio = pick(emotions, random);
  if (kind === "decorrelated") return { video: null, audio: null };
  if (kind === "congruent") return { video: audio, audio };
  if (kind === "conflict") {
    const others = emotions.filter((emotion) => emotion !== audio);
    return { video: pick(others, random), audio };
  }
  if (random.next() < rates.plainModality) {
    const expressed = pick(
      emotions.filter((emotion) => emotion !== "calm"),
      random,
    );
    return random.next() < 0.5 ? { video: null, audio: expressed } : { video: expressed, audio: null };
  }
  return { video: random.next() < rates.emotionsAgree ? audio : pick(emotions, random), audio };
}

/** One state per attribute: typical, plain or random; all plain without an emotion. */
function drawStates<T extends { readonly [attribute: string]: readonly string[] }>(
  table: T,
  typical: { readonly [A in keyof T]: T[A][number] } | "uniform" | null,
  random: Random,
): { readonly [A in keyof T]: T[A][number] } {
  const states: Record<string, string> = {};
  for (const [attribute, options] of Object.entries(table)) {
    if (typical === null) states[attribute] = "plain";
    else if (typical === "uniform") states[attribute] = pick(options, random);
    else {
      const u = random.next();
      if (u < rates.typicalState) states[attribute] = typical[attribute]!;
      else states[attribute] = u < rates.typicalState + rates.plainState ? "plain" : pick(options, random);
    }
  }
  return states as { readonly [A in keyof T]: T[A][number] };
}
