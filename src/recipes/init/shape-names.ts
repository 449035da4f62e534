// The shapes of new models by name, for the command line. Loads no model code.
import { freshShapes } from "../../models/registry/registry.ts";

/** Example: ["qwen2.5-omni-3b", "qwen2.5-omni-7b", "tiny"] */
export function shapeNames(): string[] {
  return [...freshShapes().keys()];
}
