// How `oppo embed` and its calibration reach the embedder.

import type { EmbedderAccess } from "../../../corpus/embedding/opened-embedder.ts";
import type { ClientSettings } from "../../../corpus/settings.ts";
import { embedderAccess } from "../../base/embedder-access.ts";

interface ModelSettings {
  readonly dimension: number | null;
  readonly maxTextTokens: number | null;
  readonly device: string;
  readonly dtype: "float32" | "bfloat16" | null;
  readonly client: ClientSettings;
}

export async function accessOf(
  { dimension, maxTextTokens, device, dtype, client }: ModelSettings,
  instruction: string,
  signal: AbortSignal,
): Promise<EmbedderAccess> {
  return {
    ...(await embedderAccess(client, instruction, signal, "all")),
    dimension,
    ...(maxTextTokens === null ? {} : { maxTokens: maxTextTokens }),
    device,
    ...(dtype === null ? {} : { dtype }),
  };
}
