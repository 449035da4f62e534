// My set: clips in clips/, one word each in words.csv.
import { findFile, mediaFinder, nameProblem, openFolder } from "../../src/data/folder.ts";
import { type DatasetReader, skipCounter } from "../../src/data/reader.ts";
import { readTable } from "../../src/data/table.ts";

const words = ["calm", "tense"];

export const mySet: DatasetReader = {
  name: "my-set",
  title: "MySet",
  kind: "discrete",
  labels: words,
  splits: [{ name: "test", role: "test" }],
  scoredSplit: "test",
  source: {
    access: "Ask us at the university of ...",
    layout: ["my-set/", "  clips/NAME.mp4", "  words.csv    (name,word)"],
  },
  async *read(root, _split, options) {
    const skip = skipCounter(options);
    const folder = openFolder(root, ["my-set"]);
    const file = findFile(folder, ["words.csv"]);
    const clip = mediaFinder(folder, ["clips"], [".mp4"]);
    for await (const { line, cells } of readTable(file, ["name", "word"], skip)) {
      const { name, word } = cells;
      const problem = nameProblem(name);
      if (problem !== null) skip({ kind: "unsafe-name", file, line, reason: problem, name });
      else if (!words.includes(word))
        skip({ kind: "unknown-label", file, line, reason: `"${word}" is no label`, name });
      else {
        const sample = { id: name, media: clip(name), subtitle: "", labels: [word], reasoning: "", cues: [] };
        yield { sample, annotation: word };
      }
    }
  },
};
