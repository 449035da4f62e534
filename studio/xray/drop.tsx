// A clip from this machine: chosen, or dropped anywhere into the room. It goes to the studio's own server, which says why where it
// cannot be shown.
import { useEffect, useState } from "preact/hooks";
import type { DroppedClip } from "../../src/serve/studio/api.ts";
import { ServerError } from "../server.ts";

export interface DropProps {
  readonly onClip: (clip: DroppedClip) => void;
}

export function Drop({ onClip }: DropProps) {
  const [state, setState] = useState<{ readonly words: string; readonly isProblem: boolean } | null>(null);
  const send = async (file: File) => {
    setState({ words: `Looking at ${file.name} ...`, isProblem: false });
    try {
      const clip = await upload(file);
      const sound = clip.hasSound ? "" : ", without sound";
      setState({ words: `${clip.name}: ${clip.seconds.toFixed(1)} s${sound}`, isProblem: false });
      onClip(clip);
    } catch (error) {
      setState({ words: (error as Error).message, isProblem: true });
    }
  };
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      event.preventDefault();
      void send(file);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, [onClip]);
  return (
    <div class="drop">
      <label class="field">
        <span>or a clip of this machine (or drop it here)</span>
        <input
          type="file"
          accept="video/*,.mkv,.avi"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file !== undefined) void send(file);
          }}
        />
      </label>
      {state !== null && (
        <p class={state.isProblem ? "warn" : "soft small"} role="status">
          {state.words}
        </p>
      )}
    </div>
  );
}

/** @throws ServerError with the server's words */
async function upload(file: File): Promise<DroppedClip> {
  const response = await fetch(`/api/xray/clips?name=${encodeURIComponent(file.name)}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: file,
  }).catch(() => {
    throw new ServerError("The studio's server does not answer, or the file is too large for it.");
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as DroppedClip;
  const said = (body as { error?: { message?: string } } | null)?.error?.message;
  throw new ServerError(said ?? `status ${response.status}`);
}
