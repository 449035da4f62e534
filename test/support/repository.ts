// Where the repository is, seen from a compiled test (build/js/test/support/).

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../../../..");
