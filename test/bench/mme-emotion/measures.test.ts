// MME-Emotion's scores against numbers worked out by hand, and its readings of labels, steps and fractions.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reportOf } from "../../../src/bench/measure.ts";
import { labelScore, namedLabels } from "../../../src/bench/mme-emotion/labels.ts";
import { mmeMeasures, type ScoredClip } from "../../../src/bench/mme-emotion/measures.ts";
import { scoresIn, stepsIn } from "../../../src/bench/mme-emotion/step-scores.ts";
import { taskOfFile } from "../../../src/bench/mme-emotion/tasks.ts";

const grades = ["very strong negative", "strong negative", "negative", "weak negative", "neutral", "positive"];
const emotions = ["anger", "fear", "sadness", "anxiety"];
const bootstrap = { seed: 1, numResamples: 200, confidence: 0.95 };

function scored(labels: readonly string[], response: string | null, stepScores: readonly number[] | null): ScoredClip {
  return {
    clip: { task: "ML-ER", videoId: "a.mp4", labels, labelSet: emotions, audioClue: null },
    response,
    stepScores,
  };
}

describe("labels", () => {
  test("the longest label wins, in any case and spacing, and never inside a word", () => {
    assert.deepEqual(namedLabels("<think>negative?</think><answer>Very  strong Negative.</answer>", grades), [
      "very strong negative",
    ]);
    assert.deepEqual(namedLabels("It is negative, or strong negative", grades), ["strong negative", "negative"]);
    assert.deepEqual(namedLabels("positively electronegative", grades), []);
    assert.deepEqual(namedLabels("angry", emotions), []);
    assert.deepEqual(namedLabels("anything", []), []);
    assert.deepEqual(namedLabels("a+b (x)", ["a+b", "(x)"]), ["a+b", "(x)"]);
  });

  test("one label alone is right; several named are none; of several labels recall is not punished and F1 is", () => {
    assert.deepEqual(labelScore(["fear"], ["fear"]), { recall: 1, f1: 1, numNamed: 1 });
    assert.deepEqual(labelScore(["fear", "anger"], ["fear"]), { recall: 0, f1: 0, numNamed: 2 });
    assert.deepEqual(labelScore(emotions, ["fear", "anger"]), { recall: 1, f1: 2 / 3, numNamed: 4 });
    assert.deepEqual(labelScore(["fear"], ["sadness", "anger"]), { recall: 0, f1: 0, numNamed: 1 });
  });
});

describe("the reference's texts", () => {
  test("steps between their tags", () => {
    const text = "<step>Step 1: He smiles. Step 2: Thus the predicted emotion is happy.</step>";
    assert.deepEqual(stepsIn(text), ["He smiles.", "Thus the predicted emotion is happy."]);
    assert.deepEqual(stepsIn("<step>\nStep 1: a\nStep 2: b\n</step>"), ["a", "b"]);
    assert.equal(stepsIn("Error: connection refused"), null);
  });

  test("fractions; what is none, or more than all, is no score", () => {
    assert.deepEqual(scoresIn("<score>Step 1: 1/1, Step 2: 0/1,\n Step 3: 2/4</score>"), [1, 0, 0.5]);
    for (const text of [
      "Step 1: 1/1",
      "<score>good</score>",
      "<score>Step 1: 1/0</score>",
      "<score>Step 1: 3/2</score>",
    ])
      assert.equal(scoresIn(text), null, text);
  });

  test("files by the task that their names begin with", () => {
    assert.equal(taskOfFile("FG_SA_mine.json")?.name, "FG-SA");
    assert.equal(taskOfFile("SA_mine.json")?.name, "SA");
    assert.equal(taskOfFile("ER_SL_Wild_r1_omni_eval.json")?.name, "ER-Wild");
    assert.equal(taskOfFile("ir.json")?.name, "IR");
    assert.equal(taskOfFile("IRIS.json"), null);
    assert.equal(taskOfFile("mine_SA.json"), null);
  });
});

describe("Rec-S, Rea-S and CoT-S", () => {
  // Rec 1, 0.5, 0; Rea (1 + 0) / 2, 1, 0 (one step); one clip without a judgement.
  const clips = [
    scored(["fear"], "fear", [1, 0, 1]),
    scored(["fear", "anger"], "fear", [1, 0.5]),
    scored(["anger"], "calm", [0]),
    scored(["anger"], "anger", null),
  ];

  test("hand-computed, with what is missing left out", () => {
    const report = reportOf(mmeMeasures(clips, 0.25), bootstrap);
    assert.equal(report.recognition!.value, 0.5);
    assert.equal(report.reasoning!.value, 0.5);
    assert.equal(report.cot!.value, 0.25 * 0.5 + 0.75 * 0.5);
    assert.equal(report.steps!.value, 2);
    assert.equal(report.recognition!.count, 3);
    assert.ok(report.recognition!.low! < 0.5 && report.recognition!.high! > 0.5);
    // 1, 1/2, 0, 1 without a judge; 1, 2/3, 0, 1 as F1.
    assert.equal(report.labelRecall!.value, 0.625);
    assert.ok(Math.abs(report.labelF1!.value! - (1 + 2 / 3 + 0 + 1) / 4) < 1e-12);
    assert.equal(report.outOfVocabulary!.value, 0.25);
  });

  test("a missing judgement is not a zero", () => {
    const asZero = clips.map((clip) => ({ ...clip, stepScores: clip.stepScores ?? [0] }));
    const value = (of: readonly ScoredClip[]) => reportOf(mmeMeasures(of, 0.5), bootstrap).recognition!.value;
    assert.equal(value(asZero), 0.375);
    assert.notEqual(value(clips), value(asZero));
  });

  test("without any judgement the judged scores have no value, and labels have", () => {
    const report = reportOf(mmeMeasures([scored(["fear"], null, null)], 0.5), bootstrap);
    assert.equal(report.cot!.value, null);
    assert.equal(report.labelRecall!.value, 0);
  });
});
