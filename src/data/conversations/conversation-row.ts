// One row of a file of conversations: HumanOmni's and R1-Omni's `{ video, conversations: [{ from, value }] }`, or ms-swift's
// `{ messages: [{ role, content }], videos, audios }`. Checked before anything of it is used.
import { isAbsolute, posix, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { type Conversation, type ConversationTurn, turnProblem } from "./conversation.ts";
import { type MarkedTurn, type MarkerRules, placeMedia, type RowMedia } from "./markers.ts";

export type ConversationForm = "conversations" | "messages";

const roles: Readonly<Record<string, ConversationTurn["role"]>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  system: "system",
};
const roleName = z.enum(Object.keys(roles) as [string, ...string[]]);
const maxTurns = 200;
const file = z.string().min(1);
/** A file, several, or none. */
const files = z
  .union([file, z.array(file)])
  .nullish()
  .transform((value) => (value == null ? [] : [value].flat()));

const shared = { id: z.union([z.string().min(1), z.number()]).nullish(), image: files, images: files };

const conversationsRow = z.object({
  ...shared,
  video: files,
  audio: files,
  conversations: z.array(z.object({ from: roleName, value: z.string() })).max(maxTurns),
});

/** A piece of ms-swift's content that is a list; a medium may be named in it or in the row. */
const piece = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("video"), video: file.optional() }),
  z.object({ type: z.literal("audio"), audio: file.optional() }),
]);

const messagesRow = z.object({
  ...shared,
  videos: files,
  audios: files,
  messages: z.array(z.object({ role: roleName, content: z.union([z.string(), z.array(piece)]) })).max(maxTurns),
});

export interface RowOptions extends MarkerRules {
  readonly form: ConversationForm;
  /** Media lie below this folder. */
  readonly mediaRoot: string;
  /** Where the row stands, and its id where it has none. */
  readonly place: string;
}

/** @returns the conversation, or why the row is none */
export function conversationOf(
  row: unknown,
  options: RowOptions,
): { readonly conversation: Conversation } | { readonly reason: string } {
  const read = options.form === "conversations" ? readConversations(row) : readMessages(row);
  if ("reason" in read) return read;
  if (read.numPictures > 0) return { reason: "pictures: videos and sound are learnt from" };
  const media = locate(read.media, options.mediaRoot);
  if ("reason" in media) return media;
  const placed = placeMedia(read.turns, media, options);
  if ("reason" in placed) return placed;
  const reason = turnProblem(placed.turns);
  if (reason !== null) return { reason };
  const { id } = read;
  const isNamed = id != null;
  return {
    conversation: { id: isNamed ? String(id) : options.place, place: options.place, isNamed, turns: placed.turns },
  };
}

interface ReadRow {
  readonly id: string | number | null | undefined;
  readonly turns: readonly MarkedTurn[];
  readonly media: RowMedia;
  readonly numPictures: number;
}

function readConversations(row: unknown): ReadRow | { readonly reason: string } {
  const checked = conversationsRow.safeParse(row);
  if (!checked.success) return { reason: issueOf(checked.error) };
  const { id, image, images, video, audio, conversations } = checked.data;
  const turns = conversations.map(({ from, value }): MarkedTurn => ({ role: roles[from]!, text: value }));
  return {
    id,
    turns,
    media: soundOfVideo({ videos: video, audios: audio }, turns),
    numPictures: image.length + images.length,
  };
}

/** HumanOmni's rows name the video only: `<audio>` is its sound, and without a `<video>` its sound alone. */
function soundOfVideo({ videos, audios }: RowMedia, turns: readonly MarkedTurn[]): RowMedia {
  const has = (marker: string) => turns.some(({ text }) => text.includes(marker));
  if (audios.length > 0 || !has("<audio>")) return { videos, audios };
  return { videos: has("<video>") ? videos : [], audios: videos };
}

function readMessages(row: unknown): ReadRow | { readonly reason: string } {
  const checked = messagesRow.safeParse(row);
  if (!checked.success) return { reason: issueOf(checked.error) };
  const { id, image, images, messages } = checked.data;
  const inline = { video: [] as string[], audio: [] as string[] };
  const turns = messages.map(({ role, content }): MarkedTurn => {
    if (typeof content === "string") return { role: roles[role]!, text: content };
    const texts = content.map((part) => {
      if (part.type === "text") return part.text;
      const named = part.type === "video" ? part.video : part.audio;
      if (named !== undefined) inline[part.type].push(named);
      return `<${part.type}>`;
    });
    return { role: roles[role]!, text: texts.join("") };
  });
  const media = {
    videos: [...checked.data.videos, ...inline.video],
    audios: [...checked.data.audios, ...inline.audio],
  };
  return { id, turns, media, numPictures: image.length + images.length };
}

function issueOf(error: z.ZodError): string {
  const { path, message } = error.issues[0]!;
  return `${path.join(".") || "row"}: ${message}`;
}

/** Paths below the root, whatever way they were written; anything else is none of ours. */
function locate({ videos, audios }: RowMedia, root: string): RowMedia | { readonly reason: string } {
  const outside = [...videos, ...audios].find((path) => pathBelow(path, root) === null);
  if (outside !== undefined) {
    return { reason: `expected media below ${root}, got "${outside.slice(0, maxShown)}"` };
  }
  const below = (path: string) => pathBelow(path, root)!;
  return { videos: videos.map(below), audios: audios.map(below) };
}

const maxShown = 120;

function pathBelow(path: string, root: string): string | null {
  if (path.includes("\0") || path.includes("\\") || /^[a-z][\w+.-]*:/i.test(path)) return null;
  const inner = isAbsolute(path) ? relative(resolve(root), path).split(sep).join("/") : path;
  const normal = posix.normalize(inner);
  if (isAbsolute(normal) || normal === "." || normal === ".." || normal.startsWith("../")) return null;
  return normal;
}
