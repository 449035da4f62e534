// What a model behind the mock endpoint answers when it is asked for cues: those of the rules, and one that the account
// does not hold. So tests know every reply.
import { extractOffline } from "../../src/evidence/extraction/extract-offline.ts";
import type { SeenRequest } from "./mock-endpoint.ts";

export const inventedCue = "a purple hat";

/** The account in a request for cues, also when it is asked again. */
export function accountIn(body: SeenRequest["body"]): string {
  return /<(account-\w+)>\n([\s\S]*)\n<\/\1>/.exec(body.messages[1].content)![2]!;
}

export function cueReply(body: SeenRequest["body"]): string {
  const { cues } = extractOffline(accountIn(body));
  const of = (kind: string) => cues.flatMap((cue) => (cue.kind === kind ? [cue.text] : []));
  return JSON.stringify({
    visual_cues: [...of("video"), inventedCue],
    audio_cues: of("audio"),
    emotion_cues: of("emotion"),
  });
}
