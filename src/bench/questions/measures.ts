// Scores of closed questions. The clip is the unit of every draw: questions about one clip are not independent. An answer that
// says nothing readable is wrong, and counted.
import { type BootstrapOptions, bootstrap } from "../bootstrap.ts";
import { type Measure, type Measures, reportOf, statisticOf } from "../measure.ts";
import type { Metric, Report } from "../report.ts";
import type { Question } from "./question.ts";

/** The clip of a question; without one its pair, without that itself. */
const unitOf = ({ media, pair, id }: Question): string => media ?? (pair === null ? id : `pair ${pair}`);

interface Answered {
  readonly question: Question;
  readonly read: number | null;
}

/**
 * accuracy and unreadable; of yes/no questions yesRight, noRight (accuracy where that is the answer) and yesRate; of pairs
 * pairRight, both of the two. Scores that nothing asks for are left out. Questions and readings side by side.
 */
export function questionMeasures(questions: readonly Question[], readings: readonly (number | null)[]): Measures {
  const answered = questions.map((question, i): Answered => ({ question, read: readings[i]! }));
  const byUnit = new Map<string, Answered[]>();
  for (const one of answered) {
    const unit = unitOf(one.question);
    byUnit.set(unit, [...(byUnit.get(unit) ?? []), one]);
  }
  const units = [...byUnit.values()];
  const measures: Record<string, Measure> = {};
  const put = (name: string, isAsked: (of: Answered) => boolean, isHit: (of: Answered) => boolean) => {
    const counts = units.map((unit) => unit.filter(isAsked).length);
    const count = counts.reduce((sum, number) => sum + number, 0);
    if (count === 0) return;
    const sums = units.map((unit) => unit.filter((one) => isAsked(one) && isHit(one)).length);
    measures[name] = { group: "clips", parts: [{ sums, counts }], count };
  };
  const isRight = ({ question, read }: Answered) => read === question.answer;
  const isYesNo = ({ question }: Answered) => question.choices === null;
  const all = () => true;
  put("accuracy", all, isRight);
  put("yesRight", (one) => isYesNo(one) && one.question.answer === 0, isRight);
  put("noRight", (one) => isYesNo(one) && one.question.answer === 1, isRight);
  put("yesRate", isYesNo, ({ read }) => read === 0);
  put("unreadable", all, ({ read }) => read === null);
  const right = new Map<string, boolean>();
  for (const one of answered) {
    const { pair } = one.question;
    if (pair !== null) right.set(pair, (right.get(pair) ?? true) && isRight(one));
  }
  // A pair counts once, where its first question stands.
  const first = new Set(new Map(answered.toReversed().map((one) => [one.question.pair, one])).values());
  put(
    "pairRight",
    (one) => one.question.pair !== null && first.has(one),
    ({ question }) => right.get(question.pair!)!,
  );
  return measures;
}

/** With intervals, and the harmonic mean of yesRight and noRight, which "yes" to everything leaves at 0. */
export function questionReport(measures: Measures, options: BootstrapOptions): Report {
  const report = reportOf(measures, options);
  const { yesRight, noRight } = measures;
  if (yesRight === undefined || noRight === undefined) return report;
  return { ...report, harmonic: harmonicMean(yesRight, noRight, options) };
}

function harmonicMean(first: Measure, second: Measure, options: BootstrapOptions): Metric {
  const [left, right] = [statisticOf(first), statisticOf(second)];
  const numUnits = first.parts[0]!.sums.length;
  const harmonic = (indices: Int32Array): number => {
    const [a, b] = [left(indices), right(indices)];
    return a + b === 0 ? 0 : (2 * a * b) / (a + b);
  };
  return bootstrap(numUnits, harmonic, first.count + second.count, options);
}
