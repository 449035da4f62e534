// MEP-Bench on a handful of samples and stub respondents, with every metric derived by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultBootstrapOptions } from "../../src/bench/bootstrap.ts";
import { buildCueBank, matchCues, presentCues } from "../../src/bench/cue-bank.ts";
import { faithfulnessMeasures, readYesNo } from "../../src/bench/faithfulness.ts";
import { hallucinationValues } from "../../src/bench/hallucination.ts";
import { pairedReport, reportOf } from "../../src/bench/measure.ts";
import { type MepOptions, mepQueries, runMep } from "../../src/bench/mep.ts";
import { buildProbes, type ProbeOptions, probeQuery } from "../../src/bench/probes.ts";
import type { Query, Respondent } from "../../src/bench/respondent.ts";
import { clauseStatements, type Decomposition } from "../../src/bench/statements.ts";
import { swapsOf, swapValues } from "../../src/bench/swap.ts";
import { cosineRecall, statedCues, utilizationMeasures, utilizationValues } from "../../src/bench/utilization.ts";
import type { Sample } from "../../src/data/sample.ts";
import type { Cue, Embedder } from "../../src/evidence/cue.ts";
import { measuredRows, mepMetricGroups } from "../../src/page/metric-rows.ts";
import { reasoningSpan } from "../../src/text/answer.ts";
import { testSample } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const embedder = wordEmbedder(["frown", "smile", "tears", "loud", "quiet", "sobs"]);
const cues: readonly Cue[] = [
  { kind: "video", text: "a frown" },
  { kind: "video", text: "a smile" },
  { kind: "video", text: "tears" },
  { kind: "audio", text: "a loud voice" },
  { kind: "audio", text: "a quiet voice" },
  { kind: "audio", text: "sobs" },
];
const [frown, smile, tears, loud, quiet, sobs] = [0, 1, 2, 3, 4, 5] as const;
const cue = (index: number): Cue => cues[index]!;
const bank = await buildCueBank(cues, embedder);

const angry = testSample("angry", { labels: ["angry"], cues: [cue(frown), cue(loud)] });
const sad = testSample("sad", { labels: ["sad"], cues: [cue(tears), cue(quiet), cue(sobs)] });
const happy = testSample("happy", { labels: ["happy"], cues: [cue(smile), { kind: "emotion", text: "joy" }] });
const say = (think: string, answer: string): string => `<think>${think}</think><answer>${answer}</answer>`;

test("a clause states its best cue or none, whatever words surround it", async () => {
  assert.deepEqual(await matchCues(bank, [["the video shows a frown", "a frown"], ["nothing"], ["sobs", "tears"]]), [
    [frown],
    [],
    [tears, sobs],
  ]);
  // "a frown or smile": cosine .7071 with both, the first in the bank wins; with a threshold above it there is none
  assert.deepEqual(await matchCues(bank, [["a frown or smile"]]), [[frown]]);
  assert.deepEqual(await matchCues(bank, [["a frown or smile"]], 0.8), [[]]);
  assert.deepEqual(await presentCues(bank, [angry, happy]), [[frown, loud], [smile]]);
});

test("utilization: recall and precision per modality", async () => {
  const texts = [
    say("a frown, a smile. a quiet voice.", "angry"), // video 1 of 1 recalled, 1 of 2 right; audio 0 of 1, 0 of 1
    say("sobs, a quiet voice.", "sad"), // video 0 of 1, nothing stated; audio 2 of 2, 2 of 2
    say("a smile.", "happy"), // video 1 of 1; no audio cue in the clip, none stated
  ];
  const samples = [angry, sad, happy];
  const values = utilizationValues(
    bank,
    await statedCues(bank, texts.map(clauseStatements)),
    await presentCues(bank, samples),
  );
  assert.deepEqual(values, {
    recallVideo: [1, 0, 1],
    recallAudio: [0, 1, Number.NaN],
    precisionVideo: [0.5, Number.NaN, 1],
    precisionAudio: [0, 1, Number.NaN],
  });
  // the paper's form: angry 1 of 2 cues, sad 2 of 3, happy 1 of 1 (its emotion cue does not count)
  assert.deepEqual(await cosineRecall(bank, samples, texts.map(clauseStatements)), [1 / 2, 2 / 3, 1]);
});

