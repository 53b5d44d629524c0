import { rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { renderThirdPartyLicenses } from "./third-party-licenses.mjs";

const common = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  logLevel: "warning",
  metafile: true,
};

const parser = "command-line/parse-words";
const parserApart = {
  name: "parser-apart",
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/parse-words\.js$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: `../${parser}.cjs`, external: true } : undefined,
    );
  },
};

await rm("dist", { recursive: true, force: true });
// All that the program needs is in dist, so that it runs wherever it is put.
// One file per entry and a few shared chunks: a cold start loads 2 or 3 files instead of hundreds.
const modules = await build({
  ...common,
  entryPoints: ["src/main.ts", "src/index.ts", "src/ghauth/ghauth-command.ts"],
  outdir: "dist",
  outbase: "src",
  chunkNames: "chunks/[name]-[hash]",
  splitting: true,
  format: "esm",
  // What speeds up Discord's connection where it is installed; nobody needs it.
  external: ["zlib-sync", "bufferutil", "utf-8-validate"],
  // CommonJS modules among the dependencies call require(), which an ES module does not have.
  banner: {
    js: 'import { createRequire as ghauthCreateRequire } from "node:module"; const require = ghauthCreateRequire(import.meta.url);',
  },
});
// One CommonJS file each without import(): it starts 15 ms sooner than the same program as ES modules. The parser of
// options is a file of its own, so that the timer, which gives none, need not read it.
const programs = await Promise.all(
  ["refresh/main", "git/main", parser].map(async (name) =>
    build({
      ...common,
      entryPoints: [`src/${name}.ts`],
      outfile: `dist/${name}.cjs`,
      format: "cjs",
      supported: { "dynamic-import": false },
      plugins: [parserApart],
      minify: true,
    }),
  ),
);

const metafiles = [modules, ...programs].map(({ metafile }) => metafile);
await writeFile("dist/THIRD_PARTY_LICENSES", renderThirdPartyLicenses(metafiles));
