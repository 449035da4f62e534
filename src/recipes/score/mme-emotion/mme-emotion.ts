// `oppo score mme-emotion`: what a model answered to MME-Emotion, judged step by step, and read for labels without a judge. An
// answer that could not be judged is missing: it is in no judged score, is counted, and too many of them end the scoring.
import type { BootstrapOptions } from "../../../bench/bootstrap.ts";
import { reportOf } from "../../../bench/measure.ts";
import { mmeMeasures, type ScoredClip } from "../../../bench/mme-emotion/measures.ts";
import { scoresIn, stepsIn } from "../../../bench/mme-emotion/step-scores.ts";
import { type MmeClip, mmeTasks, taskOfFile } from "../../../bench/mme-emotion/tasks.ts";
import { type MmeResponse, readMmeQuestions, readMmeResponses } from "../../../data/scoring/mme-emotion.ts";
import { askAll } from "../../../endpoint/ask-all.ts";
import { OppoError } from "../../../error.ts";
import { replaceFile } from "../../../run/checkpoint.ts";
import type { Stage } from "../../../run/progress.ts";
import type { MmeReport, MmeTaskReport } from "./report.ts";
import type { Judgement, StepJudge } from "./step-judge.ts";

export interface MmeRequest {
  readonly root: string;
  readonly responses: string;
  readonly isPartial: boolean;
  readonly missing: "refuse" | "empty";
  readonly alpha: number;
  /** Share of the answers that may be left without a judgement. */
  readonly maxMissing: number;
  readonly judge: StepJudge | null;
  /** Whether the judge is shown frames. */
  readonly isSeen: boolean;
  readonly bootstrap: BootstrapOptions;
  /** Where every clip's row goes; null: nowhere. */
  readonly rows: string | null;
  readonly stageOf?: (numAnswers: number) => Pick<Stage, "advance" | "finish">;
}

/** An answer on its way to its scores. */
interface Answer {
  readonly clip: MmeClip;
  readonly row: MmeResponse | null;
}

interface JudgedAnswer extends Answer {
  readonly steps: readonly string[] | null;
  /** Null: nobody was asked. */
  readonly judgement: Judgement | null;
}

/** @throws OppoError ERR_SCORE_JUDGE, ERR_SCORE_TRUTH, ERR_ENDPOINT and its siblings; DatasetError ERR_SCORE_FILE and its siblings */
export async function scoreMmeEmotion(request: MmeRequest): Promise<MmeReport> {
  const { answers, notes } = readAnswers(request);
  const limit = tally(answers.length, request.maxMissing);
  const stage = request.stageOf?.(answers.length);
  const judged = await askAll(answers, request.judge?.concurrency ?? 1, async (answer) => {
    const one = await judgedAnswer(answer, request.judge);
    if (one.judgement !== null && "missing" in one.judgement) limit.add(one);
    stage?.advance(`${limit.count()} without a judgement`);
    return one;
  });
  stage?.finish();
  if (request.rows !== null) replaceFile(request.rows, judged.map(rowLine).join(""));
  const names = [...new Set(answers.map(({ clip }) => clip.task))];
  const { judge, alpha, bootstrap, isSeen, responses } = request;
  return {
    responses,
    judge: judge?.judgeName ?? null,
    steps: judge?.stepsName ?? null,
    isSeen: judge !== null && isSeen,
    alpha,
    bootstrap,
    tasks: names.map((name) =>
      taskReport(
        name,
        judged.filter(({ clip }) => clip.task === name),
        request,
      ),
    ),
    pooled: taskReport(
      names.length === mmeTasks.length ? "all clips" : `all clips of ${names.length} of 8`,
      judged,
      request,
    ),
    notes: [...notes, ...judgementNotes(judged, request)],
  };
}

function readAnswers(request: MmeRequest): { readonly answers: Answer[]; readonly notes: string[] } {
  const { root, responses, missing, isPartial } = request;
  const files = readMmeResponses(responses, (name) => taskOfFile(name)?.name ?? null);
  const answers: Answer[] = [];
  const notes: string[] = [];
  const leftOut: string[] = [];
  for (const task of mmeTasks) {
    const questions = readMmeQuestions(root, task);
    const rows = files.get(task.name);
    if (questions === null || rows === undefined) {
      const what = questions === null ? `no questions in ${root}` : `no responses in ${responses}`;
      if (!isPartial) throw missingTask(task.name, what);
      leftOut.push(`${task.name} (${what})`);
      continue;
    }
    const own = questions.map(
      (question): Answer => ({
        clip: { ...question, task: task.name },
        row: rows.get(question.videoId) ?? null,
      }),
    );
    answers.push(...own);
    notes.push(...taskNotes(task.name, task.numClips, own, rows, missing));
  }
  if (answers.length === 0)
    throw missingTask("any task", `none with questions in ${root} and responses in ${responses}`);
  return { answers, notes: leftOut.length === 0 ? notes : [`Left out: ${leftOut.join(", ")}.`, ...notes] };
}

function missingTask(what: string, got: string): OppoError {
  return new OppoError(
    "ERR_SCORE_TRUTH",
    `MME-Emotion: expected questions and responses of ${what}, got ${got}. Check --root and the responses, or score a part with --partial.`,
  );
}

