// How far an observer's probabilities can be believed: how often its likeliest answer is right, how far its confidence is from
// that, and how much more it knows than how frequent the answers are.

/** The probabilities of one question's answers for one clip, and the right one (-1: not known, left out). */
export interface Judged {
  readonly probabilities: ArrayLike<number>;
  readonly answer: number;
}

export interface Calibration {
  /** Share of questions whose likeliest answer is right. */
  readonly accuracy: number;
  /** The mean distance of confidence and accuracy over ten bins of confidence (expected calibration error). */
  readonly calibrationError: number;
  /** Share of the cues that are there that are readable: p above one half. NaN without cues. */
  readonly readable: number;
  readonly numQuestions: number;
}

/** p(the true state) above it: the cue can be read. */
export const readableAbove = 0.5;

const numBins = 10;

export function calibrationOf(judged: readonly Judged[]): Calibration {
  const bins = Array.from({ length: numBins }, () => ({ confidence: 0, right: 0 }));
  let numRight = 0;
  let numKnown = 0;
  let numCues = 0;
  let numReadable = 0;
  for (const { probabilities, answer } of judged) {
    if (answer < 0) continue;
    const best = likeliest(probabilities);
    const isRight = best === answer ? 1 : 0;
    const bin = bins[Math.min(numBins - 1, Math.floor(probabilities[best]! * numBins))]!;
    bin.confidence += probabilities[best]!;
    bin.right += isRight;
    numRight += isRight;
    numKnown++;
    if (answer === 0) continue;
    numCues++;
    if (probabilities[answer]! > readableAbove) numReadable++;
  }
  const off = bins.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0);
  return {
    accuracy: numRight / numKnown,
    calibrationError: off / numKnown,
    readable: numReadable / numCues,
    numQuestions: numKnown,
  };
}

export interface Skill {
  /** What an answer is known better than by its frequency, in bits per question; 0 is chance, negative misleads. */
  readonly bits: number;
  /** Standard error over clips, whose questions are not independent. */
  readonly standardError: number;
}

/** @param clips the questions of every clip @param priors per question, how frequent every answer is */
export function skillOf(clips: readonly (readonly Judged[])[], priors: readonly ArrayLike<number>[]): Skill {
  const smallest = 1e-9;
  const bits = (p: number) => Math.log2(Math.max(smallest, p));
  const perClip = clips.flatMap((questions) => {
    const gains = questions.flatMap(({ probabilities, answer }, q) =>
      answer < 0 ? [] : [bits(probabilities[answer]!) - bits(priors[q]![answer]!)],
    );
    return gains.length === 0 ? [] : [gains.reduce((sum, gain) => sum + gain, 0) / gains.length];
  });
  const mean = perClip.reduce((sum, gain) => sum + gain, 0) / perClip.length;
  const squares = perClip.reduce((sum, gain) => sum + (gain - mean) ** 2, 0);
  return { bits: mean, standardError: Math.sqrt(squares / Math.max(1, perClip.length - 1) / perClip.length) };
}

function likeliest(probabilities: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < probabilities.length; i++) if (probabilities[i]! > probabilities[best]!) best = i;
  return best;
}
