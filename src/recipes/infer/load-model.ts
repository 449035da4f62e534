// The models of the library for the command line, which reaches them through recipes only.
export { loadAdapter, loadModel } from "../../models/index.ts";
