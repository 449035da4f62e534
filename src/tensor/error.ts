// Errors of the tensor layer. Native code reports through createNativeError, so that a failed call names the operator,
// its schema and the arguments' shapes: libtorch's own messages leave all three out.
import { type ErrorCode, OppoError } from "../error.ts";

/** Data and a shape that do not fit together. */
export class ShapeError extends OppoError {}

/** libtorch refused a call. */
export class OperatorError extends OppoError {
  /** Name with overload, "aten::add.Tensor"; empty where no operator was involved. */
  readonly operator: string;
  readonly schema: string;
  /** The tensor and scalar arguments: "self: Float[2, 3], other: Float[4, 5]". */
  readonly argumentShapes: string;

  constructor(code: ErrorCode, message: string, operator: string, schema: string, argumentShapes: string) {
    super(code, message);
    this.operator = operator;
    this.schema = schema;
    this.argumentShapes = argumentShapes;
  }
}

/** A tensor or generator was used after it was disposed or its scope ended. */
export class TensorDisposedError extends OppoError {}

/** A checkpoint file that cannot be read or written as asked. */
export class CheckpointError extends OppoError {
  readonly file: string;
  /** The tensor's name, when one is at fault. */
  readonly key: string | null;

  constructor(code: ErrorCode, file: string, message: string, options?: { key?: string; cause?: unknown }) {
    super(code, `${file}: ${message}`, options);
    this.file = file;
    this.key = options?.key ?? null;
  }
}

/** Called by the addon for every error that it throws. */
export function createNativeError(
  kind: string,
  message: string,
  operator: string,
  schema: string,
  argumentShapes: string,
): Error {
  const call = operator === "" ? "" : `${operator}(${argumentShapes}): `;
  if (kind === "disposed") {
    const advice = "Return it from its scope, keep() it, or dispose it later.";
    return new TensorDisposedError("ERR_TENSOR_DISPOSED", `${call}${message}. ${advice}`);
  }
  const suffix = schema === "" ? "" : `\n  schema: ${schema}`;
  const code = kind === "missing" ? "ERR_OPERATOR_MISSING" : "ERR_OPERATOR_FAILED";
  return new OperatorError(code, `${call}${message.trim()}${suffix}`, operator, schema, argumentShapes);
}
