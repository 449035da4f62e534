// What judges are asked about completions, in our own words. The intents are published: HumanOmni-V2's context and logic scores
// (points of 0 to 5, no picture and no sound), AffectGPT-R1's preference between two outputs for one clip (its judge sees the
// clip; here it knows what was annotated of it).
import { z } from "zod";
import type { Sample } from "../../data/sample.ts";
import type { RewardContext } from "../../rl/types.ts";

/** A question with the form of its reply, and what a reply comes to; null where it comes to nothing. */
export interface JudgeQuestion {
  readonly text: string;
  readonly schema: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  read(reply: unknown): number | null;
}

const object = (properties: Readonly<Record<string, unknown>>) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const mostPoints = 5;
const points = z.object({ points: z.int().min(0).max(mostPoints) });
const pointsSchema = object({ points: { type: "integer", minimum: 0, maximum: mostPoints } });

/** What was annotated of a clip; empty where nothing was. */
export function referenceOf({ reasoning, cues }: Sample): string {
  const named = { video: "seen", audio: "heard", emotion: "concluded" } as const;
  const lines = cues.map(({ kind, text }) => `- ${named[kind]}: ${text}`);
  return [...(reasoning.trim() === "" ? [] : [reasoning.trim()]), ...lines].join("\n");
}

/** What a completion says of the clip: its context block where it has one, else its reasoning; empty without either. */
export function accountOf({ rollout, response }: RewardContext): string {
  const block = /<context>([\s\S]*?)<\/context>/i.exec(rollout.text)?.[1]?.trim() ?? "";
  return block === "" ? thoughtsOf({ response }) : block;
}

export const thoughtsOf = ({ response }: Pick<RewardContext, "response">): string => response.think?.text.trim() ?? "";

/** How much of what was annotated a completion covers. */
export function contextQuestion(reference: string, account: string): JudgeQuestion {
  return {
    text:
      `Two accounts of one video clip follow. How much of what matters in the first does the second cover? Other words and further details cost nothing. ` +
      `Points: 5 a good part of it, clearly; 4 its main themes; 2 something of it, on the surface; 1 hardly anything; 0 nothing.\n` +
      `First account:\n${reference}\nSecond account:\n${account}`,
    schema: { name: "context", schema: pointsSchema },
    read: (reply) => ratio(points.safeParse(reply).data?.points),
  };
}

const ratio = (number: number | undefined): number | null => (number === undefined ? null : number / mostPoints);

const criteria = ["usesCues", "checksItself", "isSound", "meetsQuestion", "staysConsistent"] as const;
const marks = z.strictObject(
  Object.fromEntries(criteria.map((name) => [name, z.boolean()])) as Record<(typeof criteria)[number], z.ZodBoolean>,
);

/** Whether a reasoning follows from what the completion itself says of the clip: five criteria, a point for each. */
export function logicQuestion(account: string, thoughts: string): JudgeQuestion {
  return {
    text:
      `A model described a video clip and then reasoned about what the person in it feels. Judge the reasoning by the description alone. usesCues: it builds on what ` +
      `is seen and heard. checksItself: it weighs or checks its conclusion. isSound: each step follows. meetsQuestion: it is about what the person feels. ` +
      `staysConsistent: nothing in it contradicts the description.\nDescription:\n${account}\nReasoning:\n${thoughts}`,
    schema: { name: "logic", schema: object(Object.fromEntries(criteria.map((name) => [name, { type: "boolean" }]))) },
    read: (reply) => {
      const said = marks.safeParse(reply).data;
      return said === undefined ? null : criteria.filter((name) => said[name]).length / criteria.length;
    },
  };
}

const preference = z.object({ better: z.enum(["first", "second", "same"]) });
const worth = { first: 1, second: 0, same: 0.5 } as const;

/** Which of two completions fits the clip better; read as what the first is worth: 1, 0 or 1/2. */
export function preferenceQuestion(
  { labels }: Sample,
  reference: string,
  first: string,
  second: string,
): JudgeQuestion {
  const known = [
    ...(labels.length === 0 ? [] : [`The person feels: ${labels.join(", ")}.`]),
    ...(reference === "" ? [] : [`What is known of the clip:\n${reference}`]),
  ];
  return {
    text:
      `Two models were asked what the person in a video clip feels and why. Which answer fits the clip better? Being longer is no merit, and a claim that nothing supports is a fault.\n` +
      `${known.join("\n")}\nFirst answer:\n${first}\nSecond answer:\n${second}`,
    schema: { name: "preference", schema: object({ better: { type: "string", enum: ["first", "second", "same"] } }) },
    read: (reply) => {
      const said = preference.safeParse(reply).data;
      return said === undefined ? null : worth[said.better];
    },
  };
}
