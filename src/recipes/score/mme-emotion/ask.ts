// Has a model behind a server answer MME-Emotion, and leaves its answers in the reference's response files. The reference publishes no
// question, so the words are ours: what is asked for, the labels, reasoning first. Replies are kept by the client; a task that has a
// file is not asked again.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MmeTask, mmeTasks, taskOfFile } from "../../../bench/mme-emotion/tasks.ts";
import { soundPart, videoPart } from "../../../corpus/clips/chat-parts.ts";
import { mediaPath } from "../../../data/jsonl.ts";
import { type MmeQuestion, readMmeQuestions } from "../../../data/scoring/mme-emotion.ts";
import { askAll } from "../../../endpoint/ask-all.ts";
import { type ChatClient, type ChatPart, wholeText } from "../../../endpoint/chat.ts";
import { openChatClient } from "../../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../../endpoint/endpoint-options.ts";
import { OppoError } from "../../../error.ts";
import { decodeClip, probeClip, soundlessVideo } from "../../../media/isolated/index.ts";
import { replaceFile } from "../../../run/checkpoint.ts";
import type { Stage } from "../../../run/progress.ts";

export interface MmeAskRequest {
  readonly root: string;
  /** Where response files are, and where those of missing tasks go. */
  readonly folder: string;
  /** The clips by their video_id; null: there are none, and nothing can be asked. */
  readonly media: string | null;
  readonly endpoint: EndpointOptions;
  readonly maxTokens: number;
  /** Share of a task's clips that the server may refuse; they are answered with nothing. */
  readonly maxRefused: number;
  readonly stageOf?: (task: string, numClips: number) => Pick<Stage, "advance" | "finish">;
}

/** @returns notes @throws OppoError ERR_USAGE, ERR_SCORE_ASK, ERR_ENDPOINT and its siblings; MediaError of a clip that cannot be read */
export async function askMmeEmotion(request: MmeAskRequest): Promise<string[]> {
  const { root, folder, media, endpoint } = request;
  if (media === null) {
    throw new OppoError(
      "ERR_USAGE",
      "--ask: expected the clips that are asked about, got none. Name their folder with --media.",
    );
  }
  mkdirSync(folder, { recursive: true });
  const done = new Set(readdirSync(folder).map((name) => taskOfFile(name)?.name));
  const notes: string[] = [];
  using client = openChatClient(endpoint);
  for (const task of mmeTasks) {
    const questions = done.has(task.name) ? null : readMmeQuestions(root, task);
    if (questions !== null) notes.push(await askTask(task, questions, { ...request, media }, client));
  }
  return notes;
}

async function askTask(
  task: MmeTask,
  questions: readonly MmeQuestion[],
  request: MmeAskRequest & { readonly media: string },
  client: ChatClient,
): Promise<string> {
  const { folder, endpoint, maxRefused, stageOf } = request;
  const stage = stageOf?.(task.name, questions.length);
  let numRefused = 0;
  const rows = await askAll(questions, endpoint.concurrency ?? 8, async (question) => {
    const answer = await answerTo(task, question, request, client);
    if ("refused" in answer && ++numRefused > maxRefused * questions.length) {
      throw new OppoError(
        "ERR_SCORE_ASK",
        `${task.name}, ${question.videoId}: expected at most ${Math.floor(maxRefused * questions.length)} of ${questions.length} clips to be refused, got one more: ` +
          `${answer.refused} What was answered is kept; serve a model that takes video and sound, or raise --max-missing.`,
      );
    }
    stage?.advance(`${numRefused} refused`);
    const text = "refused" in answer ? "" : answer.text;
    return {
      video_id: question.videoId,
      ground_truth: question.labels.join(task.separator ?? ","),
      model_response: text,
    };
  });
  stage?.finish();
  const file = join(folder, `${task.stems[0]}_answers.json`);
  replaceFile(file, `${JSON.stringify(rows, null, 2)}\n`);
  const refused = numRefused === 0 ? "" : `, ${numRefused} refused by the server, which count as wrong`;
  return `${file}: ${questions.length} answers of ${client.name}${refused}`;
}

async function answerTo(
  task: MmeTask,
  { videoId, labelSet }: MmeQuestion,
  { media, maxTokens, endpoint }: MmeAskRequest & { readonly media: string },
  client: ChatClient,
): Promise<{ readonly text: string } | { readonly refused: string }> {
  const path = mediaPath(media, { id: videoId, media: videoId });
  const text = questionOf(task, labelSet);
  const bytes = createHash("sha256").update(readFileSync(path)).digest("hex");
  const contentKey = createHash("sha256")
    .update(JSON.stringify(["mme-ask-1", bytes, text]))
    .digest("hex");
  const messages = async () => {
    const parts = await clipParts(path, endpoint.signal);
    return [{ role: "user", content: [...parts, { type: "text", text }] } as const];
  };
  try {
    return { text: wholeText(await client.chat({ contentKey, messages, maxTokens, temperature: 0 })) };
  } catch (error) {
    if (!(error instanceof OppoError && error.code === "ERR_ENDPOINT_REJECTED")) throw error;
    return { refused: error.message };
  }
}

/** Video, then sound: the order in which prompts have them. */
async function clipParts(path: string, signal: AbortSignal | undefined): Promise<ChatPart[]> {
  const video = await soundlessVideo(path, {}, signal);
  const { audio } = await probeClip(path, {}, signal);
  const sound = audio === null ? null : await decodeClip(path, { soundOnly: true }, signal);
  return [...(video === null ? [] : [videoPart(video)]), ...(sound === null ? [] : [soundPart(sound)])];
}

function questionOf({ name, separator }: MmeTask, labelSet: readonly string[]): string {
  const what =
    name === "IR"
      ? "does the speaker intend"
      : name.endsWith("SA")
        ? "is the speaker's sentiment"
        : "does the person feel";
  const choice = separator === null ? "exactly one of these" : "one or several of these, separated by commas";
  return (
    `What ${what}? Describe what you see and hear that bears on it, and conclude from that. ` +
    `Then give your answer as <answer>...</answer> with ${choice}: ${labelSet.join(", ")}.`
  );
}
