import type { TransportService } from "../takopi/host.js";
import type { Secret } from "../token/secret.js";
export async function runDiscord(
  _deps: { botToken: Secret; apiRoot: string | null },
  _service: TransportService,
  _signal: AbortSignal,
): Promise<void> {
  await Promise.reject(new Error("soon"));
}
