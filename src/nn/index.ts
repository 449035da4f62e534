// What turns tensors into models that learn: weights by checkpoint path, the optimizer, clipping, schedules.

export { AdamW, type AdamWOptions, type ParameterGroup } from "./adamw.ts";
export { clipGradNorm } from "./grad-norm.ts";
export { addLowRank, type LowRank, lowRankScale, mergedDelta } from "./lora.ts";
export { cosineSchedule, linearSchedule, type Schedule } from "./schedule.ts";
export { updateParameters } from "./update.ts";
export {
  freshWeights,
  type Initial,
  type LoadOptions,
  loadedWeights,
  type WeightOptions,
  type WeightStore,
  type Weights,
} from "./weights.ts";
