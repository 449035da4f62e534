// Which of the parts that a person chooses from (learner-settings.ts, parts) a parameter is in.
import type { OmniModel } from "../models/omni-model.ts";
import type { LearnerSettings } from "./learner-settings.ts";

export type LearnerPart = LearnerSettings["parts"][number];

/** @param model a model, or its shape */
export function learnerPart(model: Pick<OmniModel, "partOf" | "isProjector">, name: string): LearnerPart {
  const part = model.partOf(name);
  if (part === "gate") return "gate";
  if (model.isProjector(name)) return "projector";
  if (part === "question encoder") return "question";
  return part.endsWith(" tower") ? "towers" : "decoder";
}
