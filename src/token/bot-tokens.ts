/** How bot tokens look, for each chat that has them: by this they are told from other text, wherever it comes from. */
export const botTokenPatterns = {
  telegram: /\b(?:bot)?\d{6,12}:[A-Za-z0-9_-]{30,}/,
  discord: /\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}/,
} as const;

export type BotTokenKind = keyof typeof botTokenPatterns;

/** Whether text is a chat bot's token, by its look. */
export function isBotToken(text: string): boolean {
  return Object.values(botTokenPatterns).some((pattern) => pattern.exec(text)?.[0] === text);
}
