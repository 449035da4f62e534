// The studio: the frame around its rooms. An address says which room and what it shows.
import { render } from "preact";
import { useState } from "preact/hooks";
import { type Address, addressText, go, parseAddress, useAddress } from "./address.ts";
import { askAhead } from "./ahead.ts";
import { DataRoom } from "./data/data-room.tsx";
import { KeyHelp } from "./key-help.tsx";
import { useKeys } from "./keys.ts";
import { RolloutsRoom } from "./rollouts/rollouts-room.tsx";
import { RunsRoom } from "./runs/runs-room.tsx";
import { ask } from "./server.ts";
import { nextTheme, showTheme, type Theme, themeOf } from "./theme.ts";
import { XrayRoom } from "./xray/xray-room.tsx";

const rooms = [
  { name: "runs", title: "Runs", key: "1" },
  { name: "rollouts", title: "Rollouts", key: "2" },
  { name: "xray", title: "X-ray", key: "3" },
  { name: "data", title: "Data", key: "4" },
] as const;

function App() {
  const address = useAddress();
  const [theme, setTheme] = useState<Theme>(themeOf);
  const [isHelpOpen, setHelpOpen] = useState(false);
  // A run stays chosen from room to room; the room of data is about a corpus.
  const idIn = (room: string) => ((room === "data") === (address.room === "data") ? address.id : "");
  const open = (room: string) => go({ room, id: idIn(room), choices: {} });
  useKeys({
    ...Object.fromEntries(rooms.map(({ name, key }) => [key, () => open(name)])),
    "?": () => setHelpOpen(!isHelpOpen),
    Escape: () => setHelpOpen(false),
  });
  const changeTheme = () => {
    const next = nextTheme(theme);
    showTheme(next);
    setTheme(next);
  };
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        To the content
      </button>
      <header class="bar">
        <strong class="brand">oppo studio</strong>
        <nav aria-label="Rooms">
          {rooms.map(({ name, title, key }) => (
            <a
              key={name}
              href={addressText({ room: name, id: idIn(name), choices: {} })}
              aria-current={address.room === name ? "page" : undefined}
              title={`key ${key}`}
            >
              {title}
            </a>
          ))}
        </nav>
        <button type="button" class="quiet" onClick={changeTheme} title="light, dark, or as the system has it">
          theme: {theme}
        </button>
        <button type="button" class="quiet" onClick={() => setHelpOpen(true)} title="key ?">
          keys
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Room address={address} />
      </main>
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
    </>
  );
}

function Room({ address }: { readonly address: Address }) {
  if (address.room === "data") return <DataRoom address={address} />;
  if (address.room === "rollouts") return <RolloutsRoom address={address} />;
  return address.room === "xray" ? <XrayRoom address={address} /> : <RunsRoom address={address} />;
}

function skip(): void {
  document.getElementById("main")?.focus();
}

// Every room but one begins with the list of runs: its answer comes while the page is made.
if (parseAddress(location.hash).room !== "data") askAhead(ask, { path: "/api/runs", isOnce: true });
showTheme(themeOf());
render(<App />, document.getElementById("app")!);
