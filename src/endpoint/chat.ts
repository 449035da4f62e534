// What the rest of oppo sees of a language model behind a server: messages in, one text out. Any OpenAI-compatible
// endpoint implements it, and so does a stub in a test.

/** One part of a message. `url` is http(s) or a data: URL; sound travels as base64 of a WAV file. */
export type ChatPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } }
  | { readonly type: "video_url"; readonly video_url: { readonly url: string } }
  | { readonly type: "input_audio"; readonly input_audio: { readonly data: string; readonly format: "wav" } };

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string | readonly ChatPart[];
}

/** Example: `{ messages: [{ role: "user", content: "Is joy positive?" }], maxTokens: 4, temperature: 0 }` */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed?: number;
  /** A JSON schema that the reply must meet; servers that cannot enforce it are asked in words. */
  readonly schema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  /**
   * Stands for the content of large media parts in the cache's key, so that they need not be made to find a reply that
   * is already there. Left out: the messages themselves are hashed.
   */
  readonly contentKey?: string;
  /** Further fields of the body, as some servers take them ("mm_processor_kwargs"). */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface ChatReply {
  readonly text: string;
  /** What a server's reasoning parser took out of the text; left out where there was none. */
  readonly reasoning?: string | undefined;
  /** "length" when maxTokens cut it off. */
  readonly finish: "stop" | "length" | "other";
  /** As the server counted them; null where it did not say. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** True when the reply came from the cache on disk: no request was made. */
  readonly cached: boolean;
}

/** @throws OppoError ERR_ENDPOINT and its siblings, never with the key in it; what was answered so far stays cached. */
export interface ChatClient {
  /** Model and address, as reports name it. */
  readonly name: string;
  /**
   * @param request messages, or a function that makes them: called only when the cache has no reply for `contentKey`
   */
  chat(request: ChatRequest | LazyChatRequest): Promise<ChatReply>;
}

/** A request whose media parts are made only when they are needed. */
export interface LazyChatRequest extends Omit<ChatRequest, "messages" | "contentKey"> {
  readonly contentKey: string;
  readonly messages: () => Promise<readonly ChatMessage[]>;
}

/** A reply with its thoughts back in their tags, as the model said it: one text, whether or not the server takes them out. */
export function wholeText({ text, reasoning }: Pick<ChatReply, "text" | "reasoning">): string {
  if (reasoning === undefined || text.includes("</think>")) return text;
  return text === "" ? `<think>${reasoning}` : `<think>${reasoning}</think>${text}`;
}
