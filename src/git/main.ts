#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { toGhauthError } from "../errors.js";
import { redact } from "../token/redact.js";
import { runAction } from "./actions.js";

process.umask(0o077); // whatever ours was: what this program makes is for its user alone

// Whoever started us may be gone.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

// At once: tearing Node down in good order takes 5 ms more, and nothing is left to do.
const [action = ""] = process.argv.slice(2);
runAction(action, {
  env: process.env,
  readInput: () => readFileSync(0, "utf8"),
  say: (stream, text) => void process[stream].write(text),
}).then(
  (exitCode) => process.exit(exitCode),
  (thrown: unknown) => {
    const { message } = toGhauthError(thrown);
    process.stderr.write(`git-credential-ghauth: ${redact(message)}\n`);
    process.exit(1); // git then asks its next helper
  },
);
