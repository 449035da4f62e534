// The models of the library for the command line, which reaches them through recipes only.
export { loadAdapter } from "../../models/lora/adapt.ts";
export { loadModel } from "../../models/registry.ts";
