// The paper's way from a reasoning to its cues: a language model takes them out, and every phrase is checked against the text
// (src/evidence/extraction). What the model could not do is counted by its reason and left out of the score.
import { reasoningSpan } from "../../bench/respondent.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import { extractCues } from "../../evidence/extraction/extract-cues.ts";
import { promptVersion } from "../../evidence/extraction/prompt.ts";

const defaultConcurrency = 8;

/** Example: "Qwen/Qwen2.5-7B-Instruct, prompt cues-1" */
export function decomposerName({ model }: EndpointOptions): string {
  return `${model}, prompt ${promptVersion}`;
}

/** @param notes gets a line where some reasonings could not be read */
export function decomposer(options: EndpointOptions, notes: string[]) {
  return async (texts: readonly string[]): Promise<(readonly string[] | null)[]> => {
    using client = openChatClient(options);
    const problems = new Map<string, number>();
    const phrases = await askAll(texts, options.concurrency ?? defaultConcurrency, async (text) => {
      const span = reasoningSpan(text);
      const reasoning = text.slice(span.start, span.end).trim();
      // Who says nothing states nothing; that is no fault of the language model.
      if (reasoning === "") return [];
      const { cues, problem } = await extractCues(client, reasoning);
      if (problem === null) return cues.filter(({ kind }) => kind !== "emotion").map((cue) => cue.text);
      problems.set(problem, (problems.get(problem) ?? 0) + 1);
      return null;
    });
    const reasons = [...problems].sort(([a], [b]) => (a < b ? -1 : 1)).map(([reason, count]) => `${count} ${reason}`);
    if (reasons.length > 0) {
      notes.push(
        `cues could not be taken out of ${phrases.filter((own) => own === null).length} of ${texts.length} reasonings (${reasons.join(", ")}); the paper's recall leaves them out`,
      );
    }
    return phrases;
  };
}
