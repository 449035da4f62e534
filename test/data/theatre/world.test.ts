// The world's tables, the scenes drawn from them, and what is written about a scene.
import assert from "node:assert/strict";
import { test } from "node:test";
import { theatreKind } from "../../../src/corpus/theatre-kind.ts";
import { worldName } from "../../../src/data/theatre/corpus.ts";
import { drawScene, type Scene } from "../../../src/data/theatre/draw.ts";
import {
  absenceOfPhrase,
  allCues,
  annotate,
  cueOfPhrase,
  drawProbe,
  exactCues,
  phraseGroups,
  promptText,
  sceneCues,
  sceneEmotions,
  sceneProbe,
  sceneWithout,
} from "../../../src/data/theatre/script.ts";
import {
  acousticAttributes,
  acousticStates,
  cuePhrases,
  emotions,
  emotionWords,
  neutralPhrases,
  plainPhrases,
  rates,
  typicalAcoustic,
  unseenPhrases,
} from "../../../src/data/theatre/world.ts";
import { cosineMatrix } from "../../../src/evidence/similarity.ts";
import { createRandom } from "../../../src/random.ts";
import { deriveSeed } from "../../../src/seeds.ts";

const numScenes = 4000;
/** Four standard errors of a proportion estimated from numScenes draws: a correct rate fails once in 16,000. */
const tolerance = (rate: number): number => 4 * Math.sqrt((rate * (1 - rate)) / numScenes);

const scenes = (kind: Scene["kind"]): Scene[] =>
  Array.from({ length: numScenes }, (_, i) => drawScene(kind, deriveSeed(7, "test", i)));

const angry: Scene = {
  kind: "train",
  videoEmotion: "angry",
  audioEmotion: "angry",
  visual: { brow: "furrowed", eyes: "plain", mouth: "pressed", head: "forward" },
  acoustic: { volume: "loud", pace: "plain", pitch: "plain", quality: "harsh" },
  subtitle: "stop lying to me",
  seed: 1,
};

test("every acoustic state is typical of two emotions, so that none is a safe guess", () => {
  for (const attribute of acousticAttributes) {
    for (const state of acousticStates[attribute]) {
      const count = emotions.filter((emotion) => typicalAcoustic[emotion][attribute] === state).length;
      // Quality has six states for six emotions: one each.
      assert.equal(count, attribute === "quality" ? 1 : 2, `${attribute} ${state}`);
    }
  }
});

test("phrases are unique, two to six words, and share no content word across attributes but the marked nouns", () => {
  const phrases = Object.values(cuePhrases).flat();
  assert.equal(new Set(phrases).size, phrases.length);
  for (const phrase of phrases) {
    const count = phrase.split(" ").length;
    assert.ok(count >= 2 && count <= 6, phrase);
  }
  const functionWords = new Set(["a", "an", "the", "and", "of", "up", "down"]);
  const attributesOfWord = new Map<string, Set<string>>();
  for (const { key, attribute } of allCues) {
    for (const word of cuePhrases[key].join(" ").split(" ")) {
      if (!functionWords.has(word))
        attributesOfWord.set(word, (attributesOfWord.get(word) ?? new Set()).add(attribute));
    }
  }
  const shared = [...attributesOfWord].filter(([, attributes]) => attributes.size > 1).map(([word]) => word);
  assert.deepEqual(shared, ["voice"]);
});

test("a scene is a function of its seed, and seeds differ between splits and indices", () => {
  assert.deepEqual(drawScene("train", 42), drawScene("train", 42));
  const seeds = ["sft", "rl"].flatMap((split) => [0, 1, 2, 3].map((i) => deriveSeed(1, split, i)));
  assert.equal(new Set([...seeds, deriveSeed(2, "sft", 0)]).size, seeds.length + 1);
});

test("training scenes follow the rates of the world", () => {
  const drawn = scenes("train");
  const share = (holds: (scene: Scene) => boolean): number => drawn.filter(holds).length / numScenes;
  const oneIsNull = share((scene) => (scene.videoEmotion === null) !== (scene.audioEmotion === null));
  assert.ok(Math.abs(oneIsNull - rates.plainModality) < tolerance(rates.plainModality), `plain ${oneIsNull}`);
  // Agreeing pairs: those drawn to agree, and a sixth of those drawn independently.
  const agree = (1 - rates.plainModality) * (rates.emotionsAgree + (1 - rates.emotionsAgree) / 6);
  const agreed = share((scene) => scene.videoEmotion !== null && scene.videoEmotion === scene.audioEmotion);
  assert.ok(Math.abs(agreed - agree) < tolerance(agree), `agree ${agreed} of ${agree}`);
});

