// What a request is answered with when it cannot be served: a status, a stable code and a reason, in the shape that
// OpenAI's clients read. A fault of ours is told as such, without its text.
import { type ErrorCode, OppoError } from "../../error.ts";

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 500 | 503;

/** Example: `new HttpError(400, "ERR_REQUEST_FIELD", "n: expected 1 to 8, got 99. Ask for fewer.", { param: "n" })` */
export class HttpError extends OppoError {
  readonly status: ErrorStatus;
  /** The field of the body that is meant. */
  readonly param: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    status: ErrorStatus,
    code: ErrorCode,
    message: string,
    options: { param?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(code, message, { cause: options.cause });
    this.status = status;
    this.param = options.param ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }
}

/** A field that is not what it should be. */
export function fieldError(param: string, expected: string, got: string, advice: string): HttpError {
  return new HttpError(400, "ERR_REQUEST_FIELD", `${param}: expected ${expected}, got ${got}. ${advice}`, { param });
}

/** Something that other servers may know and this one does not. */
export function unsupported(param: string, message: string): HttpError {
  return new HttpError(400, "ERR_REQUEST_UNSUPPORTED", `${param}: ${message}`, { param });
}

export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

const types: Readonly<Partial<Record<ErrorStatus, string>>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "server_error",
};

/** The error to answer with for anything thrown: what the request brought about was made an HttpError where it was found. */
export function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof OppoError) return new HttpError(500, error.code, error.message, { cause: error });
  return new HttpError(500, "ERR_INTERNAL", "a fault of the server; its log has more. Try again or report it.", {
    cause: error,
  });
}

export function errorBody({ status, code, param, message }: HttpError): ErrorBody {
  return { error: { message, type: types[status] ?? "invalid_request_error", param, code } };
}
