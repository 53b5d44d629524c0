import { createInterface } from "node:readline";
import { type CommandResult, terminalChannel } from "../../takopi/command-backend.js";
import type { Dispatch } from "../../takopi/dispatch.js";
import type { TransportService } from "../../takopi/transport.js";
import { completeLine, isFarewell } from "./complete-line.js";

/** Streams that may be a terminal: `isTTY` is absent on others. */
export type ConsoleStreams = {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean };
};

/**
 * Answers lines from a terminal, one by one, until its input ends, a line says `exit`, or `signal` aborts: with a prompt
 * and completion where both ends are a terminal. Resolves with how many lines there were.
 */
export async function runConsole(
  { input, output }: ConsoleStreams,
  { dispatch, commands }: Pick<TransportService, "dispatch" | "commands">,
  signal: AbortSignal,
): Promise<number> {
  const isTerminal = input.isTTY === true && output.isTTY === true;
  const lines = createInterface({
    input,
    output,
    terminal: isTerminal,
    prompt: "> ",
    signal,
    completer: (line: string) => completeLine(line, commands),
  });
  // A terminal that is read key by key gives Ctrl-C as a key: here it means what it means elsewhere.
  lines.on("SIGINT", () => {
    output.write("\n");
    process.kill(process.pid, "SIGINT");
  });
  let isOpen = true;
  lines.once("close", () => (isOpen = false));
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  let count = 0;
  if (isTerminal) lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") count++;
    if (isFarewell(line)) break;
    if (line.trim() !== "") await Promise.race([answer(line, { dispatch, output }), aborted]);
    if (signal.aborted) break;
    if (isTerminal && isOpen) lines.prompt();
  }
  lines.close();
  return count;
}

/** Dispatches one line and prints what comes, as it comes. */
export async function answer(
  text: string,
  { dispatch, output }: { dispatch: Dispatch; output: NodeJS.WritableStream },
): Promise<CommandResult | undefined> {
  const print = (reply: { text: string }) => void output.write(`${reply.text}\n\n`);
  const result = await dispatch({
    text,
    message: { channelId: terminalChannel, messageId: null, threadId: null, senderId: null, raw: null },
    replyTo: null,
    replyText: null,
    executor: {
      send: async (reply) => {
        print(reply);
        return null;
      },
      edit: async (_message, reply) => print(reply),
    },
  });
  if (result) print(result);
  return result;
}
