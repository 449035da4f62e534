// The plainest conversation: perhaps a system text, then one user turn with a clip and a text behind it.
import type { ChatTurn, ClipShape } from "./omni-model.ts";

export function clipTurns(text: string, shape: ClipShape, system: string | undefined): ChatTurn[] {
  const user: ChatTurn = {
    role: "user",
    parts: [
      { type: "clip", clip: shape },
      { type: "text", text },
    ],
  };
  return system === undefined ? [user] : [{ role: "system", parts: [{ type: "text", text: system }] }, user];
}
