// How `oppo mep` compares sentences and answers: a set's own wheel or the five of a lexicon, and the paper's delta.

import { type ClientSettings, defaultDelta } from "../../../corpus/settings.ts";
import { embedderAccess } from "../../base/embedder-access.ts";

export async function mepSetting(client: ClientSettings, signal: AbortSignal) {
  const { oppoHome } = await import("../../../run/lexicon-store.ts");
  return {
    accuracy: "auto",
    emotionGroups: null,
    home: oppoHome(process.env),
    similarityThreshold: defaultDelta,
    access: await embedderAccess(client, "", signal),
  };
}
