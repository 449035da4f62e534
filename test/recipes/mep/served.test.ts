// MEP-Bench end to end: a tiny model behind `oppo serve model`, asked over HTTP with real media parts, says the very texts
// and gets the very numbers of the same model in this process.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { intactView } from "../../../src/bench/respondent.ts";
import { chooseSetting } from "../../../src/corpus/setting.ts";
import { openChatClient } from "../../../src/endpoint/chat-client.ts";
import { buildMepSet } from "../../../src/recipes/mep/build.ts";
import { endpointRespondent } from "../../../src/recipes/mep/endpoint-respondent.ts";
import { locateMedia } from "../../../src/recipes/mep/media-files.ts";
import { type MepSystem, runMepSet } from "../../../src/recipes/mep/run.ts";
import { readMepSet } from "../../../src/recipes/mep/set-directory.ts";
import type { ModelServer } from "../../../src/serve/model/serve-model.ts";
import { startServer } from "../../serve/served-model.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { emotionDefaults } from "../../support/setting-options.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let server: ModelServer;
let at: (name: string) => string;
let model: string;
const setting = { ...emotionDefaults, similarityThreshold: 0.5 };
const maxNewTokens = 10;

before(async () => {
  theatre = await smallTheatre(6, "congruent");
  at = (name) => join(theatre.root, name);
  model = theatre.freshModel(3);
  server = await startServer(model, { name: "tiny" });
  await buildMepSet({
    ...quietRun(),
    ...{ data: theatre.samplesFile, dataset: null, cues: null, mediaRoot: null, maxSkippedRows: 0, conflict: null },
    ...{ name: "small", out: at("set"), maxCandidates: 100, options: {} },
    setting: { ...setting, embedder: "auto", question: null },
  });
});
after(async () => {
  await server.close();
  theatre[Symbol.dispose]();
});

function run(out: string, system: MepSystem, masked: "blank" | "dropped") {
  return runMepSet({
    ...quietRun(),
    set: at("set"),
    system,
    name: "tiny",
    out: at(out),
    mediaRoot: null,
    embedder: null,
    decompose: null,
    answerStyle: "tagged",
    masked,
    maxNewTokens,
    maxClipBytes: 1 << 30,
    setting,
  });
}

const client = () => ({ url: `${server.address}/v1`, model: "tiny", key: null, cacheFolder: null });

for (const masked of ["blank", "dropped"] as const) {
  test(`over HTTP as in this process, masked parts ${masked}`, async () => {
    const local = await run(`local-${masked}`, { kind: "local", directory: model, batchSize: 64 }, masked);
    const remote = await run(`remote-${masked}`, { kind: "endpoint", client: client(), extra: null }, masked);
    const answers = (name: string) => readFileSync(join(at(`${name}-${masked}`), "answers.jsonl"), "utf8");
    assert.ok(answers("local").split("\n").length > 60);
    assert.equal(answers("remote"), answers("local"));
    const { settings: _, ...numbers } = remote.results;
    const { settings: __, ...expected } = local.results;
    assert.deepEqual(numbers, expected);
    // the model is fresh, but what it says depends on what it is shown
    assert.ok(new Set(answers("local").match(/"text":"[^"]*"/g)).size > 10, "many different texts");
  });
}

test("another clip's sound, or another video, changes what is said", async () => {
  const directory = await readMepSet(at("set"));
  const files = await locateMedia(directory);
  using chosen = await chooseSetting(directory.congruent, { ...setting, embedder: "auto", question: null });
  using chat = openChatClient(client());
  const ids = directory.congruent.map(({ id }) => id);
  const textsWith = (change: (own: string, next: string) => { video: string; sound: string | null }) => {
    const shifted = ids.map((id, i) => {
      const [own, next] = [files.get(id)!, files.get(ids[(i + 1) % ids.length]!)!];
      return [id, { ...own, ...change(own.video, next.video) }] as const;
    });
    const respondent = endpointRespondent({
      client: chat,
      files: new Map(shifted),
      blackVideos: new Map(),
      ...{ masked: "blank", maxNewTokens, concurrency: 4, extra: null, promptText: chosen.promptText },
    });
    return respondent.respond(directory.congruent.map((sample) => ({ prompt: "why?", view: intactView(sample) })));
  };
  const same = await textsWith((video) => ({ video, sound: null }));
  assert.deepEqual(await textsWith((video) => ({ video, sound: null })), same);
  assert.notDeepEqual(await textsWith((video, next) => ({ video, sound: next })), same);
  assert.notDeepEqual(await textsWith((video, next) => ({ video: next, sound: video })), same);
});
