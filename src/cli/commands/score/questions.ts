// `oppo score questions`: what models answered to closed questions.

import type { Command } from "commander";
import { type QuestionsSettings, questionsSettings } from "../../../recipes/score/questions/settings.ts";
import { addHelp } from "../../base/command.ts";
import { printJson } from "../../base/json.ts";
import { type Call, withSettings } from "../../base/settings-command.ts";

const help = {
  notes: `Questions are rows { id, answer, media, task, question, choices, pair }: with choices one of them is right (its letter or its
words), without it is yes or no; a pair is right where both of its two questions are. Answers are a text per id.`,
  examples: [
    "oppo score questions answers.jsonl --questions emotion-hallucer.jsonl",
    "oppo score questions ours=a.jsonl theirs=b.jsonl --questions emorealm.jsonl",
  ],
};

export function configureQuestions(command: Command): void {
  command
    .description(
      "Scores answers to closed questions: accuracy per task, yes-rate and harmonic mean, pairs of which both must be right.",
    )
    .argument("<answers...>", "a file per system, or name=path; several are compared");
  addHelp(command, help);
  withSettings(command, { schema: questionsSettings }, run);
}

async function run(settings: QuestionsSettings, { args, isJson }: Call): Promise<void> {
  const { scoreQuestions } = await import("../../../recipes/score/questions/questions.ts");
  const { namedSystems } = await import("../../../recipes/score/systems.ts");
  const { questionsText } = await import("../../../recipes/score/questions/text.ts");
  const report = scoreQuestions({
    systems: namedSystems(args),
    questions: settings.questions,
    missing: settings.missing,
    columns: {
      ...(settings.nameColumn === null ? {} : { name: settings.nameColumn }),
      ...(settings.textColumn === null ? {} : { text: settings.textColumn }),
    },
    bootstrap: { seed: settings.seed, numResamples: settings.resamples, confidence: 0.95 },
  });
  if (isJson) printJson("score-questions", report);
  else console.log(questionsText(report));
}
