import { once } from "node:events";
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { findFreePort } from "./free-port.js";

/** A real redis-server on loopback, which a test may kill and start again; it keeps nothing on disk. */
export async function startRedis(directory: string) {
  const port = await findFreePort();
  const start = async () => {
    const words = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory];
    const child = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface(child.stdout)) if (line.includes("Ready to accept")) break;
    child.stdout.resume();
    return child;
  };
  let server = await start();
  const stop = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGCONT");
    server.kill(signal);
    await once(server, "exit");
  };
  onTestFinished(async () => stop("SIGKILL"));
  return {
    url: `redis://127.0.0.1:${port}/0`,
    kill: async () => stop("SIGKILL"),
    /** It keeps its connections, and answers nothing. */
    freeze: () => server.kill("SIGSTOP"),
    restart: async () => {
      server = await start();
    },
  };
}
