// The matrix products of a piece of work, heard while it runs. Has to be loaded before anything that declares operators.
// b products in a batch, m rows, k inner width, n columns
import { native, scratch } from "../../src/tensor/native.ts";

/** Operators that multiply matrices: which of their arguments are the factors, and whether the second one is given transposed. */
const operators: Readonly<
  Record<string, { readonly factors: readonly [number, number]; readonly isTransposed: boolean }>
> = {
  "aten::linear": { factors: [0, 1], isTransposed: true },
  "aten::addmm": { factors: [1, 2], isTransposed: false },
  "aten::mm": { factors: [0, 1], isTransposed: false },
  "aten::matmul": { factors: [0, 1], isTransposed: false },
  "aten::bmm": { factors: [0, 1], isTransposed: false },
  "aten::baddbmm": { factors: [1, 2], isTransposed: false },
  "aten::baddbmm_": { factors: [1, 2], isTransposed: false },
};

/** [b, m, k] times [b, k, n]; which factor lies transposed in memory. */
export interface Product {
  readonly b: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposed: "neither" | "first" | "second";
}

/** How often each product was made. */
export type ProductCounts = ReadonlyMap<Product, number>;

const names = new Map<number, string>();
const declare = native.declare;
native.declare = (name, overload) => {
  const operator = declare(name, overload);
  if (name in operators) names.set(operator, name);
  return operator;
};

/** Runs the body and counts its products, those of autograd's way back included. */
export function hearProducts(body: () => void): ProductCounts {
  const counts = new Map<string, number>();
  const call = native.call;
  const count = (product: Product) => {
    const key = JSON.stringify(product);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  native.call = (operator, ...args) => {
    const result = call(operator, ...args);
    const name = names.get(operator);
    if (name !== undefined) {
      const handles = args as number[];
      const written = name.endsWith("_") ? handles[0]! : (result as number);
      for (const product of productsOf(name, handles, written)) count(product);
    }
    return result;
  };
  try {
    body();
  } finally {
    native.call = call;
  }
  return new Map([...counts].map(([key, times]) => [JSON.parse(key) as Product, times]));
}

function productsOf(name: string, args: readonly number[], result: number): Product[] {
  const { factors, isTransposed } = operators[name]!;
  const [first, second] = factors.map((i) => args[i]!) as [number, number];
  const [a, c] = [shapeOf(first), shapeOf(second)];
  const n = isTransposed ? c.at(-2)! : c.at(-1)!;
  const k = a.at(-1)!;
  const b = c.length === 3 ? c[0]! : 1;
  const m = a.reduce((product, size) => product * size, 1) / (k * b);
  const forward: Product = { b, m, k, n, transposed: isTransposed || name === "aten::addmm" ? "second" : "neither" };
  if (!native.requiresGrad(result)) return [forward];
  const toFirst: Product = { b, m, k: n, n: k, transposed: forward.transposed === "second" ? "neither" : "second" };
  // of a transposed factor [n, k] the gradient is dY^T X, else X^T dY
  const toSecond: Product =
    forward.transposed === "second"
      ? { b, m: n, k: m, n: k, transposed: "first" }
      : { b, m: k, k: m, n, transposed: "first" };
  return [
    forward,
    ...(native.requiresGrad(first) ? [toFirst] : []),
    ...(native.requiresGrad(second) ? [toSecond] : []),
  ];
}

function shapeOf(handle: number): number[] {
  return Array.from({ length: native.sizes(handle) }, (_, i) => scratch[i]!);
}
