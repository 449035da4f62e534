// Supervised fine-tuning on conversations: what is learnt of them, with what loss, and that a run that was stopped goes on to the bit.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { heldClips } from "../../src/corpus/clips/clip-source.ts";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import type { Conversation, ConversationPart, ConversationTurn } from "../../src/data/conversations/conversation.ts";
import { loadModel } from "../../src/models/registry.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { numLiveTensors } from "../../src/tensor/index.ts";
import { learningOrder, trainSft } from "../../src/train/cold-start/cold-start.ts";
import {
  ConversationExamples,
  longestTokens,
  missingModality,
} from "../../src/train/cold-start/conversation-examples.ts";
import { evaluationOrder } from "../../src/train/cold-start/sft-evaluation.ts";
import { ShownRows } from "../../src/train/cold-start/shown-rows.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { sftLoss } from "../../src/train/sft.ts";
import { sftSchema } from "../../src/train/sft-config.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { digestOf, interruptAt, withoutTimes } from "../support/training-runs.ts";

let theatre: SmallTheatre;
let fitted: FittedSample[];
let start: string;

before(async () => {
  theatre = await smallTheatre(6);
  start = theatre.freshModel(1);
  using model = await loadModel(start);
  fitted = await fitAll(theatre, model);
});
after(() => theatre[Symbol.dispose]());

const say = (role: ConversationTurn["role"], text: string): ConversationTurn => ({
  role,
  parts: [{ type: "text", text }],
});

function show(at: number, shows: ("video" | "audio")[] | null = null): ConversationPart {
  const { id, media } = fitted[at]!.sample;
  return { type: "clip", clip: { id, media }, shows };
}

function ask(parts: readonly ConversationPart[], text: string): ConversationTurn {
  return { role: "user", parts: [...parts, { type: "text", text }] };
}

function conversation(id: string, ...turns: ConversationTurn[]): Conversation {
  return { id, place: id, isNamed: true, turns };
}

const answer = (at: number) => {
  const { reasoning, labels } = fitted[at]!.sample;
  return say("assistant", `<think>${reasoning}</think><answer>${labels.join(", ")}</answer>`);
};

/** One question about each clip. */
const single = () =>
  fitted.map((_, at) => conversation(`s${at}`, ask([show(at)], "what does the person feel, and why?"), answer(at)));

describe("what is learnt of a conversation", () => {
  test("every assistant turn with its stop token, each after all that was said before", async () => {
    using model = await loadModel(start);
    using library = new ClipLibrary(model);
    library.add(fitted);
    using examples = new ConversationExamples(model, library);
    const turns = [
      say("system", "be brief."),
      ask([show(0)], "what does the video show?"),
      say("assistant", "a frown."),
      ask([], "what does the person feel?"),
      say("assistant", "anger."),
      ask([show(1, ["audio"])], "does the audio carry a loud voice?"),
      say("assistant", "no."),
    ];
    const groups = examples.of(conversation("c", ...turns));
    assert.deepEqual(
      groups.map((group) => group.map(({ target }) => model.decodePieces(target.slice(0, -1)).join(""))),
      [["a frown.", "anger."], ["no."]],
      "turns that have seen the same clips share their rows",
    );
    for (const { target, weights } of groups.flat()) {
      assert.equal(target.at(-1), model.stopIds[0]);
      assert.deepEqual(
        [...weights],
        [...target].map(() => 1),
      );
    }
    const [[first, second], [third]] = groups as [[(typeof groups)[0][0], (typeof groups)[0][0]], (typeof groups)[0]];
    assert.equal(first!.prompt.rows, second!.prompt.rows);
    const text = (ids: Int32Array) => model.decodePieces(ids).join("");
    assert.ok(text(second!.prompt.tokens.ids).includes("a frown."));
    assert.ok(!text(first!.prompt.tokens.ids).includes("a frown."));
    assert.ok(text(first!.prompt.tokens.ids).includes("be brief."));
    const audioRows = library.rows(fitted[1]!.sample.id).audio!.size(0);
    assert.equal(third!.prompt.rows!.audio!.size(0), library.rows(fitted[0]!.sample.id).audio!.size(0) + audioRows);
    assert.equal(third!.prompt.rows!.video!.size(0), library.rows(fitted[0]!.sample.id).video!.size(0));
    assert.equal(longestTokens(groups), third!.prompt.tokens.ids.length + third!.target.length);
  });

  test("its loss is that of the turns one by one, and of nothing else", async () => {
    using model = await loadModel(start);
    using library = new ClipLibrary(model);
    library.add(fitted);
    using examples = new ConversationExamples(model, library);
    const turns = [
      ask([show(0)], "what does the video show?"),
      say("assistant", "a frown."),
      ask([], "why?"),
      answer(0),
    ];
    const groups = examples.of(conversation("c", ...turns));
    const lossOf = (batch: typeof groups) => sftLoss(model, batch);
    const parts = groups.flat().map((example) => ({ loss: lossOf([[example]]), tokens: example.target.length }));
    const mean =
      parts.reduce((sum, { loss, tokens }) => sum + loss * tokens, 0) /
      parts.reduce((sum, { tokens }) => sum + tokens, 0);
    assert.ok(Math.abs(lossOf(groups) - mean) < 1e-4, `${lossOf(groups)} ${mean}`);
    // negative control: without the first answer in its prompt the second is another loss
    const alone = examples.of(conversation("d", ask([show(0)], "why?"), answer(0)));
    assert.ok(Math.abs(lossOf(alone) - parts[1]!.loss) > 1e-3);
  });

  test("a modality that is asked for and not there is named", () => {
    const silent = { video: { key: "v" }, audio: null } as never;
    const row = (shows: ("video" | "audio")[] | null) =>
      conversation("c", ask([show(0, shows)], "?"), say("assistant", "x"));
    assert.equal(
      missingModality(row(["video", "audio"]), () => silent),
      `${fitted[0]!.sample.id} has no audio`,
    );
    assert.equal(
      missingModality(row(["video"]), () => silent),
      null,
    );
    assert.equal(
      missingModality(row(null), () => silent),
      null,
    );
  });
});

