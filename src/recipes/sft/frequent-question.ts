// What can be told of conversations that somebody else wrote: what most of them ask, and whether they let sounds be heard.
import type { Wording } from "../../corpus/wording.ts";
import { type Conversation, textOf } from "../../data/conversations/conversation.ts";

/** What at least half of the conversations open with: those who ask the model later ask that. */
export function frequentQuestion(conversations: readonly Conversation[]): {
  readonly wording: Wording | null;
  readonly note: string;
} {
  const counts = new Map<string, { readonly wording: Wording; count: number }>();
  for (const { turns } of conversations) {
    const system = turns[0]?.role === "system" ? textOf(turns[0]) : null;
    const question = textOf(turns.find(({ role }) => role === "user")!).trim();
    if (question === "") continue;
    const key = JSON.stringify([system, question]);
    const entry = counts.get(key) ?? { wording: { question, system, spoken: null }, count: 0 };
    entry.count++;
    counts.set(key, entry);
  }
  const [most] = [...counts.values()].sort((left, right) => right.count - left.count);
  if (most === undefined || 2 * most.count < conversations.length) {
    return { wording: null, note: `questions: ${counts.size} different ones, so none is kept beside the model` };
  }
  const share = `${most.count} of ${conversations.length} conversations`;
  return { wording: most.wording, note: `question: ${most.wording.question} (of ${share}; kept beside the model)` };
}

/** Whether it shows a video whose sound it never lets be heard. */
export function isSilent({ turns }: Conversation): boolean {
  const shown = turns.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "clip" ? [part.shows] : [])));
  return shown.length > 0 && shown.every((shows) => shows !== null && !shows.includes("audio"));
}
