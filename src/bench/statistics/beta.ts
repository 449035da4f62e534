// The regularised incomplete beta function, and the two distributions that are read from it: the binomial's exact interval
// (Clopper and Pearson 1934) and Student's t. Lentz's continued fraction (Abramowitz and Stegun 26.5.8).

/** ln Gamma(x), x > 0: Lanczos with g 7 and nine terms; relative error below 1e-13. */
export function logGamma(x: number): number {
  const terms = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const shifted = x - 1;
  const base = shifted + 7.5;
  const sum = terms.reduce((total, term, i) => (i === 0 ? term : total + term / (shifted + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

const maxTerms = 10_000;
const accuracy = 1e-15;
/** Stands for 0 in a denominator of the fraction. */
const tiny = 1e-300;

/** I_x(a, b), the share of a Beta(a, b) below x. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < maxTerms; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / nonZero(1 + term * d);
      c = nonZero(1 + term / c);
      change *= c * d;
    }
    fraction *= change;
    if (Math.abs(change - 1) < accuracy) break;
  }
  return (Math.exp(logFront) * fraction) / a;
}

const nonZero = (value: number): number => (Math.abs(value) < tiny ? tiny : value);

/** The x at which I_x(a, b) is `share`, by bisection. */
function betaQuantile(share: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 100 && high - low > 1e-15; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The exact interval of a proportion: `numHits` of `numTrials` independent trials. Never shorter than its confidence says,
 * also where nothing or everything was a hit, where resampling sees no spread at all.
 */
export function exactInterval(numHits: number, numTrials: number, confidence: number): { low: number; high: number } {
  const tail = (1 - confidence) / 2;
  return {
    low: numHits === 0 ? 0 : betaQuantile(tail, numHits, numTrials - numHits + 1),
    high: numHits === numTrials ? 1 : betaQuantile(1 - tail, numHits + 1, numTrials - numHits),
  };
}

/** P(|T| >= |t|) of Student's t with so many degrees of freedom. */
export function twoSidedT(t: number, degreesOfFreedom: number): number {
  return incompleteBeta(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5);
}
