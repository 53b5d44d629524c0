import { createPublicKey } from "node:crypto";
import { text } from "node:stream/consumers";
import { build } from "esbuild";

// A GitHub for the bench, in a process of its own; stdin says which App it knows, stdout where it listens.
const { id, installationId, publicKey, repositories = ["site"] } = JSON.parse(await text(process.stdin));
const {
  outputFiles: [bundle],
} = await build({
  entryPoints: [new URL("../src/stand-in/github-stand-in.ts", import.meta.url).pathname],
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const source = `data:text/javascript;base64,${Buffer.from(bundle.contents).toString("base64")}`;
const { createGitHubStandIn } = await import(source);
const gitHub = createGitHubStandIn({
  apps: [
    {
      id,
      clientId: "Iv23liExampleExample",
      slug: "example-app",
      publicKey: createPublicKey(publicKey),
      permissions: { contents: "write", metadata: "read" },
    },
  ],
  installations: [
    {
      id: installationId,
      appId: id,
      account: { login: "acme", type: "Organization" },
      repositories,
    },
  ],
});
process.stdout.write(`${await gitHub.listen()}\n`);
