import { StringDecoder } from "node:string_decoder";
import { type ProcessEnd, type ProcessGroupOptions, runProcessGroup } from "./run-in-group.js";

export type CommandResult = ProcessEnd & { stdout: string; stderr: string };

const largestOutput = 1_048_576;

/** Runs a program as runProcessGroup does, and keeps up to 1 MB of each of its streams. */
export async function runCommand(
  words: readonly [string, ...string[]],
  options: Omit<ProcessGroupOptions, "onOutput">,
): Promise<CommandResult> {
  const output = { stdout: "", stderr: "" };
  const decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  const end = await runProcessGroup(words, {
    ...options,
    onOutput: (stream, chunk) => {
      if (output[stream].length < largestOutput) output[stream] += decoders[stream].write(chunk);
    },
  });
  return { ...end, ...output };
}
