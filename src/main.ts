#!/usr/bin/env node
import { ghauth } from "./cli/verbs.js";
import { runProgram } from "./command-line/run-program.js";
import { ownVersion } from "./system/own-package.js";

// A reader that left (`ghauth status | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await runProgram(
  { name: "ghauth", program: ghauth, version: ownVersion },
  process.argv.slice(2),
);