test("congruent scenes agree, conflict scenes never do, decorrelated ones have no emotion", () => {
  assert.ok(scenes("congruent").every(({ videoEmotion, audioEmotion }) => videoEmotion === audioEmotion));
  assert.ok(scenes("conflict").every(({ videoEmotion, audioEmotion }) => videoEmotion !== audioEmotion));
  const decorrelated = scenes("decorrelated");
  assert.ok(decorrelated.every(({ videoEmotion }) => videoEmotion === null));
  // Uniform over four states: a quarter of the brows is furrowed.
  const furrowed = decorrelated.filter(({ visual }) => visual.brow === "furrowed").length / numScenes;
  assert.ok(Math.abs(furrowed - 0.25) < tolerance(0.25));
});

test("exact cues name what is there, and the emotion", () => {
  assert.deepEqual(exactCues(angry), [
    { kind: "video", text: "a furrowed brow" },
    { kind: "video", text: "pressed lips" },
    { kind: "video", text: "a forward lean" },
    { kind: "audio", text: "a loud voice" },
    { kind: "audio", text: "a harsh tone" },
    { kind: "emotion", text: "the person is angry" },
  ]);
});

test("calm is concluded only when nothing else is expressed", () => {
  assert.deepEqual(sceneEmotions({ videoEmotion: "calm", audioEmotion: "sad" }), ["sad"]);
  assert.deepEqual(sceneEmotions({ videoEmotion: "calm", audioEmotion: null }), ["calm"]);
  assert.deepEqual(sceneEmotions({ videoEmotion: "happy", audioEmotion: "sad" }), ["happy", "sad"]);
});

test("an annotation states only true cues, at least one per expressive modality, and parses back", () => {
  let numPresent = 0;
  let numMentioned = 0;
  for (const [i, scene] of scenes("train").entries()) {
    const { reasoning, labels } = annotate(scene, createRandom(i));
    assert.match(reasoning, /^the video shows .+\. the audio carries .+\. this suggests the person is .+\.$/);
    assert.equal(labels.length, 2);
    const clauses = reasoning.split(/[.,] ?/).slice(0, -2);
    for (const modality of ["video", "audio"] as const) {
      const present = sceneCues(scene, modality);
      const mentioned = clauses.map(cueOfPhrase).filter((cue) => cue?.modality === modality);
      assert.ok(mentioned.every((cue) => present.includes(cue!)));
      assert.ok(mentioned.length > 0 || present.length === 0);
      if (present.length === 0) continue;
      numPresent += present.length;
      numMentioned += mentioned.length;
    }
    assert.ok(clauses.every((clause) => cueOfPhrase(clause) !== null || isNeutral(clause)));
  }
  // At least the mention rate (the "at least one" rule adds some), and clearly below complete.
  const recall = numMentioned / numPresent;
  assert.ok(recall > rates.annotatorMentions && recall < rates.annotatorMentions + 0.1, `recall ${recall}`);
});

/** Says that a modality, or an attribute of it, shows nothing. */
function isNeutral(clause: string): boolean {
  const neutral = [...neutralPhrases.video, ...neutralPhrases.audio, ...Object.values(plainPhrases)];
  return neutral.some((phrase) => clause.includes(phrase));
}

test("cueOfPhrase accepts sentence openings and rejects what no cue is called", () => {
  assert.equal(cueOfPhrase("the audio carries a loud voice.")?.key, "volume.loud");
  assert.equal(cueOfPhrase(" a knitted frown")?.key, "brow.furrowed");
  assert.equal(cueOfPhrase("a loud brow"), null);
  assert.equal(cueOfPhrase("this suggests the person is angry"), null);
});

test("a probe's thought names the asked attribute's real state and its answer follows", () => {
  const cue = (key: string) => allCues.find((candidate) => candidate.key === key)!;
  const raised = sceneProbe(angry, cue("brow.raised"), createRandom(3));
  assert.equal(raised.answer, "no");
  assert.equal(cueOfPhrase(raised.think)?.key, "brow.furrowed");
  const wide = sceneProbe(angry, cue("eyes.wide"), createRandom(3));
  assert.equal(wide.think, "the video shows an ordinary gaze.");
  assert.equal(wide.answer, "no");
  const loud = sceneProbe(angry, cue("volume.loud"), createRandom(3));
  assert.equal(loud.answer, "yes");
  assert.match(loud.question, /^does the audio contain .+\?$/);
});

