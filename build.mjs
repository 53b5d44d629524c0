import { rm } from "node:fs/promises";
import { build } from "esbuild";

// One file per entry and a few shared chunks: a cold start loads 2 or 3 files instead of hundreds.
await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/main.ts", "src/index.ts", "src/refresh/main.ts", "src/ghauth/ghauth-command.ts"],
  outdir: "dist",
  outbase: "src",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: ["execa", "discord.js", "grammy", "@grammyjs/auto-retry", "pino"],
  logLevel: "warning",
});
