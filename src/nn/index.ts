// What turns tensors into models that learn: low-rank layers, the optimizer, updates, schedules.

export { AdamW, type AdamWOptions, type ParameterGroup } from "./adamw.ts";
export { clipGradNorm } from "./grad-norm.ts";
export { type Learner, type LearnerOptions, type Slot, shardedLearner, wholeLearner } from "./learner.ts";
export { addLowRank, joinLowRank, type LowRank, lowRankIn, lowRankScale, mergedDelta } from "./lora.ts";
export { reduceGradients } from "./reduce-gradients.ts";
export { cosineSchedule, linearSchedule, type Schedule } from "./schedule.ts";
export { lengthOf, ownShard, type Piece, pieceKey } from "./shards.ts";
export { updateParameters } from "./update.ts";
