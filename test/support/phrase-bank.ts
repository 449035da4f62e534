// A bank of concepts whose phrases share their nouns on purpose: every eye phrase says "eyes", every voice phrase "voice"
// or "tone". Averages of word vectors confuse the states of such a bank.
import type { Concept } from "../../src/evidence/builtin-embedder.ts";

export const phraseBank: readonly Concept[] = [
  {
    kind: "video",
    name: "brow.furrowed",
    phrases: ["a furrowed brow", "tightly knitted eyebrows", "brows pulled into a frown"],
  },
  { kind: "video", name: "brow.raised", phrases: ["raised eyebrows", "brows lifted high", "eyebrows arched upward"] },
  { kind: "video", name: "brow.slanted", phrases: ["slanted brows", "brows tilted in worry", "a worried brow"] },
  { kind: "video", name: "eyes.wide", phrases: ["wide eyes", "eyes opened fully", "bulging eyes"] },
  { kind: "video", name: "eyes.narrowed", phrases: ["narrowed eyes", "squinting eyes", "eyes half closed"] },
  { kind: "video", name: "eyes.tearful", phrases: ["tearful eyes", "eyes filled with tears", "tears on the face"] },
  { kind: "video", name: "mouth.smile", phrases: ["a smile", "a smiling mouth", "lips curved upward"] },
  {
    kind: "video",
    name: "mouth.downturned",
    phrases: ["a downturned mouth", "mouth corners pulled down", "sagging lips"],
  },
  { kind: "video", name: "mouth.open", phrases: ["an open mouth", "a gaping mouth", "a dropped jaw"] },
  { kind: "video", name: "mouth.pressed", phrases: ["pressed lips", "a tight mouth", "a clenched jaw"] },
  { kind: "video", name: "head.bowed", phrases: ["a bowed head", "the head hanging low", "a lowered face"] },
  {
    kind: "video",
    name: "head.shaking",
    phrases: ["a shaking head", "the head moving sideways", "a face turning away"],
  },
  { kind: "audio", name: "volume.loud", phrases: ["a loud voice", "high volume", "a booming voice"] },
  { kind: "audio", name: "volume.quiet", phrases: ["a quiet voice", "low volume", "a whispering voice"] },
  { kind: "audio", name: "pace.fast", phrases: ["a fast pace", "rapid speech", "rushed words"] },
  { kind: "audio", name: "pace.slow", phrases: ["a slow pace", "slow speech", "stretched words"] },
  { kind: "audio", name: "pitch.high", phrases: ["a high pitch", "a shrill tone", "a high voice"] },
  { kind: "audio", name: "pitch.low", phrases: ["a low pitch", "a deep tone", "a low voice"] },
  { kind: "audio", name: "quality.harsh", phrases: ["a harsh tone", "a rough voice", "a rasping tone"] },
  { kind: "audio", name: "quality.trembling", phrases: ["a trembling voice", "a shaky tone", "a quivering voice"] },
  {
    kind: "emotion",
    name: "angry",
    phrases: ["the person is angry", "this suggests the person is furious", "the person is irritated"],
  },
  {
    kind: "emotion",
    name: "sad",
    phrases: ["the person is sad", "this suggests the person is sorrowful", "the person is gloomy"],
  },
  {
    kind: "emotion",
    name: "scared",
    phrases: ["the person is scared", "this suggests the person is afraid", "the person is anxious"],
  },
  {
    kind: "emotion",
    name: "happy",
    phrases: ["the person is happy", "this suggests the person is joyful", "the person is delighted"],
  },
];
