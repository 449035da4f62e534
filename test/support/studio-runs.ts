// Folders of runs as training writes them, made up: for the studio's tests and its script of pictures.
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface MadeRun {
  readonly steps: number;
  readonly preset?: string;
  readonly wantedSteps?: number;
  /** Groups a step; 0: no rollouts. */
  readonly groups?: number;
  readonly data?: string;
}

/** Numbers that go somewhere, by a fixed rule. */
export function metricsRow(step: number, lift = 0): Record<string, number> {
  const wave = (period: number) => Math.sin(step / period);
  return {
    step,
    reward: 1 + lift + step / 100 + 0.2 * wave(3),
    loss: 0.01 * wave(5),
    kl: 0.001 * step,
    entropy: 1 / (1 + step / 50),
    "rewards/accuracy/mean": 0.5 + 0.1 * wave(4),
    "rewards/format/mean": 0.9,
    "rewards/omni/mean": 0.5 + step / 200,
    "completions/mean_length": 30 + 2 * wave(7),
    grad_norm: 1 + 0.3 * wave(2),
    num_tokens: 1000,
    step_time: 0.8 + 0.1 * wave(9),
    "timing_s/rollout": 0.4,
    "timing_s/bwd": 0.2,
    "timing_s/fwd_full": 0.1,
  };
}

/** A group of four: seen and heard cues, an unsupported claim, a broken one. */
export function groupRow(step: number, sample: string, base = 1): Record<string, unknown> {
  const text =
    "<think>the video shows a furrowed brow. the audio carries a loud voice. a green hat.</think><answer>angry</answer>";
  const span = (part: string): [number, number] => [text.indexOf(part), text.indexOf(part) + part.length];
  const clause = (part: string, cue: number, kind: string | null, similarity: number) => ({
    ...{ text: part, chars: span(part), cue, kind, similarity },
    ...(cue < 0 ? { nearest: { cue: 0, similarity: 0.21 } } : {}),
  });
  const clauses = [
    clause("the video shows a furrowed brow", 0, "video", 0.97),
    clause("the audio carries a loud voice", 1, "audio", 0.91),
    clause("a green hat", -1, null, 0),
  ];
  const ends = [7, ...text.matchAll(/\S+\s?/g)].map((match) =>
    typeof match === "number" ? match : match.index + match[0].length,
  );
  const tokens = {
    ends,
    divergence: {
      video: [
        [3, 1.2],
        [4, 0.4],
      ],
      audio: [[8, 0.8]],
      reference: ends.map((_, t) => [t, t === 6 ? 1.5 : 0.01]),
    },
  };
  const rollout = (reward: number, more: Record<string, unknown> = {}) => ({
    ...{ text, numTokens: ends.length, truncated: false, wellFormed: true, problem: null, reward },
    ...{ rewards: { accuracy: reward / 3, format: 1, omni: reward / 2 }, advantage: reward - base, clauses, tokens },
    ...more,
  });
  const broken = {
    text: "<think>the video shows",
    wellFormed: false,
    problem: "missing </think>",
    clauses: [],
    truncated: true,
  };
  const cues = [
    { kind: "video", text: "a furrowed brow" },
    { kind: "audio", text: "a loud voice" },
    { kind: "emotion", text: "the person is angry" },
  ];
  const rollouts = [rollout(base + 0.5), rollout(base), rollout(base - 0.2), rollout(0, broken)];
  return { step, sample, cues, rollouts };
}

export const line = (row: unknown) => `${JSON.stringify(row)}\n`;

export function makeRun(folder: string, name: string, run: MadeRun): string {
  const { steps, preset = "oppo", wantedSteps = steps, groups = 2, data } = run;
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const terms =
    "reward:\n  terms:\n    - name: accuracy\n      weight: 1\n    - name: format\n      weight: 1\n    - name: omni\n      weight: 0.5\n  similarityThreshold: 0.5\n";
  writeFileSync(
    join(path, "config.yaml"),
    `preset: ${preset}\n${data === undefined ? "" : `data: ${data}\n`}steps: ${wantedSteps}\nlearningRate: 0.003\n${terms}`,
  );
  writeFileSync(join(path, "run.json"), JSON.stringify({ kind: "train", seeds: [0], device: "cpu" }));
  writeFileSync(join(path, "warnings.jsonl"), "");
  const rows = Array.from({ length: steps }, (_, step) => line(metricsRow(step)));
  writeFileSync(join(path, "metrics.jsonl"), rows.join(""));
  if (groups > 0) {
    const file = join(path, "rollouts.jsonl");
    writeFileSync(file, "");
    for (let step = 0; step < steps; step++) {
      const lines = Array.from({ length: groups }, (_, g) =>
        line(groupRow(step, `clip-${(step + g) % 7}`, 1 + step / 100)),
      );
      appendFileSync(file, lines.join(""));
    }
  }
  return path;
}
