// The tensor: a JavaScript object around a native handle, and the rules of its lifetime.
// Inside a scope a tensor belongs to the scope and dies with it, unless it is returned (then the outer scope has it) or
// kept. Outside of scopes a native guard frees it when the object is garbage collected. Operators are methods installed
// by ops.gen.ts; import from index.ts so that they are there.
import { OppoError } from "../error.ts";
import { type DType, dtypeName } from "./dtype.ts";
import { ShapeError } from "./error.ts";
import { type Handle, native, scratch } from "./native.ts";

export type Scalar = number | bigint | boolean;

const requiresGradOperator = native.declare("aten::requires_grad_", "");
const retainGradOperator = native.declare("aten::retain_grad", "");
const itemOperator = native.declare("aten::item", "");

/** Tensors of the innermost scope, or null outside of scopes. */
let current: Tensor[] | null = null;

export class Tensor {
  /** Native handle; -1 once disposed. */
  h: Handle;
  /** True when a garbage collection guard owns the handle instead of a scope. */
  guarded: boolean;

  constructor(handle: Handle) {
    this.h = handle;
    this.guarded = false;
  }

  get shape(): number[] {
    return readInts(native.sizes(this.h));
  }

  get ndim(): number {
    return native.sizes(this.h);
  }

  get numel(): number {
    const rank = native.sizes(this.h);
    let product = 1;
    for (let i = 0; i < rank; i++) product *= scratch[i]!;
    return product;
  }

  get dtype(): DType {
    return dtypeName(native.dtype(this.h));
  }

  /** "cpu", "cuda:0". */
  get device(): string {
    return native.device(this.h);
  }

  /** Length of one dimension; negative counts from the end. */
  size(dim: number): number {
    const rank = native.sizes(this.h);
    const index = dim < 0 ? dim + rank : dim;
    if (!(index >= 0 && index < rank))
      throw new ShapeError("ERR_DIMENSION", `size: expected a dimension of ${rank}, got ${dim}.`);
    return scratch[index]!;
  }

  get requiresGrad(): boolean {
    return native.requiresGrad(this.h);
  }

  set requiresGrad(required: boolean) {
    native.call(requiresGradOperator, this.h, required);
  }

  /** The accumulated gradient: a handle of its own on the same memory. */
  get grad(): Tensor | null {
    return wrapOptional(native.grad(this.h));
  }

  set grad(gradient: Tensor | null) {
    native.setGrad(this.h, gradient === null ? null : gradient.h);
  }

  /** Keeps the gradient of a tensor that is no leaf. */
  retainGrad(): this {
    native.call(retainGradOperator, this.h);
    return this;
  }

  backward(gradient?: Tensor | null, options?: { retainGraph?: boolean }): void {
    native.backward(this.h, gradient?.h ?? null, options?.retainGraph ?? false);
  }

  /** The value of a tensor with one element; a boolean reads as 0 or 1. */
  item(): number {
    return Number(native.call(itemOperator, this.h));
  }

  /** Copies the elements into an array of the same length, converted to its type. Uint16Array takes half precision bits. */
  copyInto<T extends ArrayBufferView>(target: T): T {
    native.toTyped(this.h, target);
    return target;
  }

  toFloat32Array(): Float32Array<ArrayBuffer> {
    return this.copyInto(new Float32Array(this.numel));
  }

  toFloat64Array(): Float64Array<ArrayBuffer> {
    return this.copyInto(new Float64Array(this.numel));
  }

  /** Throws when an int64 element does not fit. */
  toInt32Array(): Int32Array<ArrayBuffer> {
    return this.copyInto(new Int32Array(this.numel));
  }

  toUint8Array(): Uint8Array<ArrayBuffer> {
    return this.copyInto(new Uint8Array(this.numel));
  }

  /** The bits of bfloat16 or float16 elements. */
  toUint16Array(): Uint16Array<ArrayBuffer> {
    return this.copyInto(new Uint16Array(this.numel));
  }

  toNumbers(): number[] {
    return Array.from(this.toFloat64Array());
  }

