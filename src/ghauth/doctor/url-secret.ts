import { redact } from "../../token/redact.js";

const address = /(https?:\/\/)([^/@\s"'?#]+)@/gi;

/** Whether a text has an http address with a password or a token in it; `x-access-token@` alone is none. */
export function hasUrlSecret(text: string): boolean {
  return [...text.matchAll(address)].some(
    ([whole, , user = ""]) => /:./.test(user) || redact(whole) !== whole || /^[0-9a-f]{40}$/.test(user),
  );
}

/** The same text, with addresses that name nobody. */
export function withoutUrlUser(text: string): string {
  return text.replaceAll(address, "$1");
}
