// What is written about a scene: the exact cues, an annotator's reasoning (which under-reports), labels, prompts, yes/no
// probes with think-first answers, and the way back from a phrase to the cue it names. Text only, no media.
import type { Cue } from "../../evidence/cue.ts";
import { probeQuestion } from "../../evidence/probe-question.ts";
import type { Modality } from "../../media/clip.ts";
import type { Random } from "../../random.ts";
import { pick, type Scene } from "./draw.ts";
import {
  type Attribute,
  acousticAttributes,
  acousticStates,
  type CueKey,
  cuePhrases,
  type Emotion,
  emotionalLines,
  emotionWords,
  neutralLines,
  neutralPhrases,
  plainAcoustic,
  plainPhrases,
  plainVisual,
  rates,
  unseenPhrases,
  visualAttributes,
  visualStates,
} from "./world.ts";

/** Example: `{ key: "brow.furrowed", modality: "video", attribute: "brow", state: "furrowed" }` */
export interface SceneCue {
  readonly key: CueKey;
  readonly modality: Modality;
  readonly attribute: Attribute;
  readonly state: string;
}

/** Every cue of the world, video first. */
export const allCues: readonly SceneCue[] = [
  ...visualAttributes.flatMap((attribute) => cuesOfAttribute("video", attribute, visualStates[attribute])),
  ...acousticAttributes.flatMap((attribute) => cuesOfAttribute("audio", attribute, acousticStates[attribute])),
];

function cuesOfAttribute(modality: Modality, attribute: Attribute, states: readonly string[]): SceneCue[] {
  return states
    .filter((state) => state !== "plain")
    .map((state) => ({ key: `${attribute}.${state}` as CueKey, modality, attribute, state }));
}

const cuesByPhrase: ReadonlyMap<string, SceneCue> = new Map(
  allCues.flatMap((cue) => cuePhrases[cue.key].map((phrase) => [phrase, cue] as const)),
);

const modalityIntros: Readonly<Record<Modality, string>> = { video: "the video shows", audio: "the audio carries" };
const conclusionIntro = "this suggests the person is";

/** The cues that are really in the scene's video or audio. */
export function sceneCues(scene: Pick<Scene, "visual" | "acoustic">, modality: Modality): readonly SceneCue[] {
  const states: Readonly<Record<string, string>> = modality === "video" ? scene.visual : scene.acoustic;
  return allCues.filter((cue) => cue.modality === modality && states[cue.attribute] === cue.state);
}

/** The emotions that a careful viewer concludes: those expressed, calm only when nothing else is. */
export function sceneEmotions(scene: Pick<Scene, "videoEmotion" | "audioEmotion">): readonly Emotion[] {
  const expressed = [scene.videoEmotion, scene.audioEmotion].filter((emotion) => emotion !== null);
  const strong = [...new Set(expressed)].filter((emotion) => emotion !== "calm");
  return strong.length > 0 ? strong : ["calm"];
}

/** The exact annotation C_V, C_A, C_E: every cue by its first phrase, every emotion as "the person is ...". */
export function exactCues(scene: Scene): readonly Cue[] {
  const named = (["video", "audio"] as const).flatMap((kind) =>
    sceneCues(scene, kind).map((cue): Cue => ({ kind, text: cuePhrases[cue.key][0] })),
  );
  if (scene.kind === "decorrelated") return named;
  const felt = sceneEmotions(scene).map((emotion): Cue => ({ kind: "emotion", text: emotionPhrase(emotion) }));
  return [...named, ...felt];
}

/** Example: "the person is angry" */
export function emotionPhrase(emotion: Emotion): string {
  return `the person is ${emotionWords[emotion][0]}`;
}

/** A scene as a copy of its clip lets it be perceived. */
export interface PerceivedScene extends Scene {
  /** The modality of which nothing can be perceived, where there is one. */
  readonly unseen?: Modality;
}

