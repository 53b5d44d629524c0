const tags = new Set(["b", "i", "u", "s", "code", "pre", "a"]);

/** The text that Telegram shows of its HTML; throws what it says of HTML that it does not take. */
export function plainText(html: string): string {
  const open: string[] = [];
  const text = html.replace(
    /<(\/?)([a-z]*)(?: href="tg:\/\/user\?id=\d+")?>|<|>|&(?:(lt|gt|amp|quot|#\d+);)?/g,
    (match, slash, tag, entity) => {
      if (match.startsWith("&")) {
        if (entity === undefined) throw new Error("can't parse entities: unescaped &");
        return "x"; // one character, whichever
      }
      if (typeof tag !== "string" || !tags.has(tag))
        throw new Error(`can't parse entities: Unsupported start tag "${match}"`);
      if (slash === "") open.push(tag);
      else if (open.pop() !== tag) throw new Error(`can't parse entities: Unmatched end tag "${match}"`);
      return "";
    },
  );
  if (open.length > 0)
    throw new Error(`can't parse entities: Can't find end tag corresponding to start tag "${open.at(-1)}"`);
  return text;
}
