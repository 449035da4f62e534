// What `oppo inspect` prints: a model directory in a dozen lines. Loads no native code, so that it answers at once.
import { type Inspection, LORA_RANK } from "../../models/inspect.ts";
import { formatBytes } from "../../run/disk.ts";

export { type Inspection, inspectModel } from "../../models/inspect.ts";

const maxListed = 8;
const count = (n: number) => n.toLocaleString("en-US");

/** Lines for people. */
export function inspectionText(found: Inspection): string {
  const { decoder, memory, problems } = found;
  const types = Object.entries(found.dtypes).map(([dtype, n]) =>
    n === found.numParameters ? dtype : `${dtype} (${count(n)})`,
  );
  const rows: [string, string][] = [
    ["model", `${found.title} (${found.modelType})`],
    ["weights", `${formatBytes(memory.weights)}, ${types.join(", ")}, ${found.files.length} file(s)`],
    ["parameters", `${count(found.numParameters)} in ${count(found.numTensors)} tensors`],
    ...found.parts.map(({ name, numParameters, numTensors }): [string, string] => [
      `  ${name}`,
      `${count(numParameters)} in ${count(numTensors)}`,
    ]),
    [
      "decoder",
      `${decoder.numLayers} layers, width ${decoder.hiddenSize}, ${decoder.numHeads} heads on ${decoder.numKvHeads}, vocabulary ${count(decoder.vocabSize)}`,
    ],
    ["to infer", `${formatBytes(memory.weights)} and ${formatBytes(memory.cachePerToken)} per token of context`],
    [
      "to train",
      `${formatBytes(memory.trainLora)} with LoRA of rank ${LORA_RANK}; in float32 with AdamW and a reference ${formatBytes(memory.trainLanguage)} for the language model, ${formatBytes(memory.trainAll)} for everything`,
    ],
  ];
  if (found.numSkipped > 0) rows.push(["not read", `${count(found.numSkipped)} tensors that nothing here uses`]);
  rows.push(["files missing", listed(found.absentFiles)]);
  for (const kind of ["missing", "unexpected", "misshapen"] as const) {
    const names = problems[kind];
    if (names.length > 0) rows.push([`${kind} tensors`, `${count(names.length)}: ${listed(names)}`]);
  }
  for (const notice of found.notices) rows.push(["notice", notice]);
  rows.push(["complete", found.isComplete ? "yes" : "no"]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`).join("\n");
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return `${names.slice(0, maxListed).join(", ")}${names.length > maxListed ? ", ..." : ""}`;
}
