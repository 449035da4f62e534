// The theatre's tables: what emotions look and sound like, how often, and in which words. Every number and phrase of the
// procedural corpus lives here, so that tuning the world means editing one file. Words of different cues overlap as little
// as natural phrasing allows, because the reward's embedder must tell a wrong cue from the right one. Acoustic states are
// balanced: every state is typical of exactly two emotions, so none of them can be guessed as "nearly always".

export const emotions = ["happy", "sad", "angry", "scared", "surprised", "calm"] as const;
export type Emotion = (typeof emotions)[number];

/** "plain" is the state that says nothing; every other state is a cue. */
export const visualStates = {
  brow: ["plain", "furrowed", "raised", "slanted"],
  eyes: ["plain", "wide", "narrowed", "tearful"],
  mouth: ["plain", "smile", "downturned", "open", "pressed"],
  head: ["plain", "bowed", "forward", "shaking"],
} as const;

export const acousticStates = {
  volume: ["plain", "loud", "quiet"],
  pace: ["plain", "fast", "slow"],
  pitch: ["plain", "high", "low"],
  quality: ["plain", "laughing", "sobbing", "harsh", "trembling", "gasping"],
} as const;

type StatesOf<T extends Record<string, readonly string[]>> = { readonly [A in keyof T]: T[A][number] };
type CuesOf<T extends Record<string, readonly string[]>> = {
  [A in keyof T & string]: `${A}.${Exclude<T[A][number], "plain">}`;
}[keyof T & string];

/** Example: `{ brow: "furrowed", eyes: "narrowed", mouth: "plain", head: "forward" }` */
export type VisualState = StatesOf<typeof visualStates>;
/** Example: `{ volume: "loud", pace: "plain", pitch: "low", quality: "harsh" }` */
export type AcousticState = StatesOf<typeof acousticStates>;
export type VisualAttribute = keyof VisualState;
export type AcousticAttribute = keyof AcousticState;
export type Attribute = VisualAttribute | AcousticAttribute;
/** Attribute and state of one cue. Example: `"brow.furrowed"`. */
export type CueKey = CuesOf<typeof visualStates> | CuesOf<typeof acousticStates>;

export const visualAttributes = Object.keys(visualStates) as VisualAttribute[];
export const acousticAttributes = Object.keys(acousticStates) as AcousticAttribute[];

export const typicalVisual: Readonly<Record<Emotion, VisualState>> = {
  happy: { brow: "raised", eyes: "narrowed", mouth: "smile", head: "forward" },
  sad: { brow: "slanted", eyes: "tearful", mouth: "downturned", head: "bowed" },
  angry: { brow: "furrowed", eyes: "narrowed", mouth: "pressed", head: "forward" },
  scared: { brow: "slanted", eyes: "wide", mouth: "open", head: "shaking" },
  surprised: { brow: "raised", eyes: "wide", mouth: "open", head: "plain" },
  calm: { brow: "plain", eyes: "plain", mouth: "plain", head: "plain" },
};

export const typicalAcoustic: Readonly<Record<Emotion, AcousticState>> = {
  happy: { volume: "plain", pace: "fast", pitch: "high", quality: "laughing" },
  sad: { volume: "quiet", pace: "slow", pitch: "low", quality: "sobbing" },
  angry: { volume: "loud", pace: "plain", pitch: "low", quality: "harsh" },
  scared: { volume: "quiet", pace: "fast", pitch: "plain", quality: "trembling" },
  surprised: { volume: "loud", pace: "slow", pitch: "high", quality: "gasping" },
  calm: { volume: "plain", pace: "plain", pitch: "plain", quality: "plain" },
};

/** Nothing to see, nothing to hear: what a modality is without an emotion. */
export const plainVisual: VisualState = typicalVisual.calm;
export const plainAcoustic: AcousticState = typicalAcoustic.calm;

/** How a scene is drawn and annotated. All are probabilities. */
export const rates = {
  /** Training scenes: face and voice show the same emotion; otherwise the two are independent. */
  emotionsAgree: 0.92,
  /** Training scenes: one modality is entirely plain while the other expresses something. */
  plainModality: 0.22,
  /** An attribute takes the state that is typical of its emotion ... */
  typicalState: 0.78,
  /** ... or is plain; what is left is any state at random. */
  plainState: 0.14,
  /** The line fits the voice's emotion; otherwise it is a neutral line. */
  subtitleFits: 0.5,
  /** The annotator writes a cue down (at least one per expressive modality): annotations under-report. */
  annotatorMentions: 0.62,
  /** The model's copy of a training clip lacks one modality (black or silent), though the annotator had the whole clip. */
  hiddenModality: 0.15,
  /** A cue is named by its first phrase rather than by any of its phrases. */
  firstPhrase: 0.6,
} as const;

/**
 * What is written about the modality that a model's copy of a clip lacks. The number is the probability that it is described
 * as the annotator saw it; otherwise the copy was checked, and the account says that nothing can be perceived of it.
 */
export const coldStarts = {
  /** Every label of a blank is wrong: the unseen phrases are in the vocabulary and in no example. */
  described: 1,
  /** Most are wrong, as on corpora that were annotated from other copies. */
  mixed: 0.88,
  /** Every label is right. */
  honest: 0,
} as const;
export type ColdStart = keyof typeof coldStarts;

