import type { Reply } from "../takopi/command-backend.js";
import { redact } from "../token/redact.js";
import type { Secret } from "../token/secret.js";
import { readTokenFile } from "../token/token-file.js";
import type { PluginConfig } from "./plugin-config.js";

/** A reply without anything that looks like a credential, and without pieces of the known `secrets`. */
export function redactReply<T extends Reply>(reply: T, secrets: readonly Secret[] = []): T {
  const clean = (text: string) => redact(text, secrets);
  return {
    ...reply,
    text: clean(reply.text),
    ...(reply.title !== undefined && { title: clean(reply.title) }),
    ...(reply.strip !== undefined && { strip: clean(reply.strip) }),
    ...(reply.tail !== undefined && { tail: clean(reply.tail) }),
    ...(reply.notes && { notes: reply.notes.map((note) => clean(note)) }),
    ...(reply.fields && { fields: reply.fields.map((field) => ({ ...field, value: clean(field.value) })) }),
  };
}

/** What the token env file holds now: another program's words may have pieces of it. */
export function heldSecrets({ tokenEnvFile }: PluginConfig): Secret[] {
  const file = readTokenFile(tokenEnvFile);
  return file.type === "token" ? [file.token.secret] : [];
}
