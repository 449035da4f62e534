// The words by which the offline extractor knows a cue: what is seen, what is heard, what is felt, and the small words at
// which a phrase ends. Written for this extractor; a few hundred words, all English. No match is better than a wrong one.
import type { CueKind } from "../cue.ts";
import { stem } from "../phrase-features.ts";

/** Changes when a list does: stamped into what the extractor writes. */
export const cueLexiconVersion = "offline-3";

const stems = (words: string): ReadonlySet<string> => new Set(words.split(" ").map(stem));

/** A phrase grows around one of these. */
export const heads: Readonly<Record<CueKind, ReadonlySet<string>>> = {
  video: stems(
    "brow brows eyebrow forehead eye eyes eyelid gaze stare glance glare mouth lip lips jaw teeth tongue chin cheek nose " +
      "face expression head neck shoulder arm hand palm fist finger body posture stance back chest legs foot feet " +
      "smile grin smirk frown scowl pout squint blink wink wince grimace nod lean shrug gesture clench tremor " +
      "tears tear sweat hair clothing background surroundings room camera posture wrinkle crease eyelash pupil " +
      "complexion blush contact hug embrace bow bows turn turns",
  ),
  audio: stems(
    "voice tone pitch volume speed loudness intonation accent speech pace tempo rhythm cadence timbre register pause silence breath " +
      "breathing breathes laugh laughs laughing laughter laughed giggle chuckle cry cries crying cried sob sobs sobbing " +
      "weep weeps weeping scream shout shouted yell whisper whispers whispering murmur mutter mumble sigh gasp groan moan " +
      "stammer stutter speak speaks speaking syllable utterance inhale exhale sniff sniffle hum growl snort vocal " +
      "articulation enunciation talk talks talking",
  ),
  emotion: stems(
    "happy happiness joy joyful cheerful delighted pleased amused amusement excited excitement content contented satisfied " +
      "satisfaction relieved relief proud pride grateful hopeful sad sadness sorrow grief unhappy depressed disappointed " +
      "disappointment hurt lonely despair helpless helplessness miserable angry anger annoyed annoyance irritated irritation " +
      "furious rage frustrated frustration indignant resentful resentment dissatisfied dissatisfaction hostile " +
      "scared fear fearful afraid frightened terrified panic anxious anxiety worried worry nervous nervousness tense tension " +
      "uneasy unease distress distressed surprised surprise astonished astonishment shocked shock amazed confused confusion " +
      "puzzled doubtful doubt suspicious disgusted disgust contempt disdain embarrassed embarrassment ashamed shame guilty " +
      "guilt calm calmness serene relaxed relaxation neutral indifferent indifference serious seriousness bored boredom tired " +
      "exhausted exhaustion impatient impatience jealous jealousy sympathetic sympathy affection love tender tenderness " +
      "startled stunned alarmed overjoyed elated glad merry gloomy sorrowful mournful heartbroken cross mad enraged outraged " +
      "horrified dread timid placid peaceful composed tranquil enthusiastic curious curiosity " +
      "confident confidence determined determination agitated agitation upset emotional discomfort regret longing nostalgia",
  ),
};

/** Heads that describe what comes after them: the phrase goes on to it. */
export const adjectives: ReadonlySet<string> = new Set(["vocal"]);

/** Sentences that begin so speak of one modality: what they list are cues also where no head is in it. */
export const intros: readonly { readonly kind: "video" | "audio"; readonly pattern: RegExp }[] = [
  { kind: "video", pattern: /\b(?:video|visual(?:ly)?|image|frame|screen|picture|facial|seen|footage)\b/i },
  { kind: "audio", pattern: /\b(?:audio|acoustic(?:ally)?|vocal(?:ly)?|heard|sound(?:s|track)?|auditory)\b/i },
];

/** Words that tie an observation to a feeling. */
export const connectives = stems(
  "suggest suggests suggesting indicate indicates indicating show shows showing reveal reveals revealing reflect reflects " +
    "reflecting convey conveys conveying express expresses expressing imply implies implying mean means betray betrays " +
    "feel feels feeling signal signals conclude concludes demonstrate demonstrates demonstrating hint hints",
);

/** Between a head and what is said of it: "the brow IS furrowed". */
export const copulas: ReadonlySet<string> = new Set(
  (
    "is are was were be being becomes become became remains remain remained stays stay appears appear appeared seems seem " +
    "seemed looks looked sounds sounded gets grows grew feels turns"
  ).split(" "),
);

/** A phrase does not begin or end with one of these. */
export const fillers: ReadonlySet<string> = new Set(
  (
    "a an the this that these those his her their its my your our he she they it there as of in on at to from with by for " +
    "into onto and or but while so then when because also who which"
  ).split(" "),
);
/** Belong to the word after them: a phrase grows over them and does not end with one. */
export const intensifiers: ReadonlySet<string> = new Set("very quite rather somewhat really too more".split(" "));
/** And it does not grow over one of these. */
export const barriers: ReadonlySet<string> = new Set(
  (
    "and or but while which who whom whose that because since when where as if although though so than then he she they it " +
    "we you i there this these those has have had having with shows show showing shown showed displays display displaying " +
    "contains contain containing carries carry carrying suggests suggest suggesting indicates indicate indicating reveals " +
    "reveal revealing conveys convey conveying reflects reflect reflecting expresses express expressing implies implying " +
    "can could may might will would should must do does did also accompanied along during throughout overall person man woman " +
    "video audio clip scene speaker character people individual"
  ).split(" "),
);

/** Verbs of a conclusion that tell how somebody comes across. */
export const seemings: ReadonlySet<string> = new Set(
  "seem seems seemed seeming look looks looked looking appear appears appeared appearing sound sounds sounded sounding".split(
    " ",
  ),
);

const linkVerbs =
  "is are was were am be been being isn't wasn't aren't weren't becomes become became remains remain remained stays stayed gets got " +
  "grows grew feels felt turns turned he's she's they're";
const linkParticles =
  "to like as if in full of both so a bit little lot does do did has have had can could may might must would will still now " +
  "very quite rather somewhat really too more most increasingly";

/** What may stand between somebody and what is felt; a conclusion without a verb in it is none. */
export const linkWords: Readonly<Record<string, "verb" | "particle">> = Object.assign(
  Object.create(null),
  Object.fromEntries(linkParticles.split(" ").map((word) => [word, "particle"])),
  Object.fromEntries(linkVerbs.split(" ").map((word) => [word, "verb"])),
);

/** Who can feel something. */
export const persons: ReadonlySet<string> = new Set(
  (
    "he she they i we you who person man woman boy girl child guy lady speaker character individual people men women actor actress " +
    "protagonist subject mother father"
  ).split(" "),
);