describe("rows that cannot be shown as they ask", () => {
  async function shownRows(name: string, maxSkippedFraction: number, maxTokens: number | null = null) {
    const model = await loadModel(start);
    const library = new ClipLibrary(model);
    // The first clip is silent.
    library.add(
      fitted.map((one, at) => (at === 0 ? { ...one, clip: { ...one.clip, waveform: new Float32Array(0) } } : one)),
    );
    const rows = fitted.map((_, at) => conversation(`r${at}`, ask([show(at, ["video", "audio"])], "why?"), answer(at)));
    const order = { ...evaluationOrder(rows, 2), steps: 3 };
    const told: string[] = [];
    const shown = new ShownRows({
      ...{ model, source: heldClips(library, order), order, maxTokens, maxSkippedFraction },
      ...{ skipFile: join(theatre.root, `${name}.jsonl`), file: "rows.json" },
      onSkip: (id, reason) => void told.push(`${id}: ${reason}`),
    });
    const dispose = () => {
      library[Symbol.dispose]();
      model[Symbol.dispose]();
    };
    return { shown, told, [Symbol.dispose]: dispose };
  }

  test("drop out of their batch, once told, and do so again after a stop", async () => {
    using first = await shownRows("drop", 0.5);
    const ids = async (rows: ShownRows, step: number) => (await rows.ready(step)).map(({ id }) => id);
    assert.deepEqual(await ids(first.shown, 0), ["r1"]);
    assert.deepEqual(await ids(first.shown, 1), ["r2", "r3"]);
    assert.deepEqual(await ids(first.shown, 3), ["r1"]);
    assert.deepEqual(first.told, [`r0: ${fitted[0]!.sample.id} has no audio`]);
    using second = await shownRows("drop", 0.5);
    assert.deepEqual(await ids(second.shown, 0), ["r1"]);
    assert.deepEqual(second.told, []);
    assert.equal(second.shown.skipped.length, 1);
  });

  test("end the run when there are too many of them, or nothing else", async () => {
    const code = (expected: string) => (error: Error & { code: string }) => error.code === expected;
    using strict = await shownRows("strict", 0.1);
    await assert.rejects(strict.shown.ready(0), code("ERR_TOO_MANY_SKIPPED"));
    using none = await shownRows("none", 1, 5);
    await assert.rejects(none.shown.ready(0), code("ERR_NO_SAMPLES"));
    assert.match(none.told[1]!, /^r1: \d+ tokens with its clips and answers; maxTokens is 5$/);
  });
});

interface RunOptions {
  readonly overrides?: readonly string[];
  readonly stopAt?: number | null;
}