const takenOut = (...texts: readonly string[]): Decomposition => ({
  statements: texts.map((text) => ({ text, chars: { start: 0, end: 0 } })),
  problem: null,
});
const unread: Decomposition = { statements: [], problem: "refused by the model" };

test("statements that somebody took out count as clauses do; a response that could not be taken apart counts nowhere", async () => {
  const samples = [angry, sad, happy];
  const present = await presentCues(bank, samples);
  // angry: both of its cues and a smile; sad: nothing is stated, which is no fault of the reader; happy: nobody knows
  const said = [takenOut("a frown", "a loud voice", "a smile"), takenOut(), unread];
  assert.deepEqual(await cosineRecall(bank, samples, said), [1, 0, Number.NaN]);
  const values = utilizationValues(bank, await statedCues(bank, said), present);
  assert.deepEqual(values, {
    recallVideo: [1, 0, Number.NaN],
    recallAudio: [1, 0, Number.NaN],
    precisionVideo: [1 / 2, Number.NaN, Number.NaN],
    precisionAudio: [1, Number.NaN, Number.NaN],
  });
  const { recall } = reportOf(utilizationMeasures(values), defaultBootstrapOptions);
  assert.deepEqual([recall!.value, recall!.count], [1 / 2, 2]);
  const texts = samples.map(() => say("-", "-"));
  const masked = hallucinationValues(bank, "video", texts, await statedCues(bank, said), present, "tagged");
  assert.deepEqual(masked, { hallucinated: [2, 0, Number.NaN], withheld: [0, 1, Number.NaN], format: [1, 1, 1] });
  const swapped = swapValues(bank, "video", await statedCues(bank, said), present, present);
  assert.deepEqual(swapped.follow, [1, 0, Number.NaN]);
  // negative control: a decomposition that loses a cue has lower recall
  assert.deepEqual(await cosineRecall(bank, [angry], [takenOut("a frown")]), [1 / 2]);
});

test("statements and cues are embedded alike, by an embedder that would tell them apart", async () => {
  // As a clause every text is turned away from its meaning.
  const asymmetric: Embedder = {
    name: "asymmetric",
    dimension: embedder.dimension,
    isAsymmetric: true,
    embed: (texts, role = "cue") => embedder.embed(role === "clause" ? texts.map(() => "-") : texts),
  };
  const other = await buildCueBank(cues, asymmetric);
  const said = [clauseStatements(say("a frown, a loud voice.", "angry"))];
  assert.deepEqual(await statedCues(other, said), [[frown, loud]]);
  assert.deepEqual(await cosineRecall(other, [angry], said), [1]);
  const probes = await buildProbes(other, [angry, sad, happy], asking);
  assert.deepEqual(probes, await buildProbes(bank, [angry, sad, happy], asking));
  // negative control: this embedder does tell them apart
  assert.notDeepEqual(await asymmetric.embed(["a frown"], "clause"), await asymmetric.embed(["a frown"]));
});

test("reasoning is read from malformed responses too", () => {
  const read = (text: string) => text.slice(reasoningSpan(text).start, reasoningSpan(text).end);
  assert.equal(read("<think>a frown</think><answer>sad</answer>"), "a frown");
  assert.equal(read("<think>a frown, sobs"), "a frown, sobs");
  assert.equal(read("a frown<answer>sad</answer>"), "a frown");
  assert.equal(read("<think>a frown<answer>sad"), "a frown");
});

test("only an explicit no in a well-formed answer counts", () => {
  assert.equal(readYesNo(say("the video shows a smile.", "no"), "tagged"), "no");
  assert.equal(readYesNo(say("a smile", " No, it does not"), "tagged"), "no");
  assert.equal(readYesNo(say("a smile", "Yes."), "tagged"), "yes");
  for (const text of [
    say("a smile", "nothing"),
    say("", "no"),
    say("a smile", "not sure"),
    "<answer>no</answer>",
    "no",
  ]) {
    assert.equal(readYesNo(text, "tagged"), null, text);
  }
  assert.equal(readYesNo("No, there is not.", "free"), "no");
  assert.equal(readYesNo("There is no frown", "free"), null);
  // models that think first; what they think is no answer
  assert.equal(readYesNo("<think>Yes? No, all is black.</think>\n\nNo.", "free"), "no");
  assert.equal(readYesNo(say("yes", "no"), "free"), "no");
  assert.equal(readYesNo("<think>yes, it", "free"), null);
});

