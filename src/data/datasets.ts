// Every data set that can be read. A new one is a file with a reader and a line here.
import { chSims } from "./ch-sims.ts";
import { chSimsV2 } from "./ch-sims-v2.ts";
import { cmuMosei } from "./cmu-mosei.ts";
import { cmuMosi } from "./cmu-mosi.ts";
import { dfew } from "./dfew.ts";
import { emer } from "./emer.ts";
import { humanOv } from "./human-ov.ts";
import { iemocapFour } from "./iemocap-four.ts";
import { DatasetError } from "./jsonl.ts";
import { mafw } from "./mafw.ts";
import { meld } from "./meld.ts";
import { merCaptionPlus } from "./mer-caption-plus.ts";
import { mer2023 } from "./mer2023.ts";
import { mer2024 } from "./mer2024.ts";
import { mer2025Ov } from "./mer2025-ov.ts";
import { ovMerd } from "./ov-merd.ts";
import { ovMerdPlus } from "./ov-merd-plus.ts";
import { ravdess } from "./ravdess.ts";
import type { DatasetReader } from "./reader.ts";

export const datasets = {
  mer2023,
  mer2024,
  meld,
  iemocapFour,
  cmuMosi,
  cmuMosei,
  chSims,
  chSimsV2,
  ovMerdPlus,
  ovMerd,
  mer2025Ov,
  humanOv,
  merCaptionPlus,
  emer,
  dfew,
  mafw,
  ravdess,
} satisfies Record<string, DatasetReader>;

/**
 * The reader of that name or title; case, hyphens and underscores do not matter, and "+" is "plus".
 * @throws DatasetError `ERR_DATASET_UNKNOWN`
 */
export function datasetNamed(text: string): DatasetReader {
  const plain = (name: string): string => name.toLowerCase().replaceAll("+", "plus").replace(/[-_ ]/g, "");
  const readers: readonly DatasetReader[] = Object.values(datasets);
  const found = readers.find(({ name, title }) => [name, title].some((known) => plain(known) === plain(text)));
  if (found !== undefined) return found;
  const names = readers.map(({ name }) => name).join(", ");
  throw new DatasetError("ERR_DATASET_UNKNOWN", `expected a data set, got "${text}". Choose one of ${names}.`, {
    file: text,
  });
}
