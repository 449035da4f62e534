// The one error base of the package. Every error says where, what was expected, what came and what to do next,
// and carries a stable code that programs and tests may rely on.

/** What programs and tests may rely on; docs/errors.md lists all of them. */
export type ErrorCode = `ERR_${Uppercase<string>}`;

/** An error with a stable code. The message reads: `where: expected X, got Y. What to do.` */
export class OppoError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
