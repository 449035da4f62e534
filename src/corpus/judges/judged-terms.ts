// Reward terms over a language model behind a server: all questions of a step go out together, a few at a time; replies are kept by the
// client, so that a run that goes on asks nothing twice. A question without a usable reply is a missing judgement; too many of a step's
// end the run, because what is left would teach something else.
import { askAll } from "../../endpoint/ask-all.ts";
import type { ChatClient } from "../../endpoint/chat.ts";
import { OppoError } from "../../error.ts";
import type { JudgedTerm } from "../../rl/rewards/judged.ts";
import type { RewardContext } from "../../rl/types.ts";
import { deriveUniform } from "../../seeds.ts";
import {
  accountOf,
  contextQuestion,
  type JudgeQuestion,
  logicQuestion,
  preferenceQuestion,
  referenceOf,
  thoughtsOf,
} from "./questions.ts";

export const judgedNames = ["context", "logic", "preference"] as const;
export type JudgedName = (typeof judgedNames)[number];

export interface WeightedJudgement {
  readonly name: JudgedName;
  readonly weight: number;
}

export interface JudgeOptions {
  readonly client: ChatClient;
  /** Questions of one term under way at once. */
  readonly concurrency: number;
  /** Share of a term's questions of one step that may be left without a reply. */
  readonly maxMissing: number;
  /** For a reply; a judge that thinks first needs more. */
  readonly maxTokens: number;
}

type Context = RewardContext;
/** A score that needs no question, or the questions whose mean it is. */
type Plan = number | readonly Asked[];

interface Asked {
  readonly question: JudgeQuestion;
  /** The rollout is the second of the two that are compared. */
  readonly isSecond: boolean;
}

const alone = (question: JudgeQuestion): readonly Asked[] => [{ question, isSecond: false }];

const plans: Readonly<Record<JudgedName, (group: readonly Context[]) => readonly Plan[]>> = {
  /** HumanOmni-V2's context score. Nothing said covers nothing; where nothing was annotated all rollouts are alike. */
  context: (group) =>
    group.map((context) => {
      const [reference, account] = [referenceOf(context.sample), accountOf(context)];
      return reference === "" || account === "" ? 0 : alone(contextQuestion(reference, account));
    }),
  /** HumanOmni-V2's logic score. */
  logic: (group) =>
    group.map((context) => {
      const thoughts = thoughtsOf(context);
      return thoughts === "" ? 0 : alone(logicQuestion(accountOf(context), thoughts));
    }),
  preference: comparisons,
};

/** AffectGPT-R1's: every rollout is compared with its two neighbours in the ring of its group. Its score is the share that it wins. */
function comparisons(group: readonly Context[]): readonly Plan[] {
  const plan: Asked[][] = group.map(() => []);
  const numPairs = group.length < 3 ? group.length - 1 : group.length;
  for (let i = 0; i < numPairs; i++) {
    const j = (i + 1) % group.length;
    const [left, right] = [group[i]!, group[j]!];
    // Judges prefer a place: which completion has the first is drawn, by what the two say.
    const isSwapped = deriveUniform(0, "preference", left.rollout.text, right.rollout.text) < 0.5;
    const [first, second] = isSwapped ? [right, left] : [left, right];
    const question = preferenceQuestion(left.sample, referenceOf(left.sample), first.rollout.text, second.rollout.text);
    plan[i]!.push({ question, isSecond: isSwapped });
    plan[j]!.push({ question, isSecond: !isSwapped });
  }
  // Alone in its group a rollout is neither better nor worse.
  return plan.map((asked) => (asked.length === 0 ? tie : asked));
}

const tie = 0.5;

export function judgedTerms(terms: readonly WeightedJudgement[], options: JudgeOptions): JudgedTerm[] {
  return terms.map(({ name, weight }) => ({
    name,
    weight,
    async judge(groups) {
      const planned = groups.map((group) => plans[name](group));
      const questions = new Map<JudgeQuestion, number | null>();
      for (const asked of planned.flat())
        if (typeof asked !== "number") for (const { question } of asked) questions.set(question, null);
      await replies(name, questions, options);
      return planned.map((group) => group.map((plan) => scoreOf(plan, questions)));
    },
  }));
}

/** The mean of what is known; null where nothing is. */
function scoreOf(plan: Plan, replies: ReadonlyMap<JudgeQuestion, number | null>): number | null {
  if (typeof plan === "number") return plan;
  const known = plan.flatMap(({ question, isSecond }) => {
    const value = replies.get(question) ?? null;
    return value === null ? [] : [isSecond ? 1 - value : value];
  });
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Fills in what the judge says. @throws OppoError ERR_REWARD_JUDGE, ERR_ENDPOINT_BUDGET and its siblings */
async function replies(
  name: string,
  questions: Map<JudgeQuestion, number | null>,
  { client, concurrency, maxMissing, maxTokens }: JudgeOptions,
): Promise<void> {
  let numMissing = 0;
  let reason = "";
  await askAll([...questions.keys()], concurrency, async (question) => {
    try {
      const messages = [{ role: "user", content: question.text }] as const;
      const { text } = await client.chat({ messages, maxTokens, temperature: 0, schema: question.schema });
      const value = question.read(JSON.parse(text));
      questions.set(question, value);
      if (value !== null) return;
      reason = `a reply of another form: ${text.slice(0, maxShown)}`;
    } catch (error) {
      if (!(error instanceof OppoError && mayPass.has(error.code))) throw error;
      reason = error.message;
    }
    numMissing++;
    if (numMissing > maxMissing * questions.size) throw tooMany(name, numMissing, questions.size, maxMissing, reason);
  });
}

const maxShown = 120;

/** About one question, or about a server that may be back for the next. A budget that is spent or a key that is wrong ends the run. */
const mayPass: ReadonlySet<string> = new Set(["ERR_ENDPOINT", "ERR_ENDPOINT_UNFIT", "ERR_ENDPOINT_REJECTED"]);

function tooMany(name: string, numMissing: number, total: number, maxMissing: number, reason: string): OppoError {
  return new OppoError(
    "ERR_REWARD_JUDGE",
    `reward term ${name}: expected at most ${Math.floor(maxMissing * total)} of a step's ${total} judgements to fail, got ${numMissing} so far. ` +
      `The last: ${reason} The run goes on from its checkpoint once the judge answers.`,
  );
}
