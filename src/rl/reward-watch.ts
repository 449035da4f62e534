// Notices a reward that does not move: a term, or the total, that had one value for some hundred completions in a row
// teaches nothing, and mostly means that something else is wrong (answers that nobody can read, cues that match nothing).
import type { RewardBreakdown } from "./types.ts";

/** Something a person should know of a run, with its remedy. */
export interface Notice {
  /** What it is about; a run tells each once. Example: "reward/omni/zero" */
  readonly name: string;
  readonly line: string;
}

/** So many rewards of one value in a row are told. */
export const defaultWatchWindow = 256;

interface Streak {
  value: number;
  count: number;
  isTold: boolean;
  /** Why completions of the streak had no format, with how often. */
  problems: Map<string, number>;
}

export class RewardWatch {
  readonly #window: number;
  readonly #streaks = new Map<string, Streak>();

  constructor(window = defaultWatchWindow) {
    this.#window = window;
  }

  /**
   * @param problem why the completion is malformed, if it is
   * @returns what became one value with this reward; every streak is told once
   */
  add({ total, parts }: RewardBreakdown, problem: string | null = null): Notice[] {
    const notices: Notice[] = [];
    for (const [name, value] of [...Object.entries(parts), ["total", total] as const]) {
      const streak = this.#continued(name, value);
      if (problem !== null) streak.problems.set(problem, (streak.problems.get(problem) ?? 0) + 1);
      if (streak.isTold || streak.count < this.#window) continue;
      streak.isTold = true;
      notices.push({ name: `reward/${name}/${value > 0 ? "full" : "zero"}`, line: lineOf(name, streak) });
    }
    return notices;
  }

  /** What has one value now, for whoever asks. */
  standing(): string[] {
    return [...this.#streaks].flatMap(([name, streak]) => (streak.isTold ? [lineOf(name, streak)] : []));
  }

  #continued(name: string, value: number): Streak {
    const known = this.#streaks.get(name);
    if (known !== undefined && known.value === value) {
      known.count++;
      return known;
    }
    const fresh = { value, count: 1, isTold: false, problems: new Map<string, number>() };
    this.#streaks.set(name, fresh);
    return fresh;
  }
}

/** Example: "reward: format was 0 for the last 256 completions (256 missing <think>). Look at a completion: ..." */
function lineOf(name: string, { value, count, problems }: Streak): string {
  const worst = [...problems].sort((a, b) => b[1] - a[1])[0];
  const because = worst === undefined ? "" : ` (${worst[1]} of them malformed: ${worst[0]})`;
  return `reward: ${name} was ${Number(value.toFixed(4))} for the last ${count} completions${because}. ${remedyOf(name, value, worst?.[0])}`;
}

function remedyOf(name: string, value: number, problem: string | undefined): string {
  if (value > 0) return "It tells completions apart no more: take harder samples, or stop here.";
  if (problem === "truncated") {
    return "Completions reach their limit of tokens before they end: raise it (maxNewTokens), or ask for shorter ones.";
  }
  if (problem !== undefined) {
    return "Look at a completion: ask for <think></think><answer></answer> in the question, teach the form by supervised fine-tuning first, and keep the tags when completions are decoded.";
  }
  if (name === "omni") {
    return "No clause comes near a cue: check that cues and completions are in one language, and the threshold (delta) for this embedder with oppo embed calibrate.";
  }
  if (name === "accuracy")
    return "No answer meets a label: check the labels, and the lexicon or emotionGroups that compare them.";
  return "It teaches nothing: look at the parts.";
}
