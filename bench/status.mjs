import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { medians, ratioLine } from "./compare.mjs";

/** Cold `ghauth status` against a Node that does nothing. */
export async function benchStatus() {
  const home = mkdtempSync(join(tmpdir(), "ghauth-bench-"));
  try {
    const ghauth = join(import.meta.dirname, "../dist/main.js");
    const [status, bare] = medians(
      [
        [process.execPath, ghauth, "status"],
        [process.execPath, "-e", "0"],
      ],
      {
        rounds: 21,
        options: { env: { PATH: process.env.PATH, HOME: home } },
      },
    );
    return [ratioLine("cold ghauth status", status, { peer: "node -e 0", peerMs: bare })];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
