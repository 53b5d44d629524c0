import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { makeDirectory } from "./support/programs.js";

const checkout = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(checkout, path), "utf8");

test("the package brings along what an operator reads and runs, and no sources", () => {
  const { status, stdout } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: checkout,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: makeDirectory() },
  });
  expect(status).toBe(0);
  const [packed]: [{ size: number; files: { path: string }[] }] = JSON.parse(stdout);
  const paths = packed.files.map(({ path }) => path);

  expect(paths).toEqual(
    expect.arrayContaining([
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "takopi.example.toml",
      "dist/THIRD_PARTY_LICENSES",
      "dist/main.js",
      "dist/refresh/main.cjs",
      ...readdirSync(join(checkout, "scripts")).map((name) => `scripts/${name}`),
      ...readdirSync(join(checkout, "systemd")).map((name) => `systemd/${name}`),
      "bridge/pyproject.toml",
      "deploy/Containerfile",
    ]),
  );
  expect(paths.filter((path) => /^(?:src|test|bench|node_modules)\/|__pycache__|\.map$/.test(path))).toEqual(
    [],
  );
  expect(packed.size).toBeLessThan(2_000_000);
});

/** The packages that the bundles in dist tell of themselves: a line above each module's code has its path. */
function packagesInDist(): string[] {
  return readdirSync(join(checkout, "dist"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .flatMap((name) => read(join("dist", name)).match(/^ *\/\/ node_modules\/\S+/gm) ?? [])
    .map((line) => line.trim().slice(3));
}

/** The refresh program is minified: its packages are asked of esbuild. */
async function packagesInRefreshProgram(): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: ["src/refresh/main.ts"],
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    write: false,
    metafile: true,
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter(
      (path) => path.includes("node_modules/") && (inputs[path]?.bytesInOutput ?? 0) > 0,
    ),
  );
}

test("THIRD_PARTY_LICENSES names every package that is bundled, and no other, with the text of its license", async () => {
  const paths = [...packagesInDist(), ...(await packagesInRefreshProgram())];
  const directories = new Set(
    paths.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path),
  );
  const licenses = read("dist/THIRD_PARTY_LICENSES");
  const sections = licenses.split(`${"-".repeat(80)}\n`).slice(1);

  const bundled = [...directories].map((directory) => {
    const { name, version, license } = JSON.parse(read(join(directory, "package.json")));
    return { directory, title: `${name} ${version} (${license})` };
  });
  const titles = sections.flatMap((section) => section.trim().split("\n\n")[0]?.split("\n") ?? []);
  expect(titles.toSorted()).toEqual([...new Set(bundled.map(({ title }) => title))].toSorted());
  expect(bundled.length).toBeGreaterThan(50);
  for (const { directory, title } of bundled) {
    const section = sections.find((text) => text.includes(`\n${title}\n`)) ?? "";
    expect(section).toMatch(/copyright/i);
    for (const file of readdirSync(join(checkout, directory)).filter((name) => /^licen[cs]e/i.test(name))) {
      for (const line of read(join(directory, file)).split("\n")) expect(section).toContain(line.trim());
    }
  }
});

test("a bundled package whose license has no text stops the build, but for the usual one", () => {
  const directory = makeDirectory();
  const render = (manifest: Record<string, string>) => {
    mkdirSync(join(directory, "node_modules/odd"), { recursive: true });
    writeFileSync(join(directory, "node_modules/odd/package.json"), JSON.stringify(manifest));
    writeFileSync(join(directory, "LICENSE"), read("LICENSE"));
    const metafile = { outputs: { "x.js": { inputs: { "node_modules/odd/x.js": { bytesInOutput: 1 } } } } };
    const program = `import { renderThirdPartyLicenses } from ${JSON.stringify(join(checkout, "third-party-licenses.mjs"))};
      process.stdout.write(renderThirdPartyLicenses([${JSON.stringify(metafile)}]));`;
    return spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: directory,
      encoding: "utf8",
    });
  };
  const odd = { name: "odd", version: "1.0.0", author: "A. Uthor <a@example.com>" };

  expect(render({ ...odd, license: "GPL-3.0" }).stderr).toContain(
    "odd brings no text of its license (GPL-3.0) along",
  );
  expect(render({ ...odd, license: "MIT" }).stdout).toContain(
    "odd 1.0.0 (MIT)\n\nMIT License\n\nCopyright (c) A. Uthor\n\nPermission is hereby granted",
  );
});