const asking: ProbeOptions = { maxPerModality: 10, maxPerClip: 1, seed: 1, absentThreshold: 0.5 };

test("probes come in threes, ask for typical cues and stay within the bank", async () => {
  const samples = [angry, sad, happy];
  const typical: ProbeOptions = { ...asking, isTypical: (_, { text }) => text !== "sobs" };
  const probes = await buildProbes(bank, samples, typical);
  // three clips own video cues, two own audio cues
  assert.equal(probes.length, 3 * (3 + 2));
  for (const probe of probes) {
    const own = probe.sample.cues.some(({ text }) => text === probe.cue.text);
    assert.equal(own, probe.kind === "masked" || probe.kind === "present");
    assert.equal(probe.cue.kind, probe.modality);
    assert.equal(probe.expected, probe.kind === "present" ? "yes" : "no");
    assert.ok(probe.kind === "absent" || probe.cue.text !== "sobs");
    const { view } = probeQuery(probe);
    assert.equal(view.video === null, probe.kind === "masked" && probe.modality === "video");
    assert.equal(view.audio === null, probe.kind === "masked" && probe.modality === "audio");
  }
  assert.deepEqual(probes, await buildProbes(bank, samples, typical));
  assert.equal((await buildProbes(bank, samples, { ...asking, maxPerModality: 1 })).length, 6);
});

test("a clip is asked twice after every clip was asked once, never for the same cue", async () => {
  const probes = await buildProbes(bank, [angry, sad, happy], { ...asking, maxPerClip: 3 });
  const masked = probes.filter(({ kind, modality }) => kind === "masked" && modality === "audio");
  // angry owns one audio cue, sad two; only loud is absent from sad, so its second cue has no control left
  assert.deepEqual(
    masked.map(({ sample }) => sample.id),
    ["angry", "sad"],
  );
  const twoAbsent = await buildCueBank([...cues, { kind: "audio", text: "loud sobs, quiet" }], embedder);
  const more = await buildProbes(twoAbsent, [angry, sad], { ...asking, maxPerClip: 3, absentThreshold: 0.9 });
  const asked = more.filter(({ kind, modality }) => kind === "masked" && modality === "audio");
  assert.deepEqual(
    asked.map(({ sample }) => sample.id),
    ["angry", "sad", "sad"],
  );
  assert.notEqual(asked[1]!.cue.text, asked[2]!.cue.text);
});

test("an absent control is unlike every cue and every clause of the reference", async () => {
  // the annotator saw a smile too, but no cue was made of it; "a smile and tears" has cosine .7071 with the smile
  const forgotten = testSample("forgotten", { cues: [cue(frown)], reasoning: "a frown, then a smile." });
  const absent = async (sample: Sample) =>
    new Set(
      (
        await Promise.all(
          Array.from({ length: 20 }, (_, seed) => buildProbes(bank, [sample], { ...asking, seed: seed + 1 })),
        )
      )
        .flat()
        .filter(({ kind }) => kind === "absent")
        .map(({ cue: { text } }) => text),
    );
  assert.deepEqual(await absent(forgotten), new Set(["tears"]));
  // negative control: without the reasoning the smile is asked for
  assert.deepEqual(
    await absent(testSample("brief", { cues: [cue(frown)], reasoning: "" })),
    new Set(["tears", "a smile"]),
  );
});

