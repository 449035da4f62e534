// A complex Fourier transform of 400 points (4 x 4 x 5 x 5, Stockham's order: no bit reversal). Two real frames go
// through it at once, one as the real and one as the imaginary part.

const size = 400;
const radices = [4, 4, 5, 5] as const;

/** The transform with its tables and work space. Not reentrant; make one per use. */
export interface FourierTransform {
  /** Input, overwritten. [400] */
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
  /** Leaves the spectrum in `real` and `imaginary`. */
  run(): void;
}

interface Pass {
  readonly radix: 4 | 5;
  /** Length of the sub-transforms that this pass splits, and how many of them there are. */
  readonly length: number;
  readonly stride: number;
  /** exp(-2 pi i p k / length) as [p, k = 1..radix-1] pairs. */
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

export function createFourierTransform(): FourierTransform {
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  const otherReal = new Float64Array(size);
  const otherImaginary = new Float64Array(size);
  const passes = makePasses();
  return {
    real,
    imaginary,
    // Four passes: the result ends where it began.
    run: () => {
      runPass(passes[0]!, real, imaginary, otherReal, otherImaginary);
      runPass(passes[1]!, otherReal, otherImaginary, real, imaginary);
      runPass(passes[2]!, real, imaginary, otherReal, otherImaginary);
      runPass(passes[3]!, otherReal, otherImaginary, real, imaginary);
    },
  };
}

function makePasses(): Pass[] {
  let length = size;
  let stride = 1;
  return radices.map((radix) => {
    const m = length / radix;
    const cosines = new Float64Array(m * (radix - 1));
    const sines = new Float64Array(m * (radix - 1));
    for (let p = 0; p < m; p++) {
      for (let k = 1; k < radix; k++) {
        const angle = (-2 * Math.PI * p * k) / length;
        cosines[p * (radix - 1) + k - 1] = Math.cos(angle);
        sines[p * (radix - 1) + k - 1] = Math.sin(angle);
      }
    }
    const pass: Pass = { radix, length, stride, cosines, sines };
    length = m;
    stride *= radix;
    return pass;
  });
}

type Pair = readonly [Float64Array, Float64Array];

function runPass(pass: Pass, xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array): void {
  if (pass.radix === 4) radix4(pass, [xr, xi], [yr, yi]);
  else radix5(pass, [xr, xi], [yr, yi]);
}

function radix4({ length, stride: s, cosines, sines }: Pass, [xr, xi]: Pair, [yr, yi]: Pair): void {
  const m = length / 4;
  for (let p = 0; p < m; p++) {
    const c1 = cosines[3 * p]!;
    const c2 = cosines[3 * p + 1]!;
    const c3 = cosines[3 * p + 2]!;
    const s1 = sines[3 * p]!;
    const s2 = sines[3 * p + 1]!;
    const s3 = sines[3 * p + 2]!;
    for (let q = 0; q < s; q++) {
      const i0 = q + s * p;
      const i1 = i0 + s * m;
      const i2 = i1 + s * m;
      const i3 = i2 + s * m;
      const evenR = xr[i0]! + xr[i2]!;
      const evenI = xi[i0]! + xi[i2]!;
      const diffR = xr[i0]! - xr[i2]!;
      const diffI = xi[i0]! - xi[i2]!;
      const oddR = xr[i1]! + xr[i3]!;
      const oddI = xi[i1]! + xi[i3]!;
      // (x1 - x3) times -i
      const turnR = xi[i1]! - xi[i3]!;
      const turnI = xr[i3]! - xr[i1]!;
      const o = q + s * 4 * p;
      yr[o] = evenR + oddR;
      yi[o] = evenI + oddI;
      const r1 = diffR + turnR;
      const j1 = diffI + turnI;
      yr[o + s] = r1 * c1 - j1 * s1;
      yi[o + s] = r1 * s1 + j1 * c1;
      const r2 = evenR - oddR;
      const j2 = evenI - oddI;
      yr[o + 2 * s] = r2 * c2 - j2 * s2;
      yi[o + 2 * s] = r2 * s2 + j2 * c2;
      const r3 = diffR - turnR;
      const j3 = diffI - turnI;
      yr[o + 3 * s] = r3 * c3 - j3 * s3;
      yi[o + 3 * s] = r3 * s3 + j3 * c3;
    }
  }
}

const cos1 = Math.cos((2 * Math.PI) / 5);
const cos2 = Math.cos((4 * Math.PI) / 5);
const sin1 = Math.sin((2 * Math.PI) / 5);
const sin2 = Math.sin((4 * Math.PI) / 5);

function radix5({ length, stride: s, cosines, sines }: Pass, [xr, xi]: Pair, [yr, yi]: Pair): void {
  const m = length / 5;
  for (let p = 0; p < m; p++) {
    for (let q = 0; q < s; q++) {
      const i0 = q + s * p;
      const i1 = i0 + s * m;
      const i2 = i1 + s * m;
      const i3 = i2 + s * m;
      const i4 = i3 + s * m;
      const r0 = xr[i0]!;
      const j0 = xi[i0]!;
      const sum14r = xr[i1]! + xr[i4]!;
      const sum14i = xi[i1]! + xi[i4]!;
      const dif14r = xr[i1]! - xr[i4]!;
      const dif14i = xi[i1]! - xi[i4]!;
      const sum23r = xr[i2]! + xr[i3]!;
      const sum23i = xi[i2]! + xi[i3]!;
      const dif23r = xr[i2]! - xr[i3]!;
      const dif23i = xi[i2]! - xi[i3]!;
      const ar = r0 + cos1 * sum14r + cos2 * sum23r;
      const ai = j0 + cos1 * sum14i + cos2 * sum23i;
      const br = r0 + cos2 * sum14r + cos1 * sum23r;
      const bi = j0 + cos2 * sum14i + cos1 * sum23i;
      const cr = sin1 * dif14r + sin2 * dif23r;
      const ci = sin1 * dif14i + sin2 * dif23i;
      const dr = sin2 * dif14r - sin1 * dif23r;
      const di = sin2 * dif14i - sin1 * dif23i;
      const o = q + s * 5 * p;
      const t = 4 * p;
      yr[o] = r0 + sum14r + sum23r;
      yi[o] = j0 + sum14i + sum23i;
      turn(yr, yi, o + s, ar + ci, ai - cr, cosines[t]!, sines[t]!);
      turn(yr, yi, o + 2 * s, br + di, bi - dr, cosines[t + 1]!, sines[t + 1]!);
      turn(yr, yi, o + 3 * s, br - di, bi + dr, cosines[t + 2]!, sines[t + 2]!);
      turn(yr, yi, o + 4 * s, ar - ci, ai + cr, cosines[t + 3]!, sines[t + 3]!);
    }
  }
}

/** y[at] = (real + i imaginary) (cosine + i sine) */
function turn(
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  real: number,
  imaginary: number,
  cosine: number,
  sine: number,
): void {
  yr[at] = real * cosine - imaginary * sine;
  yi[at] = real * sine + imaginary * cosine;
}
