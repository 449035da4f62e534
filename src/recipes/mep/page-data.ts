// What the page of a run of MEP-Bench is made of.
import type { AnswerStyle } from "../../bench/faithfulness.ts";
import type { MepResult } from "../../bench/mep.ts";
import type { MepSet } from "../../bench/mep-set.ts";
import type { MediaFiles } from "./media-files.ts";
import type { MepResults } from "./results.ts";

export interface MepPageData {
  readonly results: MepResults;
  readonly result: MepResult;
  readonly set: MepSet;
  readonly files: ReadonlyMap<string, MediaFiles>;
  readonly style: AnswerStyle;
}