function taskNotes(
  task: string,
  numClips: number,
  answers: readonly Answer[],
  rows: ReadonlyMap<string, MmeResponse>,
  missing: "refuse" | "empty",
): string[] {
  const without = answers.filter(({ row }) => row === null).map(({ clip }) => clip.videoId);
  if (without.length > 0 && (missing === "refuse" || without.length === answers.length)) {
    throw new OppoError(
      "ERR_SCORE_MISSING",
      `MME-Emotion ${task}: expected a response for each of ${answers.length} clips, got none for ${without.length}, such as ` +
        `${without[0]}. Ask the model about them too, or score them as empty answers with --missing empty.`,
    );
  }
  requireSameLabels(task, answers);
  const numUnknown = [...rows.keys()].filter((id) => !answers.some(({ clip }) => clip.videoId === id)).length;
  const numOutside = answers.filter(({ clip }) => clip.labels.some((label) => !clip.labelSet.includes(label))).length;
  const said: readonly (readonly [number, string])[] = [
    [answers.length === numClips ? 0 : answers.length, `questions, where the whole task has ${numClips}`],
    [without.length, "clips without a response, which count as wrong"],
    [numUnknown, "responses to clips that the task does not have, which are left out"],
    [numOutside, "clips with a label outside of their label_set, which no reading of labels can find"],
  ];
  return said.flatMap(([count, text]) => (count > 0 ? [`${task}: ${count} ${text}.`] : []));
}

/** A response file may be of another edition of the questions. */
function requireSameLabels(task: string, answers: readonly Answer[]): void {
  const plain = (text: string) =>
    text
      .split(/[,;]/)
      .map((part) => part.trim().toLowerCase())
      .sort()
      .join(",");
  for (const { clip, row } of answers) {
    const own = row?.groundTruth ?? null;
    if (own === null || plain(own) === plain(clip.labels.join(","))) continue;
    throw new OppoError(
      "ERR_SCORE_TRUTH",
      `MME-Emotion ${task}, ${row!.file}:${row!.line}: expected ground_truth "${clip.labels.join(", ")}" as in the questions, got "${own}". Check that both are of one edition.`,
    );
  }
}

/** By what the row says already, else by the judge. */
async function judgedAnswer(answer: Answer, judge: StepJudge | null): Promise<JudgedAnswer> {
  const { row, clip } = answer;
  if (row?.isJudged === true) {
    const scores = row.score === null ? null : scoresIn(row.score);
    const judgement = scores === null ? { missing: "no scores in the row" } : { scores };
    return { ...answer, steps: row.steps === null ? null : stepsIn(row.steps), judgement };
  }
  if (judge === null) return { ...answer, steps: null, judgement: null };
  // Nothing said is one wrong step, whoever judges.
  if (row === null || row.response.trim() === "") return { ...answer, steps: [], judgement: { scores: [0] } };
  const given = row.steps === null ? null : stepsIn(row.steps);
  const steps = given ?? (await judge.stepsOf(row.response));
  if ("missing" in steps) return { ...answer, steps: null, judgement: steps };
  return { ...answer, steps, judgement: await judge.judge(clip, steps) };
}

/** Counts missing judgements, and stops where there are too many. */
function tally(numAnswers: number, maxMissing: number) {
  let count = 0;
  return {
    count: () => count,
    add({ clip, judgement }: JudgedAnswer): void {
      count++;
      if (count <= maxMissing * numAnswers) return;
      const reason = judgement !== null && "missing" in judgement ? judgement.missing : "";
      throw new OppoError(
        "ERR_SCORE_JUDGE",
        `MME-Emotion ${clip.task}, ${clip.videoId}: expected at most ${Math.floor(maxMissing * numAnswers)} of ${numAnswers} answers without a ` +
          `judgement, got one more (${reason.slice(0, 200)}). Take another judge, or raise --max-missing; what was judged is kept.`,
      );
    },
  };
}

const scoresOf = (judgement: Judgement | null) =>
  judgement !== null && "scores" in judgement ? judgement.scores : null;

function taskReport(name: string, answers: readonly JudgedAnswer[], { alpha, bootstrap }: MmeRequest): MmeTaskReport {
  const scored = answers.map(
    ({ clip, row, judgement }): ScoredClip => ({
      clip,
      response: row?.response ?? null,
      stepScores: scoresOf(judgement),
    }),
  );
  const numMissing = answers.filter(({ judgement }) => judgement !== null && "missing" in judgement).length;
  return { name, numClips: answers.length, numMissing, metrics: reportOf(mmeMeasures(scored, alpha), bootstrap) };
}

function judgementNotes(answers: readonly JudgedAnswer[], { isSeen, judge }: MmeRequest): string[] {
  const judgements = answers.flatMap(({ judgement }) => (judgement === null ? [] : [judgement]));
  const numMissing = judgements.filter((judgement) => "missing" in judgement).length;
  const numShort = judgements.filter((judgement) => scoresOf(judgement)?.length === 1).length;
  const numUnasked = answers.length - judgements.length;
  return [
    ...(numUnasked === answers.length ? ["No judge: labels alone, read as the very words of each label_set."] : []),
    ...(numUnasked > 0 && numUnasked < answers.length ? [`${numUnasked} answers were not judged.`] : []),
    ...(numMissing > 0 ? [`${numMissing} answers have no judgement and are in no judged score.`] : []),
    ...(numShort > 0 ? [`${numShort} answers have no reasoning: Rea-S 0, as in the reference.`] : []),
    ...(judge !== null && !isSeen ? ["The judge saw no frames (--media): Rea-S is of the audio clues alone."] : []),
  ];
}

function rowLine({ clip, row, steps, judgement }: JudgedAnswer): string {
  const { task, videoId, labels } = clip;
  const reason = judgement !== null && "missing" in judgement ? judgement.missing : null;
  const said = { task, video_id: videoId, labels, model_response: row?.response ?? null };
  return `${JSON.stringify({ ...said, steps, scores: scoresOf(judgement), missing: reason })}\n`;
}
