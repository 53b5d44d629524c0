import type { Reply, ReplyField } from "../takopi/command-backend.js";

/** What a subcommand shows. */
export type Page = {
  title: string;
  level: NonNullable<Reply["level"]>;
  /** Lines that draw a picture. */
  strip?: string;
  fields?: readonly ReplyField[];
  notes?: readonly string[];
  /** The end of a program's output. */
  tail?: string;
  /** What a chat offers as buttons; refresh unless given. */
  actions?: NonNullable<Reply["actions"]>;
};

/** A page as a reply whose plain text says all that its parts say. */
export function renderPage({
  title,
  level,
  strip = "",
  fields = [],
  notes = [],
  tail = "",
  actions = ["refresh"],
}: Page): Reply {
  const lines = [
    title,
    ...(strip === "" ? [] : [strip]),
    ...fields.map(({ name, value }) => `${name}: ${value}`),
    ...notes.map((note) => `- ${note}`),
  ];
  if (tail !== "") lines.push("output:", tail);
  const text = lines.join("\n");
  return {
    text,
    title,
    level,
    fields,
    notes,
    actions,
    ...(strip !== "" && { strip }),
    ...(tail !== "" && { tail }),
  };
}
