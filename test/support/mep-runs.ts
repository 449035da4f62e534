// `oppo mep run` against a mock server, on a small theatre's set: what the tests of it share.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildMepSet } from "../../src/recipes/mep/build.ts";
import { type MepRun, runMepSet } from "../../src/recipes/mep/run.ts";
import type { MockOptions } from "./mock-endpoint.ts";
import { quietRun } from "./quiet-run.ts";
import { emotionDefaults } from "./setting-options.ts";
import type { SmallTheatre } from "./small-theatre.ts";

/** The body of a chat completion whose usage counts every media part. */
export function reply(body: { messages: { content: { type: string }[] }[] }, text: string) {
  const numMedia = body.messages[0]!.content.filter(({ type }) => type !== "text").length;
  return {
    status: 200,
    body: {
      choices: [{ message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: { prompt_tokens: 10 + 50 * numMedia, completion_tokens: 5 },
    },
  };
}

export type Body = Parameters<NonNullable<MockOptions["answer"]>>[0];

export interface Part {
  readonly type: string;
  readonly text?: string;
  readonly video_url?: { readonly url: string };
  readonly input_audio?: { readonly data: string; readonly format: string };
}

/** Says what one could say from the types of the parts and the question. */
export const obliging: NonNullable<MockOptions["answer"]> = (body) => {
  const { text } = body.messages[0].content.at(-1);
  const question = /(video|audio) (?:show|contain) (.*)\?/.exec(text);
  const answer = question === null ? "angry" : text.length % 2 === 0 ? "yes" : "no";
  return reply(body, `<think>the video shows a furrowed brow, a loud voice.</think><answer>${answer}</answer>`);
};

const setting = { ...emotionDefaults, similarityThreshold: 0.5 };

/** Below `root`, which has the set. */
export interface MepRuns {
  at(name: string): string;
  buildSet(out: string, embedder?: string): ReturnType<typeof buildMepSet>;
  run(out: string, url: string, changes?: Partial<MepRun>, client?: object): ReturnType<typeof runMepSet>;
  /** The files of a run; the endpoint's address, which is part of a result, does not count here. */
  files(out: string, url: string): string[];
}

/** Call `buildSet("set")` first. */
export function mepRuns(theatre: SmallTheatre): MepRuns {
  const at = (name: string) => join(theatre.root, name);
  return {
    at,
    buildSet: (out, embedder = "auto") =>
      buildMepSet({
        ...quietRun(),
        ...{ data: theatre.samplesFile, dataset: null, cues: null, mediaRoot: null, maxSkippedRows: 0, conflict: null },
        ...{ name: "small", out: at(out), maxCandidates: 100, options: {} },
        setting: { ...setting, embedder, question: null },
      }),
    run: (out, url, changes = {}, client = {}) =>
      runMepSet({
        ...quietRun(),
        set: at("set"),
        system: {
          kind: "endpoint",
          client: { url, model: "mock", key: null, cacheFolder: at(`${out}-replies`), retryMilliseconds: 1, ...client },
          extra: null,
        },
        name: "mock",
        out: at(out),
        mediaRoot: null,
        embedder: null,
        decompose: null,
        answerStyle: "tagged",
        masked: "blank",
        maxNewTokens: 16,
        maxClipBytes: 1 << 30,
        setting,
        ...changes,
      }),
    files: (out, url) =>
      ["results.json", "answers.jsonl", "report.html"].map((name) =>
        readFileSync(join(at(out), name), "utf8").replaceAll(url, "URL"),
      ),
  };
}
