import { rm } from "node:fs/promises";
import { build } from "esbuild";

const common = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  external: ["execa"],
  logLevel: "warning",
};

await rm("dist", { recursive: true, force: true });
// One CommonJS file without import(): it starts 15 ms sooner than the same program as ES modules.
await build({
  ...common,
  entryPoints: ["src/refresh/main.ts"],
  outfile: "dist/refresh/main.cjs",
  format: "cjs",
  supported: { "dynamic-import": false },
  minifyWhitespace: true,
});
