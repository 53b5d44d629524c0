import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "vitest";
import type { Machine } from "./machine.js";

/** Debian's: others on PATH may lack anyio. */
export const python = "/usr/bin/python3";

/** Skips a test where Debian's Python or its anyio is missing, and says so; where CI=true it fails instead. */
export function needsPython({ skip }: Pick<TestContext, "skip">): void {
  if (spawnSync(python, ["-c", "import anyio"]).status === 0) return;
  const sentence = `${python} with anyio is missing: apt-get install python3-anyio`;
  if (process.env["CI"] === "true") throw new Error(sentence);
  skip(sentence);
}

/** Takopi's plugin API, as far as a command backend sees it. */
const api = `
from dataclasses import dataclass
from typing import Any

@dataclass(frozen=True, slots=True)
class MessageRef:
    channel_id: int | str
    message_id: int | str
    raw: Any = None
    thread_id: int | str | None = None
    sender_id: int | str | None = None

@dataclass(frozen=True, slots=True)
class CommandContext:
    command: str
    text: str
    args_text: str
    args: tuple
    message: MessageRef
    reply_to: Any
    reply_text: Any
    config_path: Any
    plugin_config: dict
    runtime: Any
    executor: Any

@dataclass(frozen=True, slots=True)
class CommandResult:
    text: str
    notify: bool = True
    reply_to: Any = None

@dataclass(frozen=True, slots=True)
class RenderedMessage:
    text: str
    extra: Any = None
`;

/** What sends for a command: it notes what it sent, and Telegram refuses what is told here. */
const executor = (host: string) => `
import os
from ${host}.api import MessageRef, RenderedMessage

class Executor:
    def __init__(self):
        self.sent = []

    async def send(self, message, *, reply_to=None, notify=True):
        if isinstance(message, str):
            message = RenderedMessage(message)
        if message.extra and os.environ.get("REFUSED") == "by exception":
            raise RuntimeError("refused")
        if message.extra and os.environ.get("REFUSED") == "silently":
            return None
        self.sent.append({"text": message.text, "extra": message.extra, "notify": notify})
        return MessageRef(42, len(self.sent))
`;

/** Asks the shim as Takopi does, one question after the other; `cancel_on` is a pipe: once something is written there, Takopi cancels the command. */
const driver = (host: string, executorModule: string) => `
import json, sys
from pathlib import Path
import anyio
from ${host}.api import CommandContext, CommandResult, MessageRef
from ${executorModule} import Executor
from takopi_ghauth.backend import BACKEND, GhauthBackend

async def ask(asked):
    args = tuple(asked["args"])
    executor = Executor()
    ctx = CommandContext("ghauth", "/ghauth " + " ".join(args), " ".join(args), args,
        MessageRef(asked["channel_id"], 7, thread_id=None, sender_id=asked["sender_id"]), None, None,
        Path(asked["config_path"]), asked["plugin_config"], None, executor)
    backend = BACKEND if asked["headroom"] is None else GhauthBackend(asked["headroom"], asked["silent"])
    result = "cancelled"
    async with anyio.create_task_group() as tasks:
        async def cancel():
            await anyio.to_thread.run_sync(Path(asked["cancel_on"]).read_text)
            tasks.cancel_scope.cancel()
        if asked["cancel_on"]:
            tasks.start_soon(cancel)
        result = await backend.handle(ctx)
    if result == "cancelled":
        return {"cancelled": True}
    if result is None:
        return {"text": None, "sent": executor.sent}
    assert type(result) is CommandResult, type(result)
    return {"text": result.text, "notify": result.notify, **({"sent": executor.sent} if executor.sent else {})}

async def main():
    print(json.dumps([await ask(asked) for asked in json.load(sys.stdin)]))

anyio.run(main)
`;

export type Asked = {
  args?: string[];
  channel_id?: number | string;
  sender_id?: number | string | null;
  plugin_config?: Readonly<Record<string, unknown>>;
  /** Seconds beyond refresh_timeout_seconds. */
  headroom?: number | null;
  /** Seconds until a command that has no answer yet says so. */
  silent?: number;
  cancel_on?: string | null;
};

export type Sent = { text: string; extra: Record<string, unknown> | null; notify: boolean };
export type ShimAnswer = { text: string; notify: boolean; cancelled?: boolean; sent?: Sent[] };

/** The host that the stub stands for: its package, its version, and the module of what sends for its commands. */
export type StubHost = { host?: string; version?: string; executorModule?: string; refused?: string };

/** Installs the stub, the shim and a Python program that asks it questions, in a machine. */
export function installTakopi(
  machine: Machine,
  {
    host = "takopi",
    version = "0.22.3",
    executorModule = `${host}.telegram.commands.executor`,
    refused = "",
  }: StubHost = {},
) {
  const root = join(machine.root, "python", host);
  const parts = executorModule.split(".");
  for (const name of new Set([host, ...parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join("/"))]))
    machine.write(join(root, name, "__init__.py"), "");
  machine.write(join(root, host, "api.py"), api);
  machine.write(join(root, `${parts.join("/")}.py`), executor(host));
  machine.write(
    join(root, `${host}-${version}.dist-info/METADATA`),
    `Metadata-Version: 2.1\nName: ${host}\nVersion: ${version}\n`,
  );
  machine.write(join(root, "driver.py"), driver(host, executorModule));
  const env = {
    PYTHONPATH: `${root}:${join(import.meta.dirname, "../../bridge/src")}`,
    PYTHONDONTWRITEBYTECODE: "1",
    REFUSED: refused,
  };
  const words = [python, "-X", "dev", "-W", "error", join(root, "driver.py")] as const;
  const input = (questions: readonly Asked[]) =>
    JSON.stringify(
      questions.map((asked) => ({
        args: ["status"],
        channel_id: 42,
        sender_id: 42,
        config_path: machine.paths.takopiConfig,
        headroom: null,
        silent: 3,
        cancel_on: null,
        plugin_config: {},
        ...asked,
      })),
    );
  return {
    /** Rejects where the shim raised or printed anything. */
    askAll: async (questions: readonly Asked[]): Promise<ShimAnswer[]> => {
      const { exitCode, stdout, stderr } = await machine.run([...words], { env, input: input(questions) });
      if (exitCode !== 0 || stderr !== "") throw new Error(`the shim raised, or printed:\n${stderr}`);
      return JSON.parse(stdout);
    },
    start: (asked: Asked) => {
      const running = machine.start([...words], { env });
      running.end(input([asked]));
      return running;
    },
  };
}