/** Three phrases of 2 to 6 words per cue; the first is the cue's name in the exact annotation. */
export const cuePhrases: Readonly<Record<CueKey, readonly [string, string, string]>> = {
  "brow.furrowed": ["a furrowed brow", "a knitted frown", "a crease above the nose"],
  "brow.raised": ["raised eyebrows", "steeply arched brows", "brows lifted up"],
  "brow.slanted": ["slanted brows", "a pleading look", "a troubled tilt"],
  "eyes.wide": ["wide eyes", "a frozen stare", "eyelids pulled far apart"],
  "eyes.narrowed": ["narrowed eyes", "a tight squint", "half shut lids"],
  "eyes.tearful": ["tearful eyes", "rolling tears", "wet glistening streaks"],
  "mouth.smile": ["a bright smile", "a broad grin", "a beaming curve"],
  "mouth.downturned": ["a downturned mouth", "a sulky pout", "drooping corners"],
  "mouth.open": ["an open mouth", "a dropped jaw", "a round gape"],
  "mouth.pressed": ["pressed lips", "tightly sealed lips", "a thin straight line"],
  "head.bowed": ["a bowed head", "a lowered face", "a chin sinking down"],
  "head.forward": ["a forward lean", "moving toward the camera", "coming closer"],
  "head.shaking": ["a shaking head", "swaying side to side", "turning left and right"],
  "volume.loud": ["a loud voice", "a booming volume", "shouted words"],
  "volume.quiet": ["a quiet voice", "a hushed murmur", "a faint mumble"],
  "pace.fast": ["a fast pace", "rapid speech", "hurried syllables"],
  "pace.slow": ["a slow pace", "sluggish talk", "long drawn vowels"],
  "pitch.high": ["a high pitch", "a shrill register", "squeaky notes"],
  "pitch.low": ["a low pitch", "a deep rumble", "a bass drone"],
  "quality.laughing": ["bursts of laughter", "amused giggling", "repeated chuckles"],
  "quality.sobbing": ["broken sobs", "crying hiccups", "muffled weeping"],
  "quality.harsh": ["a harsh tone", "a rough growl", "an aggressive rasp"],
  "quality.trembling": ["a trembling voice", "shaky wavering", "an unsteady quiver"],
  "quality.gasping": ["a sharp gasp", "a sudden inhale", "a caught breath"],
};

/** What a think-first probe answer says of an attribute that is plain. Never used in a reasoning. */
export const plainPhrases: Readonly<Record<Attribute, string>> = {
  brow: "a smooth forehead",
  eyes: "an ordinary gaze",
  mouth: "a neutral mouth",
  head: "an upright posture",
  volume: "medium loudness",
  pace: "a moderate tempo",
  pitch: "a middle range",
  quality: "a clear timbre",
};

/** What a reasoning says of a modality that shows nothing at all. All begin alike: whether there is anything is one decision. */
export const neutralPhrases: Readonly<Record<"video" | "audio", readonly string[]>> = {
  video: ["no clear expression", "no visible feeling", "no facial cue"],
  audio: ["no marked tone", "no vocal emphasis", "no audible feeling"],
};

/**
 * What a reasoning says of a modality that cannot be perceived: required where a picture or a sound is gone, wrong of a plain
 * face or a flat voice. No word of the neutral phrases or of a cue is in them, and they begin alike, so that whether a
 * modality shows a cue, shows nothing or is not there is told by the first word after its opening.
 */
export const unseenPhrases: Readonly<Record<"video" | "audio", readonly string[]>> = {
  video: ["nothing that can be seen", "nothing an onlooker could watch", "nothing within sight"],
  audio: ["nothing that can be heard", "nothing a listener could catch", "nothing within earshot"],
};

/** Answer words. Words of one emotion fall into the same cluster on (nearly) every emotion wheel of the metric. */
export const emotionWords: Readonly<Record<Emotion, readonly [string, string, string]>> = {
  happy: ["happy", "joyful", "delighted"],
  sad: ["sad", "sorrowful", "gloomy"],
  angry: ["angry", "furious", "irritated"],
  scared: ["scared", "anxious", "frightened"],
  surprised: ["surprised", "startled", "astounded"],
  calm: ["calm", "peaceful", "serene"],
};

export const emotionalLines: Readonly<Record<Emotion, readonly string[]>> = {
  happy: ["we won the match at last", "this is the best gift ever", "come and dance with us"],
  sad: ["i miss her so much", "there is nothing left for me", "they are all gone now"],
  angry: ["get out of my house", "you broke your promise again", "stop lying to me"],
  scared: ["someone is at the door", "please do not leave me here", "what was that noise"],
  surprised: ["i did not expect you here", "is that really mine", "how did you do that"],
  calm: ["the tea is ready", "we can walk home later", "it is a mild evening"],
};

export const neutralLines: readonly string[] = [
  "the train leaves at nine",
  "he told me about the meeting",
  "i put the keys on the table",
  "we talked for an hour",
  "the shop is on the corner",
  "she called me this morning",
];