test("training probes ask for a present cue half of the time", () => {
  const answers = Array.from({ length: numScenes }, (_, i) => drawProbe(angry, "video", createRandom(i)).answer);
  const yes = answers.filter((answer) => answer === "yes").length / numScenes;
  assert.ok(Math.abs(yes - 0.5) < tolerance(0.5), `yes ${yes}`);
});

test("prompts leave an unknown line out", () => {
  assert.equal(promptText("", "why?"), "why?");
  assert.equal(promptText("stop lying to me", "why?"), "the person says: stop lying to me. why?");
});

test("phrase groups cover every cue and emotion once", () => {
  const names = phraseGroups().map(({ name }) => name);
  assert.equal(new Set(names).size, allCues.length + Object.keys(emotionWords).length);
});

test("what cannot be perceived has words of its own, apart from a plain face and from every cue", async () => {
  const wordsOf = (phrases: readonly string[]) => new Set(phrases.join(" ").split(" "));
  const unseen = Object.values(unseenPhrases).flat();
  const content = [...wordsOf(unseen)].filter((word) => !["a", "an", "that", "can", "be", "could"].includes(word));
  for (const others of [Object.values(neutralPhrases).flat(), Object.values(cuePhrases).flat()]) {
    assert.deepEqual(
      content.filter((word) => wordsOf(others).has(word)),
      [],
    );
  }
  // told apart by the first word after the opening
  assert.equal(wordsOf(unseen.map((phrase) => phrase.split(" ")[0]!)).size, 1);
  // the reward pays nothing for them
  const { dimension, embed } = theatreKind.embedder();
  const cues = await embed(Object.values(cuePhrases).flat());
  for (const [modality, opening] of [
    ["video", "the video shows"],
    ["audio", "the audio carries"],
  ] as const) {
    const clauses = unseenPhrases[modality].map((phrase) => `${opening} ${phrase}`);
    assert.ok(Math.max(...cosineMatrix(await embed(clauses), cues, dimension)) < 0.1);
  }
  // negative control: a cue's own words are paid
  assert.ok(Math.max(...cosineMatrix(await embed(["the video shows a bright smile"]), cues, dimension)) > 0.9);
});

test("a phrase without a cue leads back to what it says of its modality", () => {
  assert.deepEqual(absenceOfPhrase("the video shows nothing within sight."), { modality: "video", kind: "unseen" });
  assert.deepEqual(absenceOfPhrase(" nothing within earshot"), { modality: "audio", kind: "unseen" });
  assert.deepEqual(absenceOfPhrase("the audio carries no marked tone"), { modality: "audio", kind: "neutral" });
  for (const other of ["the video shows a bright smile", "nothing", "no", "an ordinary gaze"]) {
    assert.equal(absenceOfPhrase(other), null, other);
  }
  for (const phrase of [...Object.values(unseenPhrases), ...Object.values(neutralPhrases)].flat()) {
    assert.equal(cueOfPhrase(phrase), null, phrase);
  }
});

test("of a copy without a picture nothing is written but that it cannot be seen; of a plain face, that it is plain", () => {
  const blank = sceneWithout(angry, "video");
  assert.deepEqual([sceneCues(blank, "video"), sceneEmotions(blank)], [[], ["angry"]]);
  const said = (scene: Scene, seed: number) => annotate(scene, createRandom(seed)).reasoning.split(/[.,] ?/);
  const kinds = (scene: Scene) =>
    new Set(
      Array.from({ length: 50 }, (_, seed) => said(scene, seed).flatMap((clause) => absenceOfPhrase(clause) ?? []))
        .flat()
        .map(({ modality, kind }) => `${modality} ${kind}`),
    );
  assert.deepEqual(kinds(blank), new Set(["video unseen"]));
  const { unseen: _, ...plainFace } = blank;
  assert.deepEqual(kinds(plainFace), new Set(["video neutral"]));
  assert.deepEqual(kinds(angry), new Set());
  // what the voice says stands as it was, and a drawn account takes as many draws
  assert.deepEqual(said(blank, 3).slice(1), said(plainFace, 3).slice(1));
  const smile = allCues.find(({ key }) => key === "mouth.smile")!;
  const probe = sceneProbe(blank, smile, createRandom(3));
  assert.deepEqual([absenceOfPhrase(probe.think)?.kind, probe.answer], ["unseen", "no"]);
  const loud = allCues.find(({ key }) => key === "volume.loud")!;
  assert.equal(sceneProbe(blank, loud, createRandom(3)).answer, "yes");
});

test("the world has a name that its tables decide", () => {
  assert.match(worldName(), /^[0-9a-f]{16}$/);
});
