import { createInterface } from "node:readline";
import { type CommandResult, terminalChannel } from "../../takopi/command-backend.js";
import type { Dispatch } from "../../takopi/dispatch.js";

/** Streams that may be a terminal: `isTTY` is absent on others. */
export type ConsoleStreams = {
  input: NodeJS.ReadableStream & { isTTY?: boolean };
  output: NodeJS.WritableStream & { isTTY?: boolean };
};

/**
 * Answers lines from a terminal, one by one, until its input ends: with a prompt where both ends are a terminal.
 * Resolves with how many lines were answered.
 */
export async function runConsole(
  { input, output }: ConsoleStreams,
  dispatch: Dispatch,
  signal?: AbortSignal,
): Promise<number> {
  const isTerminal = input.isTTY === true && output.isTTY === true;
  const lines = createInterface({
    input,
    output,
    terminal: isTerminal,
    prompt: "> ",
    ...(signal && { signal }),
  });
  let answered = 0;
  if (isTerminal) lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") {
      await answer(line, { dispatch, output });
      answered++;
    }
    if (isTerminal) lines.prompt();
  }
  return answered;
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
