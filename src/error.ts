// The one error base of the package. Every error says where, what was expected, what came and what to do next,
// and carries a stable code that programs and tests may rely on.

/** An error with a stable code. The message reads: `where: expected X, got Y. What to do.` */
export class OppoError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
