// A word that nobody guesses, for a server that one person of this machine is to use.
import { randomBytes } from "node:crypto";

const numBytes = 24;

/** 32 letters that may stand in an address. */
export function newAccessToken(): string {
  return randomBytes(numBytes).toString("base64url");
}
