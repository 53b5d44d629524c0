import { createHash } from "node:crypto";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type HeldToken, secondsLeft } from "./held-token.js";

export type Metrics = ReturnType<typeof createMetrics>;

/** Prometheus metrics of one broker. No label holds a repository's name. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const mints = new Counter({ name: "ghauth_broker_mints_total", help: "Tokens minted.", registers });
  const served = new Counter({
    name: "ghauth_broker_tokens_served_total",
    help: "Tokens served, by where they came from: mint, store or cache.",
    labelNames: ["from"],
    registers,
  });
  const hits = new Counter({
    name: "ghauth_broker_cache_hits_total",
    help: "Tokens served from memory.",
    registers,
  });
  const errors = new Counter({
    name: "ghauth_broker_errors_total",
    help: "Failures to get a token, by their code.",
    labelNames: ["code"],
    registers,
  });
  const storeUp = new Gauge({
    name: "ghauth_broker_store_up",
    help: "Whether the shared store is reached: 1 or 0; absent without one.",
    labelNames: ["store"],
    registers,
  });
  const durations = new Histogram({
    name: "ghauth_broker_request_duration_seconds",
    help: "How long answers took, by route and status.",
    labelNames: ["route", "status"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 8],
    registers,
  });
  const expiry = new Gauge({
    name: "ghauth_broker_token_expiry_seconds",
    help: "Seconds until a held token expires, by a hash of its scope.",
    labelNames: ["scope"],
    registers,
  });

  // Finding a child by its labels costs more than counting.
  const durationOf = remember((id) => {
    const [route = "", status = ""] = id.split(" ");
    return durations.labels(route, status);
  });
  const servedFrom = remember((from) => served.labels(from));
  return {
    contentType: registry.contentType,
    /** All of it, with the tokens that are held now. */
    render: async (live: [string, HeldToken][], now: Date) => {
      expiry.reset();
      for (const [key, token] of live) expiry.set({ scope: scopeLabel(key) }, secondsLeft(token, now));
      return registry.metrics();
    },
    minted: () => mints.inc(),
    served: (from: string) => {
      servedFrom(from).inc();
      if (from === "cache") hits.inc();
    },
    failed: (code: string) => errors.inc({ code }),
    storeIs: (isUp: boolean) => storeUp.set({ store: "redis" }, isUp ? 1 : 0),
    answered: (route: string, status: number, ms: number) =>
      durationOf(`${route} ${status}`).observe(ms / 1000),
  };
}

function scopeLabel(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 8);
}

function remember<T>(make: (id: string) => T): (id: string) => T {
  const made = new Map<string, T>();
  return (id) => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const fresh = make(id);
    made.set(id, fresh);
    return fresh;
  };
}
