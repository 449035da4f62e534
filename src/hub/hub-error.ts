// What a hub says no with, in our words. Neither the token nor an address with a signature in it gets into a message.
import { HubApiError } from "@huggingface/hub";
import { OppoError } from "../error.ts";

export type HubErrorCode = "ERR_HUB" | `ERR_HUB_${Uppercase<string>}`;

export function hubError(
  code: HubErrorCode,
  where: string,
  expected: string,
  advice: string,
  cause?: unknown,
): OppoError {
  return new OppoError(code, `${where}: expected ${expected}. ${advice}`, cause === undefined ? undefined : { cause });
}

/** An error of the client as one of ours; what is none of the hub's stays as it is. */
export function translated(error: unknown, what: string, hasToken: boolean): unknown {
  if (!(error instanceof HubApiError)) {
    if (error instanceof OppoError || !(error instanceof Error) || error.name === "AbortError") return error;
    return hubError("ERR_HUB", what, `an answer of a Hugging Face hub, got ${error.message}`, "Check HF_ENDPOINT.");
  }
  const status = error.statusCode;
  if (status === 404) {
    return hubError(
      "ERR_HUB_NOT_FOUND",
      what,
      "it to exist, got 404",
      "Check the spelling of repository and revision.",
    );
  }
  if (status === 401 || status === 403) {
    const advice = hasToken
      ? "Accept the model's terms on its page, or use a token that may read it."
      : "It does not exist, or it is private or gated: set HF_TOKEN to a token that may read it.";
    return hubError("ERR_HUB_ACCESS", what, `the right to read it, got ${status}`, advice);
  }
  return hubError("ERR_HUB", what, `an answer, got status ${status}`, "Run the same again later.");
}
