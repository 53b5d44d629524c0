/**
 * How bot tokens look, for each chat that has them: by this they are told from other text, wherever it comes from.
 * Beside the whole form, each is known by its head: Telegram's secrets begin with `AA`, Discord's with the bot's id,
 * 17 to 20 digits in base64.
 */
export const botTokenPatterns = {
  telegram: /(?:bot)?(?:\d{8,12}:AA[A-Za-z0-9_-]{6,}|\d{6,12}:[A-Za-z0-9_-]{30,})/,
  discord:
    /(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5,6}[A-Za-z0-9]{0,3}\.[A-Za-z0-9._-]{8,}|[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}/,
} as const;

export type BotTokenKind = keyof typeof botTokenPatterns;

/** Whether text is a chat bot's token, by its look. */
export function isBotToken(text: string): boolean {
  return Object.values(botTokenPatterns).some((pattern) => pattern.exec(text)?.[0] === text);
}