  dispose(): void {
    if (this.h <= 0) return;
    if (this.guarded) native.releaseGuard(this);
    native.drop(this.h);
    this.h = -1;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return this.h > 0 ? `Tensor(${this.dtype}[${this.shape.join(", ")}])` : "Tensor(disposed)";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function readInts(count: number): number[] {
  const ints = new Array<number>(count);
  for (let i = 0; i < count; i++) ints[i] = scratch[i]!;
  return ints;
}

function guard(tensor: Tensor, account: boolean): void {
  native.attachGuard(tensor, tensor.h, account, false);
  tensor.guarded = true;
}

/** Makes a tensor of a fresh handle and gives it to the innermost scope, or to the garbage collector. */
export function wrap(handle: Handle): Tensor {
  const tensor = new Tensor(handle);
  if (current !== null) current.push(tensor);
  else if (handle > 0) guard(tensor, true);
  return tensor;
}

export function wrapOptional(handle: Handle): Tensor | null {
  return handle === 0 ? null : wrap(handle);
}

export function wrapList(handles: readonly Handle[]): Tensor[] {
  return handles.map(wrap);
}

export function handlesOf(tensors: readonly Tensor[]): Handle[] {
  return tensors.map((tensor) => tensor.h);
}

export function optionalHandlesOf(tensors: readonly (Tensor | null)[]): Handle[] {
  return tensors.map((tensor) => (tensor === null ? 0 : tensor.h));
}

/** A promise would outlive the scope: async bodies do not compile. */
type Sync<T> = T extends PromiseLike<unknown> ? never : T;

function refusePromise(value: unknown, name: string): void {
  if (value instanceof Promise)
    throw new OppoError("ERR_ASYNC_BODY", `${name}: expected a synchronous body, got a promise. Await outside of it.`);
}

const maxSearchDepth = 8;

function collect(value: unknown, into: Set<Tensor>, depth: number): void {
  if (value === null || typeof value !== "object" || depth > maxSearchDepth) return;
  if (value instanceof Tensor) into.add(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, into, depth + 1);
  else if (value instanceof Map || value instanceof Set)
    for (const item of value.values()) collect(item, into, depth + 1);
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collect(item, into, depth + 1);
  }
}

const dying = new Int32Array(1 << 14);

/** Frees what a scope owns, except the survivors, which move to the scope that is current now. */
function release(owned: readonly Tensor[], survivors: Set<Tensor> | null): void {
  let count = 0;
  for (const tensor of owned) {
    if (tensor.h <= 0 || tensor.guarded) continue;
    if (survivors?.has(tensor)) {
      if (current !== null) current.push(tensor);
      else guard(tensor, true);
      continue;
    }
    dying[count++] = tensor.h;
    tensor.h = -1;
    if (count === dying.length) {
      native.dropMany(dying, count);
      count = 0;
    }
  }
  native.dropMany(dying, count);
}

/**
 * Runs a synchronous body and frees every tensor made inside, except those it returns: alone, or in arrays, plain
 * objects, maps and sets. Returned tensors move to the outer scope.
 */
export function scope<T>(body: () => Sync<T>): T {
  const outer = current;
  const owned: Tensor[] = [];
  current = owned;
  let survivors: Set<Tensor> | null = null;
  try {
    const result = body();
    refusePromise(result, "scope");
    if (typeof result === "object" && result !== null) {
      survivors = new Set();
      collect(result, survivors, 0);
    }
    return result;
  } finally {
    current = outer;
    release(owned, survivors);
  }
}

/** Takes a tensor out of every scope: the caller owns it now and disposes it. */
export function keep<T extends Tensor>(tensor: T): T {
  if (!tensor.guarded) guard(tensor, false);
  return tensor;
}

function withGradMode<T>(enabled: boolean, body: () => T, name: string): T {
  const before = native.setGradMode(enabled);
  try {
    const result = body();
    refusePromise(result, name);
    return result;
  } finally {
    native.setGradMode(before);
  }
}

/** Runs a synchronous body without recording gradients. */
export function noGrad<T>(body: () => Sync<T>): T {
  return withGradMode<T>(false, body, "noGrad");
}

/** Records gradients again inside noGrad and inside a backward: to recompute a segment. */
export function enableGrad<T>(body: () => Sync<T>): T {
  return withGradMode<T>(true, body, "enableGrad");
}

/** Like noGrad, and faster: tensors made inside can never take part in autograd. */
export function inference<T>(body: () => Sync<T>): T {
  native.pushInference();
  try {
    const result = body();
    refusePromise(result, "inference");
    return result;
  } finally {
    native.popInference();
  }
}
