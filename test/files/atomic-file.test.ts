import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { writeFileAtomically } from "../../src/files/atomic-file.js";
import { readTokenFile } from "../../src/token/token-file.js";
import { createRandom } from "../support/random.js";
import { bundle, makeDirectory } from "../support/programs.js";

/** Publishes tokens, one a number, for `times` times; says so after the first. */
const writer = `
  import { writeTokenFile } from "./token/token-file.js";
  import { Secret } from "./token/secret.js";
  const [path = "", times = "0"] = process.argv.slice(2);
  for (let at = 1; at <= Number(times); at++) {
    writeTokenFile(path, { secret: new Secret("ghs_" + String(at).padStart(500, "0")), expiresAt: new Date(1e12 + at * 1000) });
    if (at === 1) console.log("writing");
  }
`;

/** Reads as fast as it can until the file is as the last write left it; says how often, and what was odd. */
const reader = `
  import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
  const [path = "", times = "0"] = process.argv.slice(2);
  let reads = 0;
  let last = 0;
  const odd: string[] = [];
  while (last < Number(times)) {
    const file = openSync(path, "r");
    const text = readFileSync(file, "utf8");
    const mode = fstatSync(file).mode & 0o777;
    closeSync(file);
    reads++;
    const match = /^GITHUB_TOKEN=ghs_(\\d{500})\\nGH_TOKEN=ghs_(\\d{500})\\nGITHUB_TOKEN_EXPIRES_AT=\\S+\\nGITHUB_TOKEN_EXPIRES_EPOCH=(\\d+)\\n$/.exec(text);
    const number = Number(match?.[1]);
    if (match?.[1] !== match?.[2] || Number(match?.[3]) !== 1e9 + number || number < last || mode !== 0o600) {
      odd.push(mode.toString(8) + " " + JSON.stringify(text));
      break;
    }
    last = number;
  }
  console.log(JSON.stringify({ reads, odd }));
`;

test("a reader in a tight loop sees whole files of mode 0600 during 1,000 publishes", async () => {
  const path = join(makeDirectory(), "github-token.env");
  const publishes = "1000";
  const [writes, reads] = await Promise.all([bundle(writer), bundle(reader)]);
  const writing = spawn(process.execPath, [writes, path, publishes], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(writing.stdout, "data");
  const reading = spawn(process.execPath, [reads, path, publishes], { stdio: ["ignore", "pipe", "inherit"] });

  const seen: unknown = JSON.parse(await text(reading.stdout));

  expect(seen).toEqual({ reads: expect.any(Number), odd: [] });
  expect(seen).toHaveProperty(
    "reads",
    expect.toSatisfy((times) => times > 100),
  );
});

const kills = 10;

test("a SIGKILL at any moment leaves a whole file, and its scratch goes with a later write", async () => {
  const random = createRandom(1);
  const directory = makeDirectory();
  const path = join(directory, "github-token.env");
  const writes = await bundle(writer);
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(process.execPath, [writes, path, "1000000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    setTimeout(() => child.kill("SIGKILL"), random() * 20);
    await once(child, "exit");

    expect(readTokenFile(path)).toMatchObject({ type: "token", mode: 0o600 });
    expect(readdirSync(directory).length).toBeLessThanOrEqual(kill + 2);
  }
  for (const name of readdirSync(directory)) makeOld(join(directory, name));
  writeFileAtomically(path, "GITHUB_TOKEN=ghs_next\n");

  expect(readdirSync(directory)).toEqual(["github-token.env"]);
});

function makeOld(path: string): void {
  const hourAgo = new Date(Date.now() - 3_600_000);
  utimesSync(path, hourAgo, hourAgo);
}

test("scratch is cleared up once it is old: until then it may be that of another container's process", () => {
  const directory = makeDirectory();
  const path = join(directory, "token");
  const scratch = ".token.999999999.0123abcd.tmp";
  const others = ["token.tmp", ".token.tmp", ".token.1.tmp", ".other.999999999.0123abcd.tmp"];
  for (const name of [scratch, ...others]) writeFileSync(join(directory, name), "");

  writeFileAtomically(path, "one");
  expect(readdirSync(directory).sort()).toEqual([...others, scratch, "token"].sort());

  for (const name of [scratch, ...others]) makeOld(join(directory, name));
  writeFileAtomically(path, "two");
  expect(readdirSync(directory).sort()).toEqual([...others, "token"].sort());
});

test("a directory that is named like old scratch is nobody's scratch, and is left alone", () => {
  const directory = makeDirectory();
  const theirs = join(directory, ".token.999999999.0123abcd.tmp");
  mkdirSync(theirs);
  writeFileSync(join(theirs, "photo.jpg"), "");
  makeOld(theirs);

  writeFileAtomically(join(directory, "token"), "one");

  expect(readdirSync(theirs)).toEqual(["photo.jpg"]);
});

test("a symbolic link at the target is replaced, and what it pointed to is left alone", () => {
  const directory = makeDirectory();
  const [path, theirs] = [join(directory, "token"), join(directory, "theirs")];
  writeFileSync(theirs, "precious", { mode: 0o644 });
  symlinkSync(theirs, path);

  writeFileAtomically(path, "new");

  expect(lstatSync(path).isSymbolicLink()).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readFileSync(theirs, "utf8")).toBe("precious");
});

test("a file of a loose mode is replaced by one of 0600, in a directory that is made 0700", () => {
  const directory = join(makeDirectory(), "deep", "down");
  const path = join(directory, "token");
  writeFileAtomically(path, "one");
  expect(statSync(directory).mode & 0o777).toBe(0o700);

  writeFileSync(path, "two", { mode: 0o644 });
  writeFileAtomically(path, "three");

  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a target that is a directory is an error, and no scratch stays", () => {
  const directory = makeDirectory();
  const path = join(directory, "token");
  mkdirSync(path);

  expect(() => writeFileAtomically(path, "new")).toThrow("EISDIR");
  expect(readdirSync(directory)).toEqual(["token"]);
  expect(existsSync(join(path, "token"))).toBe(false);
});
