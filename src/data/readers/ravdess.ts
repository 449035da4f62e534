// RAVDESS, speech with picture and sound: the labels are in the names, `01-01-06-01-02-01-12.mp4` being modality, channel,
// emotion, intensity, statement, repetition and actor (Zenodo 1188976). Renames as in R1-Omni's eval_ravedess.py.
import { join } from "node:path";
import { list, openFolder, relativePath } from "../folder.ts";
import { DatasetError } from "../jsonl.ts";
import {
  type AnnotatedSample,
  type DatasetReader,
  type DatasetReadOptions,
  type SkipRow,
  skipCounter,
  splitOf,
} from "../reader.ts";

/** In the order of the emotion codes 01 to 08; "fearful" and "surprised" are renamed. */
const words = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"];
const statements = ["Kids are talking by the door", "Dogs are sitting by the door"];
const soundAndPicture = "01";
const speech = "01";

export const ravdess: DatasetReader = {
  name: "ravdess",
  title: "RAVDESS",
  kind: "discrete",
  labels: words,
  splits: [{ name: "all", role: "test", numPublished: 1440 }],
  scoredSplit: "all",
  source: {
    access:
      "Zenodo, record 1188976 (CC BY-NC-SA 4.0), no form: Video_Speech_Actor_01.zip to Video_Speech_Actor_24.zip.",
    layout: ["RAVDESS/", "  Actor_01/01-01-01-01-01-01-01.mp4", "  ... Actor_24/"],
    traps: [
      "R1-Omni's list of test clips was not released; its scores are multiples of 1/300, so it is probably 5 actors' 300 clips.",
      "Files that begin with 02 are the same takes without sound; they are left out, as are songs (second number 02).",
    ],
  },
  read,
};

async function* read(root: string, splitName: string, options?: DatasetReadOptions): AsyncGenerator<AnnotatedSample> {
  const skip = skipCounter(options);
  const { name: split } = splitOf(ravdess, splitName);
  const folder = openFolder(root, ["RAVDESS", "ravdess"]);
  const base = join(folder.root, folder.base);
  const actors = list(base).filter((name) => /^Actor_\d\d$/.test(name));
  if (actors.length === 0) {
    const message = `${base}: expected the folders Actor_01 to Actor_24, got none. Run \`oppo data check\` for what to download.`;
    throw new DatasetError("ERR_DATASET_ABSENT", message, { file: base });
  }
  for (const actor of actors.sort()) {
    for (const clip of list(join(base, actor)).sort()) {
      const read = readName(clip, actor, join(base, actor, clip), skip);
      if (read === null) continue;
      const { word, subtitle, ...codes } = read;
      const id = clip.replace(/\.mp4$/, "");
      const meta = { dataset: ravdess.title, split, ...codes };
      const media = relativePath(folder, `${actor}/${clip}`);
      yield {
        sample: { id, media, subtitle, labels: [word], reasoning: "", cues: [], meta },
        annotation: word,
      };
    }
  }
}

interface NamedClip {
  readonly word: string;
  readonly subtitle: string;
  readonly actor: number;
  readonly intensity: "normal" | "strong";
}

/** What the name says; null for files that are no speech with picture and sound. */
function readName(clip: string, actorFolder: string, file: string, skip: SkipRow): NamedClip | null {
  if (!clip.endsWith(".mp4")) return null;
  const parts = /^(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)\.mp4$/.exec(clip);
  if (parts === null) {
    const reason = "expected a name of seven two-digit numbers, such as 01-01-06-01-02-01-12.mp4";
    skip({ kind: "malformed", file, line: 0, reason, name: clip });
    return null;
  }
  const [, modality, channel, emotion, intensity, statement, , actor] = parts;
  if (modality !== soundAndPicture || channel !== speech) return null;
  const word = words[Number(emotion) - 1];
  const subtitle = statements[Number(statement) - 1];
  if (word === undefined || subtitle === undefined || `Actor_${actor}` !== actorFolder) {
    const reason = `emotion ${emotion}, statement ${statement} or actor ${actor} is not RAVDESS's, or another actor's folder`;
    skip({ kind: word === undefined ? "unknown-label" : "malformed", file, line: 0, reason, name: clip });
    return null;
  }
  return { word, subtitle, actor: Number(actor), intensity: intensity === "02" ? "strong" : "normal" };
}
