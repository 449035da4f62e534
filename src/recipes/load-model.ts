// The models of the library for the command line, which reaches them through recipes only.
export { loadModel } from "../models/index.ts";
