/** Values that README and takopi.example.toml show. Somebody may have one of the numbers in earnest. */
const examples: Readonly<Record<string, readonly string[]>> = {
  GITHUB_APP_ID: ["123456"],
  GITHUB_APP_INSTALLATION_ID: ["987654"],
  chat_id: ["-1001234567890"],
  allowed_user_ids: ["42"],
  guild_id: ["123456789012345678"],
  allowed_role_ids: ["123456789012345679"],
};

/**
 * The keys of a table of settings that still have an example's value: `unfit` those that nobody can mean, `shown` those
 * whose number somebody may have in earnest.
 */
export function findExamples(table: Readonly<Record<string, unknown>>): { unfit: string[]; shown: string[] } {
  const values = Object.entries(table).map(([key, value]) => ({
    key,
    texts: (Array.isArray(value) ? value : [value]).map(String),
  }));
  const unfit = values.filter(({ texts }) => texts.some((text) => isPlaceholder(text)));
  const shown = values.filter(
    ({ key, texts }) => texts.length > 0 && texts.every((text) => examples[key]?.includes(text) === true),
  );
  return { unfit: unfit.map(({ key }) => key), shown: shown.map(({ key }) => key) };
}

/** `...`, `<your token>`, `YOUR_TOKEN`, `changeme`: what stands where a value is to be put in. */
function isPlaceholder(value: string): boolean {
  return /^(?:\.{3}|…|<.*>|your[-_ ].*|change[-_ ]?me|x{3,}|todo|path|variable|secret)$/i.test(value.trim());
}
