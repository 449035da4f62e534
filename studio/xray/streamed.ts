// Answers that come in parts: server-sent events after a POST, which the browser's own EventSource cannot send.
import { ServerError } from "../server.ts";

/** Calls back for every event until the answer ends. @throws ServerError with the server's words */
export async function askStreamed(
  path: string,
  body: unknown,
  onEvent: (event: string, data: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  if (!response.ok || response.body === null) {
    const said = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
    throw new ServerError(said?.error?.message ?? `status ${response.status}`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop()!;
    for (const part of parts) {
      const [, event = "", data = "null"] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
      const parsed: unknown = JSON.parse(data);
      if (event === "failed") throw new ServerError((parsed as { error: { message: string } }).error.message);
      onEvent(event, parsed);
    }
  }
}
