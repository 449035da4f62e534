// Descriptions whose modality is known: kinds follow it, places are those of the joined text, conclusions stay conclusions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nothing } from "../../../src/evidence/extraction/extract-cues.ts";
import { descriptionBreak, extractDescriptions } from "../../../src/evidence/extraction/extract-descriptions.ts";
import { extractOffline } from "../../../src/evidence/extraction/extract-offline.ts";

const descriptions = [
  { kind: "video", text: "His brow is furrowed. His trembling voice can be seen on his lips." },
  { kind: "audio", text: "He speaks with a trembling voice and his brow is furrowed." },
  { kind: "emotion", text: "His tightly furrowed brow suggests anger." },
] as const;

test("observations take the modality of their description; an analysis gives conclusions alone", async () => {
  const plain = descriptions.map(({ text }) => extractOffline(text).cues.map(({ kind }) => kind));
  assert.ok(plain[0]!.includes("audio") && plain[1]!.includes("video"), "the rules by themselves mix the two");
  const { cues, problem, dropped } = await extractDescriptions(descriptions, extractOffline);
  assert.equal(problem, null);
  const whole = descriptions.map(({ text }) => text).join(descriptionBreak);
  const starts = [0, descriptions[0].text.length + 1];
  for (const { kind, text, start, end } of cues) {
    assert.equal(whole.slice(start, end).toLowerCase(), text.toLowerCase());
    if (kind === "video") assert.ok(end <= starts[1]!);
    if (kind === "audio") assert.ok(start >= starts[1]!);
  }
  assert.deepEqual([...new Set(cues.map(({ kind }) => kind))].sort(), ["audio", "emotion", "video"]);
  const last = starts[1]! + descriptions[1].text.length + 1;
  assert.ok(cues.filter(({ start }) => start >= last).every(({ kind }) => kind === "emotion"));
  assert.ok(dropped.every(({ reason }) => reason !== "repeated"));
});

test("a phrase of two descriptions of one modality is one cue", async () => {
  const twice = [descriptions[0], descriptions[0]];
  const once = await extractDescriptions([descriptions[0]], extractOffline);
  const { cues, dropped } = await extractDescriptions(twice, extractOffline);
  assert.deepEqual(cues, once.cues);
  assert.equal(dropped.filter(({ reason }) => reason === "repeated").length, cues.length);
});

test("one unreadable description costs itself; all of them are a problem", async () => {
  const fails = (text: string) =>
    text.includes("brow is") ? nothing("text in another language") : extractOffline(text);
  const { cues, problem } = await extractDescriptions(descriptions, fails);
  assert.equal(problem, null);
  assert.ok(cues.length > 0);
  assert.equal((await extractDescriptions(descriptions.slice(0, 2), fails)).problem, "text in another language");
});