/** The scene of a copy that lacks a modality: what it showed, and the emotion in it, are nobody's to tell. */
export function sceneWithout(scene: Scene, unseen: Modality): PerceivedScene {
  return unseen === "video"
    ? { ...scene, unseen, videoEmotion: null, visual: plainVisual }
    : { ...scene, unseen, audioEmotion: null, acoustic: plainAcoustic };
}

export interface Annotation {
  /** What the annotator wrote, without tags; each cue in it is true, not all are in it. */
  readonly reasoning: string;
  /** Answer words, in the order in which they are answered. */
  readonly labels: readonly string[];
}

/** An annotator's account. A decorrelated scene has no emotion to conclude: its account ends after the cues. */
export function annotate(scene: PerceivedScene, random: Random): Annotation {
  const sentences = (["video", "audio"] as const).map((modality) => modalitySentence(scene, modality, random));
  if (scene.kind === "decorrelated") return { reasoning: sentences.join(" "), labels: [] };
  const felt = sceneEmotions(scene);
  const concluded = felt.map((emotion) => pick(emotionWords[emotion], random)).join(" and ");
  sentences.push(`${conclusionIntro} ${concluded}.`);
  return { reasoning: sentences.join(" "), labels: answerWords(felt, random) };
}

function modalitySentence(scene: PerceivedScene, modality: Modality, random: Random): string {
  const present = sceneCues(scene, modality);
  if (present.length === 0) return `${modalityIntros[modality]} ${pick(absencesOf(scene, modality), random)}.`;
  const noticed = present.filter(() => random.next() < rates.annotatorMentions);
  const mentioned = noticed.length > 0 ? noticed : [pick(present, random)];
  return `${modalityIntros[modality]} ${mentioned.map((cue) => drawPhrase(cue.key, random)).join(", ")}.`;
}

/** What can be said of a modality without a cue: of one that is there, or of one that is not. */
function absencesOf({ unseen }: PerceivedScene, modality: Modality): readonly string[] {
  return modality === unseen ? unseenPhrases[modality] : neutralPhrases[modality];
}

/** Two words for one emotion, one word each for two. */
function answerWords(felt: readonly Emotion[], random: Random): readonly string[] {
  if (felt.length > 1) return felt.map((emotion) => pick(emotionWords[emotion], random));
  const words = emotionWords[felt[0]!];
  const first = random.int(words.length);
  const second = (first + 1 + random.int(words.length - 1)) % words.length;
  return [words[first]!, words[second]!];
}

/** Any of the cue's phrases, its first one more often. */
export function drawPhrase(key: CueKey, random: Random): string {
  return random.next() < rates.firstPhrase ? cuePhrases[key][0] : pick(cuePhrases[key], random);
}

/** The question that asks for a reasoning. */
export const reasoningQuestion = "what does the person feel, and why?";

/** A user turn about a clip with a spoken line. */
export const spokenTurn = "the person says: {subtitle}. {question}";

/** A user turn: the spoken line, when it is known, and a question. */
export function promptText(subtitle: string, question: string = reasoningQuestion): string {
  return subtitle === ""
    ? question
    : spokenTurn.replace("{subtitle}", () => subtitle).replace("{question}", () => question);
}

/** One yes/no question about a scene, with the answer that the unmasked clip supports. */
export interface SceneProbe {
  readonly cue: SceneCue;
  readonly question: string;
  /** What the asked attribute really is, without tags. Example: "the video shows raised eyebrows." */
  readonly think: string;
  readonly answer: "yes" | "no";
}

/**
 * A probe for one cue; the thought names the state of the asked attribute and nothing else, or that the modality shows
 * nothing at all, or cannot be perceived.
 */
