// The models of the library for the command line, which reaches them through recipes only.
export { loadAdapter } from "../../models/adapt.ts";
export { loadModel } from "../../models/registry.ts";
