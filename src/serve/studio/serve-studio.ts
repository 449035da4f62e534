// `oppo studio`: runs of some folders behind the page, on an address.
import { Counters } from "../http/counters.ts";
import { listen } from "../http/listen.ts";
import { Changes } from "./changes.ts";
import { RunControl } from "./control.ts";
import { Corpora } from "./data/corpora.ts";
import { isCorpus, openAnnotations } from "./data/find-corpora.ts";
import { readPageFiles } from "./page-files.ts";
import { openRoots } from "./runs/find-runs.ts";
import { Studio } from "./studio.ts";
import { studioApp } from "./studio-app.ts";
import { Xray } from "./xray/xray.ts";

export interface ServeStudioOptions {
  /** Folders of runs, or with runs below them; files of samples and MEP sets, whose cues are reviewed. */
  readonly folders: readonly string[];
  /** Folders that clips may lie in behind links; clips below their data's folder need none. */
  readonly media?: readonly string[];
  /** Folder of the journals of reviews; null: each beside its corpus. */
  readonly annotations?: string | null;
  readonly host: string;
  readonly port: number;
  /** Whoever has it may use the studio. */
  readonly token: string;
  /** How a run is begun again; null: the page may not stop or start anything. */
  readonly command: readonly string[] | null;
  readonly log: (line: string) => void;
}

export interface StudioServer {
  readonly address: string;
  /** With the token: what a browser opens. */
  readonly link: string;
  readonly numRuns: number;
  close(): Promise<void>;
}

const requestSeconds = 30;
/** A page that is opened at once asks itself, and must not wait for what is read ahead. */
const aheadMilliseconds = 1000;

/** @throws OppoError ERR_STUDIO_FOLDER, ERR_STUDIO_ANNOTATIONS, ERR_STUDIO_PAGE, ERR_SERVER_ADDRESS */
export async function serveStudio(options: ServeStudioOptions): Promise<StudioServer> {
  const { host, token, command, log, media = [], annotations = null } = options;
  const paths = options.folders.filter(isCorpus);
  const roots = openRoots(options.folders.filter((path) => !paths.includes(path)));
  const folders = openRoots(media);
  const studio = new Studio(roots, folders, command !== null);
  const corpora = new Corpora({
    paths,
    annotations: openAnnotations(annotations),
    media: [...roots, ...folders],
    studio,
  });
  const changes = new Changes(studio, corpora);
  const xray = new Xray(studio, log);
  const onFault = (error: unknown) => log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  let port = options.port;
  const app = studioApp({
    studio,
    changes,
    xray,
    corpora,
    control: command === null ? null : new RunControl({ command }),
    pageFiles: readPageFiles(),
    token,
    host,
    port: () => port,
    counters: new Counters("oppo_studio"),
    onFault,
    onVisit: () => clearTimeout(ahead),
  });
  const ahead = setTimeout(() => void studio.readAhead().catch(onFault), aheadMilliseconds).unref();
  const { address, close } = await listen(app, { host, port, requestSeconds });
  port = Number(new URL(address).port);
  const numRuns = studio.list().runs.length;
  return {
    address,
    link: `${address}/?token=${token}`,
    numRuns,
    // Pages that watch would hold a clean stop up.
    close: async () => {
      clearTimeout(ahead);
      changes.close();
      xray.close();
      await close({ graceSeconds: 0 });
    },
  };
}