test("a model that always says no has Acc 1 and is exposed by its controls", async () => {
  const probes = await buildProbes(bank, [angry, sad], asking);
  const report = (text: string) =>
    reportOf(
      faithfulnessMeasures(
        probes,
        probes.map(() => text),
        "tagged",
      ),
      defaultBootstrapOptions,
    );
  const never = report(say("a face.", "no"));
  const scores = (from: typeof never) =>
    ["acc", "yes", "no", "balanced", "f1", "yesRate", "unreadable"].map((name) => from[`${name}Video`]!.value);
  assert.deepEqual(scores(never), [1, 0, 1, 0.5, 0, 0, 0]);
  // always yes: 2 true and 2 false positives, F1 = 4 / (4 + 2) = 2/3
  assert.deepEqual(scores(report(say("a face.", "yes"))), [0, 1, 0, 0.5, 2 / 3, 1, 0]);
  // babble is neither
  assert.deepEqual(scores(report("no no no")), [0, 0, 0, 0, 0, 0, 1]);
});

test("the interval resamples clips: three probes of one clip are one observation", async () => {
  const probes = await buildProbes(bank, [angry, sad], asking);
  const thrice = probes.flatMap((probe) => [probe, probe, probe]);
  const answer = ({ sample }: (typeof probes)[number]) => say("a face.", sample === angry ? "no" : "yes");
  const accuracy = (asked: typeof probes) =>
    reportOf(faithfulnessMeasures(asked, asked.map(answer), "tagged"), defaultBootstrapOptions).accVideo!;
  assert.deepEqual(accuracy(probes), { value: 0.5, low: 0, high: 1, count: 2 });
  assert.deepEqual(accuracy(thrice), { value: 0.5, low: 0, high: 1, count: 6 });
});

test("hallucination counts distinct cues of the masked modality", async () => {
  const texts = [
    say("a frown, a frown. a loud voice.", "angry"),
    "<think>tears, a smile",
    say("nothing at all.", "sad"),
  ];
  const stated = await statedCues(bank, texts.map(clauseStatements));
  const values = hallucinationValues(
    bank,
    "video",
    texts,
    stated,
    await presentCues(bank, [angry, sad, sad]),
    "tagged",
  );
  assert.deepEqual(values, { hallucinated: [1, 2, 0], withheld: [0, 0, 1], format: [1, 0, 1] });
});

test("swap: what follows the new clip and what sticks to the old one", () => {
  const partners = (...given: Parameters<typeof swapsOf>) => swapsOf(...given).map(({ partner }) => partner.id);
  assert.deepEqual(partners([angry, angry, sad, happy]), ["sad", "sad", "happy", "angry"]);
  assert.deepEqual(partners([angry, angry]), []);
  // where anger and sorrow are one emotion, only the happy clip is another
  const coarse = ({ labels }: Sample) => (labels.includes("happy") ? ["good"] : ["bad"]);
  assert.deepEqual(partners([angry, sad, happy], coarse), ["happy", "happy", "angry"]);
  // old clip: frown and smile, new clip: smile and tears; stated: tears and frown
  const values = swapValues(bank, "video", [[frown, tears]], [[frown, smile]], [[smile, tears]]);
  // of smile and tears one is stated; the old clip's exclusive cue, the frown, still is
  assert.deepEqual(values, { follow: [0.5], stick: [1] });
});

const oracleSamples: readonly Sample[] = [
  angry,
  sad,
  testSample("happy", { labels: ["happy"], cues: [cue(smile), cue(loud)] }),
];

/** Says exactly what the view shows: the ideal model, or one that talks about hidden modalities as if it saw them. */
function scriptedRespondent(guessesHidden: boolean): Respondent {
  return {
    name: guessesHidden ? "guesser" : "oracle",
    respond: (queries: readonly Query[]) =>
      queries.map(({ prompt, view }) => {
        const seen = [
          ...((view.video ?? (guessesHidden ? view.sample : null))?.cues ?? []).filter(({ kind }) => kind === "video"),
          ...((view.audio ?? (guessesHidden ? view.sample : null))?.cues ?? []).filter(({ kind }) => kind === "audio"),
        ];
        const think = `i see and hear ${seen.map(({ text }) => text).join(", ")}.`;
        if (prompt === "why?") return say(think, view.sample.labels.join(", "));
        return say(think, seen.some(({ text }) => prompt.includes(`${text}?`)) ? "yes" : "no");
      }),
  };
}

