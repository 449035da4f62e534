// Whether a processor multiplies in bfloat16 at all: without AVX-512 libtorch 1.13 does it number by number, and a step of real widths takes
// minutes where it takes seconds.
import { op, scope } from "../../src/tensor/index.ts";

const rows = 256;
const width = 1024;
/** Of the time in float32. Processors that can take about as long; an AMD EPYC with AVX2 alone takes 18 times as long. */
const mostTimes = 8;

function seconds(dtype: "float32" | "bfloat16"): number {
  return scope(() => {
    const left = op.ones([rows, width]).to(dtype);
    const right = op.ones([width, width]).to(dtype);
    left.matmul(right);
    const began = performance.now();
    left.matmul(right);
    return (performance.now() - began) / 1000;
  });
}

/** Why a test in bfloat16 is left out here; false: it is not. */
export function slowInBfloat16(): string | false {
  const times = seconds("bfloat16") / seconds("float32");
  return times > mostTimes && `this processor takes ${times.toFixed(0)} times as long in bfloat16 as in float32`;
}
