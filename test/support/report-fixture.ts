// A report with every metric, two arms and one clip whose texts try to break out of the page.
import type { Metric } from "../../src/bench/report.ts";
import type { ArmResult, ArmStory, ClipStory, ReportData } from "../../src/page/data.ts";
import { metricRows } from "../../src/page/metric-rows.ts";

export const hostile = '</script><script>window.isBroken = true</script><img src=x onerror="window.isBroken = true">';

/** Values that can be told apart: 0.101, 0.102, ... in the order of the table, plus the offset. */
export function metricsFrom(offset: number): Record<string, Metric> {
  return Object.fromEntries(
    metricRows.map(({ metric }, i) => {
      const value = offset + 0.101 + i / 1000;
      return [metric, { value, low: value - 0.01, high: value + 0.01, count: 30 }];
    }),
  );
}

export function arm(name: string, title: string, offset: number, numSteps: number): ArmResult {
  const metrics = metricsFrom(offset);
  return {
    name,
    title,
    seeds: [0],
    metrics,
    perSeed: [metrics],
    curve: Array.from({ length: numSteps }, (_, step) => ({ step, reward: 1 + step / 10, kl: step / 100 })),
    trainSeconds: [1],
  };
}

function story(name: string): ArmStory {
  const narration = {
    segments: [
      { text: "the video shows " },
      { text: "a furrowed brow", claim: { kind: "video" as const, verdict: "present" as const } },
      { text: `, ${hostile}`, claim: { kind: "audio" as const, verdict: "unseen" as const } },
    ],
    answer: hostile,
    wellFormed: false,
  };
  return {
    arm: name,
    full: narration,
    masked: { video: narration, audio: narration },
    routing: {
      cues: [{ kind: "video", text: "a furrowed brow" }],
      clauses: ["a furrowed brow", hostile],
      similarity: [0.97, 0.1],
    },
    tokens: [
      { text: "a", video: 0.1, audio: 0 },
      { text: hostile, video: 2.5, audio: 0.2 },
    ],
  };
}

/** @param mediaUri @param posterUri what the clip plays and shows. */
export function reportData(mediaUri: string, posterUri: string): ReportData {
  const arms = [
    arm("sft", "SFT cold start", 0, 0),
    arm("reward-only", "+ R_omni", 0.2, 8),
    arm("oppo", "OPPO", 0.4, 8),
  ];
  const clip: ClipStory = {
    id: "congruent-00001",
    caption: "face: angry, voice: sad",
    mediaUri,
    posterUri,
    subtitle: hostile,
    labels: ["angry", hostile],
    cues: [{ kind: "audio", text: hostile }],
    arms: arms.map(({ name }) => story(name)),
  };
  return {
    title: "A report",
    created: "2026-01-01T00:00:00Z",
    arms,
    best: new Map([["recall", 1]]),
    stories: [clip, { ...clip, id: "congruent-00002" }],
    similarityThreshold: 0.5,
    notes: ["What stands beside the table"],
    timings: [{ stage: "clips", seconds: 12.34 }],
    facts: [{ name: "machine", value: hostile }],
  };
}
