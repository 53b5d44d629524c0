import * as z from "zod";
import { GhauthError } from "../errors.js";

/** What the Takopi shim asks, parsed. */
export type ShimRequest = {
  args: string[];
  argsText: string;
  message: { channelId: string; threadId: string | null; senderId: string | null };
  /** The transport of the running Takopi, where the shim told it. */
  transport: string | null;
  /** `[plugins.ghauth]` of the running Takopi. */
  pluginConfig: Readonly<Record<string, unknown>>;
  configPath: string | null;
  /** Whether the answer may come as Telegram's HTML beside its text, with what can be done next. */
  acceptsTelegramHtml: boolean;
};

// Ids may come as numbers, as long as JSON did not round them.
const anId = "an id: text, or a whole number below 2^53";
const id = z.union([z.string(), z.number().refine(Number.isSafeInteger, anId)], anId).transform(String);
const optionalId = id.nullish().transform((value) => value || null);

const schema = z.object({
  v: z.literal(1, "1: install the shim and ghauth of one version"),
  args: z.array(z.string("text"), "a list of words"),
  args_text: z
    .string("text")
    .nullish()
    .transform((text) => text ?? ""),
  channel_id: optionalId,
  thread_id: optionalId,
  sender_id: optionalId,
  transport: z
    .string("a name")
    .nullish()
    .transform((name) => name || null),
  accepts: z.array(z.string("text"), "a list of forms").default(["text"]),
  plugin_config: z.record(z.string(), z.unknown(), "a table").default({}),
  config_path: z
    .string("a path")
    .nullish()
    .transform((path) => path || null),
});

/** Parses a request of the Takopi shim. Throws `config_invalid`, naming what is wrong but quoting nothing. */
export function parseShimRequest(text: string): ShimRequest {
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = issue?.path[0];
    const what =
      key === undefined ? "an object" : `an object whose ${String(key)} is ${issue?.message ?? "other"}`;
    throw new GhauthError("config_invalid", `The request must be ${what}.`);
  }
  const {
    args,
    args_text,
    channel_id,
    thread_id,
    sender_id,
    transport,
    accepts,
    plugin_config,
    config_path,
  } = parsed.data;
  return {
    args,
    argsText: args_text,
    message: { channelId: channel_id ?? "", threadId: thread_id, senderId: sender_id },
    transport,
    pluginConfig: plugin_config,
    configPath: config_path,
    acceptsTelegramHtml: accepts.includes("telegram_html"),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold anything.
    throw new GhauthError("config_invalid", "The request is not JSON.");
  }
}