export function sceneProbe(scene: PerceivedScene, cue: SceneCue, random: Random): SceneProbe {
  const cues = sceneCues(scene, cue.modality);
  const present = cues.find(({ attribute }) => attribute === cue.attribute);
  const plain = cues.length === 0 ? pick(absencesOf(scene, cue.modality), random) : plainPhrases[cue.attribute];
  const seen = present ? cuePhrases[present.key][0] : plain;
  return {
    cue,
    question: probeQuestion(cue.modality, cuePhrases[cue.key][0]),
    think: `${modalityIntros[cue.modality]} ${seen}.`,
    answer: present?.key === cue.key ? "yes" : "no",
  };
}

/** A training probe: a cue that is there in half of the draws (where there is one), else one that is not. */
export function drawProbe(scene: PerceivedScene, modality: Modality, random: Random): SceneProbe {
  const present = sceneCues(scene, modality);
  const asksPresent = random.next() < 0.5 && present.length > 0;
  const absent = allCues.filter((cue) => cue.modality === modality && !present.includes(cue));
  return sceneProbe(scene, pick(asksPresent ? present : absent, random), random);
}

/**
 * The cue that a phrase or a clause names, by exact wording; null for anything else. Tolerates the sentence openings of a
 * reasoning, white space and a final full stop.
 */
export function cueOfPhrase(text: string): SceneCue | null {
  return cuesByPhrase.get(barePhrase(text)) ?? null;
}

/** A statement about a whole modality that names no cue of it. */
export interface SceneAbsence {
  readonly modality: Modality;
  /** It shows nothing (a plain face, a flat voice), or it cannot be perceived. */
  readonly kind: "neutral" | "unseen";
}

const absencesByPhrase: ReadonlyMap<string, SceneAbsence> = new Map(
  (["video", "audio"] as const).flatMap((modality) =>
    (["neutral", "unseen"] as const).flatMap((kind) => {
      const phrases = kind === "neutral" ? neutralPhrases : unseenPhrases;
      return phrases[modality].map((phrase): [string, SceneAbsence] => [phrase, { modality, kind }]);
    }),
  ),
);

/** What a phrase or a clause says of a modality without a cue, by exact wording as `cueOfPhrase`; null for anything else. */
export function absenceOfPhrase(text: string): SceneAbsence | null {
  return absencesByPhrase.get(barePhrase(text)) ?? null;
}

function barePhrase(text: string): string {
  const bare = text.trim().replace(/\.$/, "");
  const intro = Object.values(modalityIntros).find((opening) => bare.startsWith(`${opening} `));
  return intro === undefined ? bare : bare.slice(intro.length + 1);
}

/** Phrases with one meaning: material for an embedder that must tell meanings apart. */
export interface PhraseGroup {
  readonly kind: Cue["kind"];
  /** Example: "brow.furrowed", or the emotion. */
  readonly name: string;
  readonly phrases: readonly string[];
}

export function phraseGroups(): readonly PhraseGroup[] {
  const cues = allCues.map(({ key, modality }) => ({ kind: modality, name: key as string, phrases: cuePhrases[key] }));
  const felt = Object.entries(emotionWords).map(([emotion, words]) => ({
    kind: "emotion" as const,
    name: emotion,
    phrases: words.flatMap((word) => [`the person is ${word}`, `${conclusionIntro} ${word}`]),
  }));
  return [...cues, ...felt];
}

/** Every sentence the theatre can put in front of a model, words complete; the tokenizer is built from it. */
export function theatreTexts(): readonly string[] {
  const phrases = [...Object.values(cuePhrases).flat(), ...Object.values(plainPhrases)];
  const lines = [...Object.values(emotionalLines).flat(), ...neutralLines];
  return [
    ...phrases,
    ...neutralPhrases.video,
    ...neutralPhrases.audio,
    ...unseenPhrases.video,
    ...unseenPhrases.audio,
    ...Object.values(modalityIntros),
    ...Object.values(emotionWords).map((words) => `${conclusionIntro} ${words.join(" and ")}.`),
    ...Object.values(emotionWords).map((words) => words.join(", ")),
    ...lines.map((line) => promptText(line)),
    probeQuestion("video", "yes"),
    probeQuestion("audio", "no"),
  ];
}
