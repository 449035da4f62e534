// The one model that a server has, for an address without a name behind it.
import { modelsAt, otherAddresses } from "../endpoint/diagnosis.ts";
import { endpointSettings } from "../endpoint/endpoint-options.ts";
import { quotable } from "../endpoint/secret.ts";
import { openTransport } from "../endpoint/transport.ts";
import { OppoError } from "../error.ts";

export interface Asking {
  readonly key: string | null;
  readonly timeoutMilliseconds: number;
}

const maxNamed = 5;

/** @throws OppoError ERR_ENDPOINT_URL, ERR_ENDPOINT_MODEL where it does not say, or has several */
export async function servedModel(address: string, { key, timeoutMilliseconds }: Asking): Promise<string> {
  const settings = endpointSettings({ url: address, model: "unknown", key, cacheFolder: null, timeoutMilliseconds });
  const { url } = settings;
  const transport = openTransport(settings);
  const names = await modelsAt(url, transport);
  if (names?.length === 1) return names[0]!;
  const expected = `${url}: expected the one model that it serves`;
  if (names !== null) {
    const shown = names.slice(0, maxNamed).map((name) => quotable(name, key));
    const got = names.length === 0 ? "none" : `${shown.join(", ")}${names.length > maxNamed ? ", ..." : ""}`;
    throw new OppoError("ERR_ENDPOINT_MODEL", `${expected}, got ${got}. Name one: ${url}#MODEL.`);
  }
  for (const other of otherAddresses(url)) {
    if ((await modelsAt(other, transport)) === null) continue;
    throw new OppoError(
      "ERR_ENDPOINT_MODEL",
      `${expected}, got no list of its models. An API answers at ${other}: give that address.`,
    );
  }
  throw new OppoError("ERR_ENDPOINT_MODEL", `${expected}, got no list of its models. Name one: ${url}#MODEL.`);
}
