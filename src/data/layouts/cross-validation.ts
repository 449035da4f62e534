// DFEW and MAFW are measured by five-fold cross-validation; each fold is two splits of ours.
import type { Split } from "../reader.ts";

const numFolds = 5;

/** "fold1-train", "fold1-test", and so on to fold 5. */
export const foldSplits: readonly Split[] = Array.from({ length: numFolds }, (_, index) => index + 1).flatMap(
  (fold) => [
    { name: `fold${fold}-train`, role: "train", fold },
    { name: `fold${fold}-test`, role: "test", fold },
  ],
);
