import { epochSeconds } from "./github-answers.js";
import type { AppPermissions, StandInApp, StandInInstallation } from "./stand-in-apps.js";

/** `long` is `ghs_<APPID>_<JWT>` of about 520 characters; `short` is `ghs_` and 36 alphanumerics. */
export type TokenFormat = "long" | "short";

/** What a token reaches; `isNarrowed` when the request named repositories. */
export type TokenScope = { permissions: AppPermissions; repositories: string[]; isNarrowed: boolean };

/** What is minted: a token of this app's installation, with this reach. */
type Grant = { app: StandInApp; installation: StandInInstallation; scope: TokenScope };

/** A token that was minted; `refusedUses` is how many uses will still be refused (replication lag). */
export type MintedToken = Grant & {
  token: string;
  expiresAt: Date;
  isRevoked: boolean;
  refusedUses: number;
};

/** Where the randomness of tokens comes from. */
export type RandomBytes = (size: number) => Uint8Array;

/** Every token ever minted; `find` and `live` leave out the expired and the revoked. */
export type TokenRegister = {
  mint(grant: Grant): MintedToken;
  find(token: string): MintedToken | undefined;
  live(): MintedToken[];
  revoke(token: string): void;
  setFormat(format: TokenFormat): void;
  /** How many first uses of each token minted from now on are refused. */
  setLag(uses: number): void;
  /** Refuses no more uses, of older tokens neither. */
  endLag(): void;
  readonly mints: number;
};

const lifeMs = 60 * 60 * 1000;
const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Minting never touches older tokens: each lives its hour by `now`, GitHub's clock. */
export function createTokenRegister({
  now,
  random,
}: {
  now: () => Date;
  random: RandomBytes;
}): TokenRegister {
  const minted = new Map<string, MintedToken>();
  let format: TokenFormat = "long";
  let lag = 0;
  let mints = 0;

  const isLive = ({ isRevoked, expiresAt }: MintedToken): boolean => !isRevoked && now() < expiresAt;

  return {
    mint(grant) {
      const issuedAt = new Date(epochSeconds(now()) * 1000);
      const expiresAt = new Date(issuedAt.getTime() + lifeMs);
      mints += 1;
      const token = format === "short" ? shortToken(random) : longToken(random, grant, issuedAt);
      const fresh = { ...grant, token, expiresAt, isRevoked: false, refusedUses: lag };
      minted.set(token, fresh);
      return fresh;
    },
    find(token) {
      const known = minted.get(token);
      return known !== undefined && isLive(known) ? known : undefined;
    },
    live: () => [...minted.values()].filter(isLive),
    revoke(token) {
      const known = minted.get(token);
      if (known !== undefined) known.isRevoked = true;
    },
    setFormat(wanted) {
      format = wanted;
    },
    setLag(uses) {
      lag = uses;
    },
    endLag() {
      lag = 0;
      for (const known of minted.values()) known.refusedUses = 0;
    },
    get mints() {
      return mints;
    },
  };
}

function shortToken(random: RandomBytes): string {
  return `ghs_${Array.from(random(36), (byte) => alphanumerics[byte % alphanumerics.length]).join("")}`;
}

/** The JWT is shaped like one and signed by nobody: to clients it is opaque. */
function longToken(random: RandomBytes, { app, installation }: Grant, issuedAt: Date): string {
  const iat = epochSeconds(issuedAt);
  const header = { typ: "JWT", alg: "RS256" };
  const payload = {
    iss: "github",
    iat,
    exp: iat + lifeMs / 1000,
    iid: installation.id,
    jti: Buffer.from(random(16)).toString("hex"),
  };
  const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signature = Buffer.from(random(256)).toString("base64url");
  return `ghs_${app.id}_${parts.join(".")}.${signature}`;
}
