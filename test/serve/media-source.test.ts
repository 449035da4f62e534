// Where media may come from: what is no medium, too large, outside of the allowed folder or on a private network is refused.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createCanvas } from "@napi-rs/canvas";
import { decodeFrames } from "../../src/media/isolated/index.ts";
import type { MediaPart } from "../../src/serve/model/chat-call.ts";
import { fetchMedia, isPublicAddress } from "../../src/serve/model/media/fetch-media.ts";
import { type MediaPolicy, placeMedia } from "../../src/serve/model/media/media-source.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const closed: MediaPolicy = { allowedFolder: null, allowsFetch: false, maxBytes: 1000 };
const signal = new AbortController().signal;

function part(url: string, kind: MediaPart["kind"] = "video"): MediaPart {
  return { kind, url, withSound: false, fps: null, numFrames: null };
}

describe("placeMedia", () => {
  test("writes data URLs for as long as they are needed", async (t) => {
    const folder = temporaryFolder(t);
    const bytes = Buffer.from("not really a video");
    {
      await using placed = await placeMedia(
        [part(`data:video/mp4;base64,${bytes.toString("base64")}`), part("data:audio/wav;base64,AAAA", "audio")],
        closed,
        folder,
        signal,
      );
      const [video, audio] = placed.files;
      assert.ok(video?.kind === "video" && audio?.kind === "audio");
      assert.deepEqual(readFileSync(video.path), bytes);
      assert.equal(readFileSync(audio.path).length, 3);
      await using again = await placeMedia(
        [part("data:audio/wav;base64,AAAA", "audio"), part("data:audio/wav;base64,AAAB", "audio")],
        closed,
        folder,
        signal,
      );
      const keys = again.files.map(({ key }) => key);
      assert.equal(keys[0], audio.key, "the same content");
      assert.notEqual(keys[1], audio.key);
      const sounding = { ...part(`data:video/mp4;base64,${bytes.toString("base64")}`), withSound: true };
      await using heard = await placeMedia([sounding], closed, folder, signal);
      assert.notEqual(heard.files[0]!.key, video.key, "read in another way");
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  test("takes frames as vLLM does: base64 of pictures, joined by commas", async (t) => {
    const folder = temporaryFolder(t);
    await using placed = await placeMedia([part("data:video/jpeg;base64,AAAA,BBBB,CCCC")], closed, folder, signal);
    const [frames] = placed.files;
    assert.ok(frames?.kind === "frames");
    assert.equal(frames.paths.length, 3);
  });

  test("refuses what is none, too large or not allowed, and leaves nothing behind", async (t) => {
    const folder = temporaryFolder(t);
    const good = "data:video/mp4;base64,AAAA";
    const cases: [string, string, RegExp][] = [
      ["data:image/png;base64,AAAA", "ERR_MEDIA_URL", /expected "data:video\/\.\.\.;base64/],
      ["data:video/mp4,AAAA", "ERR_MEDIA_URL", /base64/],
      ["data:video/mp4;base64,", "ERR_MEDIA_URL", /expected base64, got nothing/],
      ["data:video/mp4;base64,A*B!", "ERR_MEDIA_URL", /letters that are none/],
      [`data:video/mp4;base64,${"A".repeat(2000)}`, "ERR_REQUEST_MEDIA", /at most 1000 bytes, got 1500/],
      ["data:video/jpeg;base64,AAAA", "ERR_MEDIA_URL", /2 to 768 frames, got 1/],
      ["file:///etc/passwd", "ERR_MEDIA_URL", /--allow-media/],
      ["http://example.com/a.mp4", "ERR_MEDIA_URL", /--allow-fetch/],
      ["ftp://example.com/a.mp4", "ERR_MEDIA_URL", /got ftp:/],
      ["clip.mp4", "ERR_MEDIA_URL", /got none/],
    ];
    for (const [url, code, message] of cases) {
      await assert.rejects(placeMedia([part(good), part(url)], closed, folder, signal), { code, message }, url);
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  test("files: below the folder only, wherever links lead", async (t) => {
    const folder = temporaryFolder(t);
    const allowed = join(folder, "allowed");
    mkdirSync(allowed);
    mkdirSync(join(folder, "allowed-not"));
    for (const name of ["allowed/in.mp4", "secret.mp4", "allowed-not/x.mp4"]) writeFileSync(join(folder, name), "data");
    symlinkSync(join(folder, "secret.mp4"), join(allowed, "link.mp4"));
    writeFileSync(join(allowed, "big.mp4"), Buffer.alloc(2000));
    const policy = { ...closed, allowedFolder: allowed };
    const place = (url: string) => placeMedia([part(url)], policy, folder, signal);
    const url = (path: string) => pathToFileURL(join(folder, path)).href;
    const inside = (await place(url("allowed/in.mp4"))).files[0]!;
    assert.ok(inside.kind === "video" && inside.path.endsWith("in.mp4"));
    const outside = { code: "ERR_MEDIA_URL", message: /below the folder of --allow-media, got none there/ };
    const others = ["secret.mp4", "allowed/../secret.mp4", "allowed/link.mp4", "allowed-not/x.mp4", "allowed/no.mp4"];
    for (const path of others) await assert.rejects(place(url(path)), outside, path);
    await assert.rejects(place(pathToFileURL(allowed).href), outside);
    await assert.rejects(place("file:///etc/passwd%00.mp4"), outside);
    await assert.rejects(place(url("allowed/big.mp4")), { code: "ERR_REQUEST_MEDIA", status: 413 });
  });
});

describe("fetchMedia", () => {
  test("public addresses only, however they are written", async () => {
    const hidden = ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1"];
    const six = ["::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"];
    for (const address of [...hidden, ...six, "name"]) assert.equal(isPublicAddress(address), false, address);
    for (const address of ["8.8.8.8", "93.184.216.34", "2606:4700::1111"]) assert.ok(isPublicAddress(address), address);
    const refused = { code: "ERR_MEDIA_URL", message: /public address/ };
    for (const host of ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "localhost"]) {
      await assert.rejects(fetchMedia(`http://${host}:9/x`, { maxBytes: 9, signal }), refused, host);
    }
  });

  test("bounded in bytes and redirects, and a redirect is checked as the first address is", async () => {
    const server = createServer((request, response) => {
      if (request.url === "/loop") response.writeHead(302, { location: "/loop" }).end();
      else if (request.url === "/inward") response.writeHead(302, { location: "http://127.0.0.2/x" }).end();
      else if (request.url === "/moved") response.writeHead(301, { location: "/clip" }).end();
      else if (request.url === "/none") response.writeHead(404).end();
      else response.end("0123456789");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const options = { maxBytes: 10, signal, isAllowed: (address: string) => address === "127.0.0.1" };
    try {
      assert.equal((await fetchMedia(`${base}/clip`, options)).toString(), "0123456789");
      assert.equal((await fetchMedia(`${base}/moved`, options)).toString(), "0123456789");
      const cases: [string, RegExp][] = [
        ["/loop", /at most 3 redirects/],
        ["/inward", /expected a public address, got a private one/],
        ["/none", /status 200, got 404/],
      ];
      for (const [path, message] of cases) {
        await assert.rejects(fetchMedia(base + path, options), { code: "ERR_MEDIA_URL", message }, path);
      }
      await assert.rejects(fetchMedia(`${base}/clip`, { ...options, maxBytes: 9 }), { message: /at most 9 bytes/ });
      const stop = AbortSignal.abort();
      await assert.rejects(fetchMedia(`${base}/clip`, { ...options, signal: stop }), { code: "ERR_MEDIA_URL" });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("frames that were sampled already", () => {
  /** Sizes stay. */
  const fit = { fps: 2, minFrames: 4, maxFrames: 768 };
  const picture = (folder: string, name: string, width: number, colour: string) => {
    const canvas = createCanvas(width, 2);
    const context = canvas.getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, width, 2);
    writeFileSync(join(folder, name), canvas.toBuffer("image/png"));
    return join(folder, name);
  };

  test("gives the frames of one clip, exactly for PNG", async (t) => {
    const folder = temporaryFolder(t);
    const paths = [picture(folder, "a", 3, "rgb(1, 2, 3)"), picture(folder, "b", 3, "rgb(250, 0, 7)")];
    const clip = await decodeFrames(paths, { fps: 4, fit });
    assert.deepEqual([clip.numFrames, clip.width, clip.height, clip.fps, clip.durationSeconds], [2, 3, 2, 4, 0.5]);
    assert.equal(clip.frames.length, 2 * 3 * 2 * 3);
    assert.deepEqual([...clip.frames.subarray(0, 3), ...clip.frames.subarray(-3)], [1, 2, 3, 250, 0, 7]);
  });

  test("refuses what is no picture or of another size", async (t) => {
    const folder = temporaryFolder(t);
    const paths = [picture(folder, "a", 3, "red"), picture(folder, "b", 4, "red")];
    await assert.rejects(decodeFrames(paths, { fps: 2, fit }), {
      code: "ERR_MEDIA_INVALID",
      message: /frame 1 of 3 x 2.*got 4 x 2/,
    });
    writeFileSync(join(folder, "c"), "this is no picture at all, whatever it says");
    await assert.rejects(decodeFrames([join(folder, "c")], { fps: 2, fit }), { code: "ERR_MEDIA_INVALID" });
  });
});
