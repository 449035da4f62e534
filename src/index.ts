export { OppoError } from "./error.ts";
