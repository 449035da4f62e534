// What is learnt and what is measured, read and parted before a model is loaded.
import { refuseOverlap } from "../../corpus/overlap.ts";
import type { SftRunConfig } from "./settings.ts";
import { contentRows, readSftData, type SftData } from "./sft-data.ts";
import { type Split, splitData } from "./split.ts";

/** Of one file or of two. */
export interface Prepared {
  readonly data: SftData;
  /** Whose media the held-out rows' are. */
  readonly evalData: SftData;
  readonly split: Split;
}

/** @throws DatasetError, OppoError ERR_OVERLAP, ERR_NO_SAMPLES, ERR_SFT_TARGETS */
export async function prepareRows(config: SftRunConfig, log: (line: string) => void): Promise<Prepared> {
  const data = await readSftData(config.data, config, log);
  const split = await splitData(data, config);
  if (config.evalData === null) return { data, evalData: data, split };
  // Media of the other file lie beside it.
  const evalData = await readSftData(config.evalData, { ...config, media: null }, log, data.wording);
  await refuseOverlap(
    { file: config.data, rows: contentRows(data, data.conversations) },
    { file: config.evalData, rows: contentRows(evalData, evalData.conversations) },
  );
  return { data, evalData, split: { ...split, heldOut: evalData.conversations } };
}