async function run(name: string, { overrides = [], stopAt = null }: RunOptions = {}) {
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  const shared = [
    "steps=4",
    "samplesPerStep=2",
    "warmupSteps=0",
    "learningRate=3e-3",
    "checkpointEvery=50",
    "evalEvery=2",
  ];
  const config = resolveConfig(sftSchema, { overrides: [...shared, "evalAnswers=1", "maxNewTokens=12", ...overrides] });
  using models = await openPolicy({ ...config, model: start, isAlone: true });
  using library = new ClipLibrary(models.reference);
  library.add(fitted);
  const rows = single();
  const order = learningOrder(rows.slice(0, 4), config);
  const evalOrder = evaluationOrder(rows.slice(4), 2);
  await trainSft(
    {
      ...{ config, models, steps: order.steps, clips: heldClips(library, order) },
      heldOut: { clips: heldClips(library, evalOrder), numBatches: evalOrder.steps },
    },
    { directory, interrupt: interruptAt(stopAt) },
  );
  return {
    metrics: withoutTimes(directory),
    evaluations: readStepLog(join(directory, "evaluation.jsonl")),
    answers: readStepLog(join(directory, "answers.jsonl")),
    weights: digestOf(models.trainable),
    all: digestOf(models.policy.parameters()),
  };
}

describe("trainSft", () => {
  test("learns, evaluates, and goes on to the bit after a stop at any place; nothing leaks", async () => {
    const live = numLiveTensors();
    const whole = await run("whole");
    assert.equal(numLiveTensors(), live);
    assert.ok(whole.metrics.at(-1)!.loss! < whole.metrics[0]!.loss!);
    assert.deepEqual(
      whole.evaluations.map(({ step }) => step),
      [1, 3],
    );
    assert.ok((whole.evaluations[1]!.loss as number) < (whole.evaluations[0]!.loss as number));
    assert.equal(whole.answers.length, 2);
    assert.equal(whole.answers[0]!.id, "s4");
    assert.match(String(whole.answers[0]!.expected), /^<think>.*<\/think><answer>/);
    for (const stopAt of [1, 3, 5]) {
      await assert.rejects(run(`stopped-${stopAt}`, { stopAt }), InterruptedError);
      assert.deepEqual(await run(`stopped-${stopAt}`), whole, `stopped at ${stopAt}`);
    }
    // negative control: another seed is another run
    assert.notEqual((await run("other", { overrides: ["seed=1"] })).weights, whole.weights);
  });

  test("an adapter with dropout learns alone and goes on to the bit", async () => {
    const lora = { overrides: ["trainable=lora", "lora.rank=4", "lora.dropout=0.3"] };
    const whole = await run("lora", lora);
    await assert.rejects(run("lora-stopped", { ...lora, stopAt: 3 }), InterruptedError);
    assert.deepEqual(await run("lora-stopped", lora), whole);
    const dry = await run("lora-dry", { overrides: ["trainable=lora", "lora.rank=4"] });
    assert.equal(dry.metrics[0]!.loss === whole.metrics[0]!.loss, true, "an adapter that is zero drops nothing yet");
    assert.notEqual(dry.weights, whole.weights);
  });

  test("parts that learn change, and no others", async () => {
    const changed = async (...overrides: string[]) => {
      const config = resolveConfig(sftSchema, {
        overrides: ["steps=1", "samplesPerStep=2", "warmupSteps=0", "learningRate=1e-3", ...overrides],
      });
      using models = await openPolicy({ ...config, model: start, isAlone: true });
      using before = await loadModel(start);
      using library = new ClipLibrary(models.reference);
      library.add(fitted);
      const directory = join(theatre.root, `parts-${overrides.join("-").replaceAll(/\W/g, "")}`);
      await trainSft(
        { config, models, steps: 1, clips: heldClips(library, learningOrder(single(), config)), heldOut: null },
        { directory, interrupt: interruptAt(null) },
      );
      const names = [...models.policy.parameters()].filter(
        ([name, value]) =>
          digestOf(new Map([[name, value]])) !== digestOf(new Map([[name, before.parameters().get(name)!]])),
      );
      return [...new Set(names.map(([name]) => (before.isProjector(name) ? "projector" : before.partOf(name))))].sort();
    };
    assert.deepEqual(await changed("trainable=decoder"), ["head", "language model"]);
    assert.deepEqual(await changed("trainable=full", "parts=[projector]"), ["projector"]);
    assert.deepEqual(await changed("trainable=full", "parts=[towers]"), ["audio tower", "vision tower"]);
  });

  test("steps follow from epochs unless they are said", () => {
    const config = (...overrides: string[]) => resolveConfig(sftSchema, { overrides });
    const steps = (numRows: number, ...overrides: string[]) =>
      learningOrder(new Array(numRows).fill(single()[0]), config(...overrides)).steps;
    assert.equal(steps(5000, "epochs=2", "samplesPerStep=16"), 625);
    assert.equal(steps(10, "epochs=0.5", "samplesPerStep=3"), 2);
    assert.equal(steps(10, "steps=7"), 7);
  });
});