test("the whole suite separates an oracle from a model that guesses", async () => {
  const options: MepOptions = {
    bank,
    congruent: oracleSamples,
    conflict: [],
    probes: await buildProbes(bank, oracleSamples, asking),
    swaps: swapsOf(oracleSamples),
    reasoningPrompt: () => "why?",
    emotionScore: (predicted, labels) => (predicted.join() === labels.join() ? 1 : 0),
    answerStyle: "tagged",
  };
  const oracle = await runMep(scriptedRespondent(false), options);
  const everything = await runMep(scriptedRespondent(false), {
    ...options,
    probes: await buildProbes(bank, oracleSamples, { ...asking, fitsEmotion: () => true }),
    absenceOf: () => null,
  });
  const shown = mepMetricGroups.flatMap(({ rows }) => rows.map(({ metric }) => metric));
  assert.deepEqual(
    shown.filter((metric) => !(metric in everything.report)),
    [],
    "pages show what the benchmark measures",
  );
  // rows that no result has are left out, so that older results look as they did
  const rowsOf = (...reports: (typeof oracle.report)[]) =>
    mepMetricGroups.flatMap((group) =>
      measuredRows(
        group,
        reports.map((metrics) => ({ metrics })),
      ),
    ).length;
  assert.deepEqual(
    [rowsOf(oracle.report), rowsOf(everything.report, oracle.report)],
    [shown.length - 12, shown.length],
  );
  assert.ok(shown.length > 20);
  const perfect = { recall: 1, recallCosine: 1, precisionVideo: 1, emotionF1: 1, format: 1, accVideo: 1, accAudio: 1 };
  const clean = { yesVideo: 1, noAudio: 1, hallucinatedVideo: 0, withheldAudio: 1, followVideo: 1, stickAudio: 0 };
  for (const [name, value] of Object.entries({ ...perfect, ...clean })) {
    assert.equal(oracle.report[name]!.value, value, name);
  }
  assert.deepEqual(oracle.report.emotionF1Conflict, { value: null, low: null, high: null, count: 0 });
  // taken apart by one that finds nothing in the free reasonings: what it was asked, and what that comes to
  const asked: number[] = [];
  const blind = await runMep(scriptedRespondent(false), {
    ...options,
    decompose: async (responses) => {
      asked.push(responses.length);
      return responses.map(() => takenOut());
    },
  });
  assert.deepEqual(asked, [3 * 5], "all reasonings at once, no probe");
  assert.deepEqual(
    ["recall", "recallCosine", "followVideo", "accVideo"].map((name) => blind.report[name]!.value),
    [0, 0, 0, 1],
  );
  const guesser = await runMep(scriptedRespondent(true), options);
  assert.equal(guesser.report.recall!.value, 1);
  assert.equal(guesser.report.accVideo!.value, 0);
  assert.equal(guesser.report.withheldVideo!.value, 0);
  // one visual cue per clip
  assert.equal(guesser.report.hallucinatedVideo!.value, 1);
  assert.equal(guesser.reasonings.maskedVideo.length, 3);
  assert.equal(guesser.probes.length, 3 * 6);
  assert.deepEqual(guesser.measures.accVideo!.parts, [{ sums: [0, 0, 0], counts: [1, 1, 1] }]);
  assert.deepEqual(oracle.measures.accAudio!.parts, [{ sums: [1, 1, 1], counts: [1, 1, 1] }]);
  for (const { group, parts } of Object.values(oracle.measures)) {
    for (const { sums, counts } of parts) {
      assert.deepEqual(
        [sums.length, counts.length],
        [oracle.groups[group]!.length, oracle.groups[group]!.length],
        group,
      );
    }
  }
  assert.deepEqual(oracle.readings.probes, { readable: 18 });
  assert.equal(Object.values(mepQueries(options)).flat().length, 3 * 5 + 18);

  // every clip differs by 1, so does every draw
  const { accVideo, recall, hallucinatedVideo } = pairedReport(
    oracle.measures,
    guesser.measures,
    defaultBootstrapOptions,
  );
  assert.deepEqual(accVideo, { value: 1, low: 1, high: 1, count: 3, pValue: 2 / 1001 });
  assert.deepEqual([recall!.value, recall!.pValue], [0, 1]);
  assert.equal(hallucinatedVideo!.value, -1);
});
