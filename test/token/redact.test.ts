import { generateKeyPairSync, randomBytes } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { detectors, redact } from "../../src/token/redact.js";
import { Secret } from "../../src/token/secret.js";
import { createRandom } from "../support/random.js";

const words = (size: number) => randomBytes(size).toString("base64url");
const base64Of = (text: string) => Buffer.from(text).toString("base64");
const jwtHeader = Buffer.from('{"alg":"RS256","typ":"JWT"}').toString("base64url");

/** Two of them, of one App, begin with the same 50 characters. */
function createJwt(): string {
  const claims = Buffer.from(JSON.stringify({ iat: 1, jti: words(24), iss: "123456" })).toString("base64url");
  return `${jwtHeader}.${claims}.${words(256)}`;
}
const createToken = () => `ghs_123456_${createJwt()}`;

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const bodyOf = (key: string) => key.split("\n").slice(1, -2).join("\n");
const discordId = base64Of("123456789012345678");

/** For each detector what it finds, told from the secret in it that must not come through. */
const samples: Record<string, [what: string, secret: string, label?: string][]> = {
  "PEM block": [
    ["a private key", pem],
    ["a PKCS#8 private key", pkcs8],
    ["a private key on one line", pem.replaceAll("\n", "\\n")],
    ["a private key without its end", pem.slice(0, 900)],
    ["a private key without its beginning", pem.slice(300)],
    ["a private key whose BEGIN was cut", pem.slice(4)],
    ["a private key whose END was cut", pem.slice(300, -21)],
    ["a private key with blanks for line breaks", pem.replaceAll("\n", " ")],
    ["the end of a private key, with blanks for line breaks", pem.slice(300).replaceAll("\n", " ")],
  ],
  "private key without BEGIN": [
    ["a private key's body", bodyOf(pem)],
    ["a PKCS#8 private key's body", bodyOf(pkcs8)],
  ],
  "PEM block in base64": [["a private key in base64", base64Of(pem)]],
  "Authorization header": [
    ["an Authorization header", words(24), "authorization: token "],
    ["an Authorization header without a scheme", words(24), "Authorization: "],
    ["an Authorization header in JSON", words(24), '"authorization":"Bearer '],
    ["a basic Authorization header", base64Of(`x:${words(24)}`), "Proxy-Authorization: Basic "],
  ],
  "bearer or basic credentials": [
    ["a bearer", words(24), "Bearer "],
    ["basic credentials", base64Of(`x:${words(24)}`), "basic "],
  ],
  "GitHub token": [
    ["a short installation token", `ghs_${words(27).replace(/[-_]/g, "x")}`],
    ["a long installation token", createToken()],
    ["a long installation token that was cut", createToken().slice(0, 60)],
    ["a personal access token", `ghp_${"a1B2".repeat(9)}`],
    ["an OAuth token", `gho_${"a1B2".repeat(9)}`],
    ["a user-to-server token", `ghu_${"a1B2".repeat(9)}`],
    ["a refresh token", `ghr_${"a1B2".repeat(19)}`],
  ],
  "fine-grained token": [["a fine-grained token", `github_pat_11${"A1b2".repeat(5)}_${"c3D4".repeat(14)}`]],
  "broker's bearer token": [["a bearer token of our broker", `ghauthb_${words(32)}`]],
  "GitHub token in base64": [
    ["a token in base64", base64Of(`ghs_${words(27)}`)],
    ["a token with its user name in base64", base64Of(`x-access-token:ghs_${words(27)}`)],
  ],
  JWT: [
    ["an App JWT", createJwt()],
    ["an App JWT that was cut", createJwt().slice(0, 90)],
    ["an App JWT without its beginning", createJwt().slice(jwtHeader.length + 1), `${jwtHeader.slice(20)}.`],
  ],
  "telegram bot token": [
    ["a Telegram bot token", `123456789:AA${words(27).slice(0, 33)}`],
    [
      "a Telegram bot token in a URL",
      `bot123456789:AA${words(27).slice(0, 33)}`,
      "https://api.telegram.org/",
    ],
    ["a Telegram bot token that was cut", `123456789:AA${words(27).slice(0, 12)}`],
  ],
  "discord bot token": [
    ["a Discord bot token", `${discordId}.${words(6).slice(0, 6)}.${words(30).slice(0, 38)}`],
    ["a Discord bot token that was cut", `${discordId}.${words(6).slice(0, 6)}.${words(30).slice(0, 9)}`],
    ["a Discord bot token of an odd id", `M${words(18).slice(0, 23)}.Cl2FMQ.${words(30).slice(0, 38)}`],
  ],
  "password in a URL": [["a password in a URL", `v1.${words(20)}`, "https://x-access-token:"]],
};
const allSamples = Object.entries(samples).flatMap(([name, rows]) =>
  rows.map(([what, secret, label = ""]) => ({ name, what, secret, label })),
);
/** What may follow a secret: in a URL its host. */
const followedBy = (name: string) =>
  name === "password in a URL" ? "@github.com/acme/site after" : " after";

/** Text as somebody might put it together again who wants a secret. */
function squeeze(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\[nrt]/g, "")
    .replaceAll(/[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\uFFFD]/gu, "");
}

/** Fails where 12 consecutive characters of a secret are left of it, put together again or not. */
function expectGone(clean: string, secret: string): void {
  const bare = squeeze(secret);
  expect(bare.length).toBeGreaterThanOrEqual(12);
  const squeezed = squeeze(clean);
  const pieces = Array.from({ length: bare.length - 11 }, (_, at) => bare.slice(at, at + 12));
  const left = pieces.find((piece) => squeezed.includes(piece));
  expect(left, `a piece of the secret in ${JSON.stringify(clean)}`).toBeUndefined();
}

const wrap = (text: string, width: number, lineBreak = "\n") =>
  text.replaceAll(new RegExp(`[^]{${width}}(?!$)`, "g"), `$&${lineBreak}`);
const interleave = (text: string, code: string) => text.replaceAll(/[^](?!$)/g, (one) => one + code);
const hexOf = (one: string, digits: number) => one.charCodeAt(0).toString(16).padStart(digits, "0");
const inPercents = (text: string) => text.replaceAll(/[^]/g, (one) => `%${hexOf(one, 2)}`);
const inUnicodeEscapes = (text: string) => text.replaceAll(/[^]/g, (one) => `\\u${hexOf(one, 4)}`);

const disguises: Record<string, (text: string) => string> = {
  plain: (text) => text,
  ...Object.fromEntries(
    [1, 2, 3, 5, 7, 12, 20, 40, 64, 76, 80, 100].map((width) => [
      `wrapped at ${width}`,
      (text: string) => wrap(text, width),
    ]),
  ),
  "wrapped with CRLF": (text) => wrap(text, 76, "\r\n"),
  "wrapped and indented": (text) => wrap(text, 76, " \n    "),
  "wrapped by a shell": (text) => wrap(text, 76, "\\\n"),
  "in UTF-16": (text) => `\uFFFD\uFFFD${interleave(text, "\0")}`,
  "with control characters": (text) => interleave(text, "\u0007\u0001"),
  "with zero-width spaces": (text) => interleave(text, "\u200B"),
  "with other characters that are not shown": (text) =>
    interleave(text, "\u2066\u206A\uFE0F\u034F\u180E\u3164\u{E0020}"),
  "with colours": (text) => interleave(text, "\u001B[1;31m"),
  "with terminal links": (text) => interleave(text, "\u001B]8;;https://example.com\u001B\\"),
  "wrapped with colours": (text) => wrap(text, 40, "\u001B[0m\n\u001B[31m"),
  "percent-encoded": (text) => encodeURIComponent(text),
  "percent-encoded twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  "percent-encoded whole": inPercents,
  "percent-encoded whole and wrapped": (text) => wrap(inPercents(text), 76),
  "in JSON": (text) => JSON.stringify(text),
  "in JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)),
  "in JSON, wrapped before": (text) => JSON.stringify(wrap(text, 20)),
  "in JSON, with colours": (text) => JSON.stringify(interleave(text, "\u001B[1m")),
  "in Unicode escapes": inUnicodeEscapes,
  "in Unicode escapes, wrapped": (text) => wrap(inUnicodeEscapes(text), 76),
};

describe("every detector has what it finds", () => {
  test("and nothing is found by none", () => {
    expect(Object.keys(samples)).toEqual(detectors.map(({ name }) => name));
  });

  test.each(allSamples)("$name: $what", ({ name, secret, label }) => {
    const clean = redact(`before ${label}${secret}${followedBy(name)}`);
    expectGone(clean, secret);
    expect(clean).toContain("[redacted]");
    expect(clean.startsWith(`before ${label}`)).toBe(true);
    expect(clean.endsWith(" after")).toBe(true);
  });
});

describe.each(Object.entries(disguises))("redact takes out, %s,", (_how, disguise) => {
  test.each(allSamples)("$what", ({ name, secret, label }) => {
    const clean = redact(`before ${disguise(`${label}${secret}${followedBy(name)}`)}`);
    expectGone(clean, secret);
    expect(clean.startsWith("before ")).toBe(true);
  });

  test("a known secret without any look, and a piece of it", () => {
    const known = words(60);
    const piece = known.slice(20, 32);
    const clean = redact(`before ${disguise(`${known} ${piece}`)} after`, [new Secret(known)]);
    expectGone(clean, known);
    expect(clean).toContain("[redacted]");
  });
});

/** Beginnings at random of what a program may do to its output, several at once. */
function disguiseAtRandom(random: () => number): (text: string) => string {
  const pick = <T>(choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const none = (text: string) => text;
  const code = pick(["\0", "\u0001\b", "\u001B[3m", "\u001B[0;31m\0", "\u200B"]);
  const width = between(1, 120);
  const lineBreak = pick(["\n", "\r\n", "\n\t", "  \n  ", "\u001B[K\n"]);
  const steps = [
    pick([none, (text: string) => interleave(text, code)]),
    pick([none, (text: string) => wrap(text, width, lineBreak)]),
    pick([none, none, encodeURIComponent, inPercents, JSON.stringify, inUnicodeEscapes]),
    pick([none, none, (text: string) => wrap(text, 76)]),
  ];
  return (text) => steps.reduce((disguised, step) => step(disguised), text);
}

test("neither the held token nor another of the same App comes through, cut, wrapped, interleaved and encoded at random", () => {
  const random = createRandom(20_261_121);
  let shown = 0;
  for (let round = 0; round < 400; round++) {
    const [held, other] = [createToken(), createToken()];
    const head = "ghs_123456_".length;
    const otherCut = other.slice(Math.floor(random() * head), 24 + Math.floor(random() * other.length));
    const showsHead = /^ghs_|eyJ.{8,}\.eyJ/.test(otherCut);
    const heldCut = held.slice(Math.floor(random() * 400)).slice(0, 12 + Math.floor(random() * 500));
    const [disguiseOne, disguiseTwo] = [disguiseAtRandom(random), disguiseAtRandom(random)];
    const pieces = [`held ${disguiseOne(heldCut)} end`, `other=${disguiseTwo(otherCut)} end`];
    const text = (random() < 0.5 ? pieces : pieces.toReversed()).join(random() < 0.5 ? "\n" : ", ");

    const clean = redact(text, [new Secret(held)]);

    expectGone(clean, heldCut);
    if (showsHead) {
      shown++;
      expectGone(clean, other.slice(head));
    }
    expect(redact(clean, [new Secret(held)])).toBe(clean);
  }
  expect(shown).toBeGreaterThan(200);
});

describe("redact leaves alone", () => {
  const held = new Secret(createToken());
  const ordinary = [
    "token ghs_1234… (sha256 ab12cd34), valid until 2026-11-21T23:00:00Z",
    "prefix: ghs_1234\nsha256: ab12cd34\nleft: 31 min",
    "commit 0123456789abcdef0123456789abcdef01234567 in acme/site",
    "commit 0123456789abcdef0123456789abcdef01234567\nAuthor: Ada <ada@example.com>\n\n    Mend the gate\n",
    "https://api.github.com/app/installations/1/access_tokens answered HTTP 502",
    "remote: Repository not found.\nfatal: repository 'https://github.com/acme/site.git/' not found\n",
    "From github.com:acme/site\n * branch            main       -> FETCH_HEAD\nAlready up to date.\n",
    " 1 file changed, 2 insertions(+), 1 deletion(-)\n create mode 100644 src/token/detectors-of-things.ts\n",
    '{"time":"2026-11-21T12:00:00.000Z","level":"error","event":"host.uncaught_exception","pid":123456,"at":"a.ts:12"}',
    "2026-11-21T12:00:00Z host.uncaught_exception error=TypeError stack=/home/me/.local/lib/takopi-ghauth/dist/main.js:12:34",
    "Authorization: failed for the user; basic authentication is not supported, bearer authentication is.",
    'WWW-Authenticate: Bearer realm="takopi-ghauth"',
    "The basic understanding of bearer tokens: Bearer\nAuthentication is what they are for",
    "highs_and_lows, weighs_more_than_that, ghs_token_file, github_pat_token and ghauthb_token",
    "eyJmb28iOiJiYXIifQ== is base64, eyJmb28iOiJiYXIifQ.\nNext comes a sentence",
    "SGVsbG8sIHdvcmxkIQ== SGVsbG8sIHdvcmxkISBIb3cgYXJlIHlvdT8=",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "1732233600:0123456789abcdef0123456789abcdef01234567 1732233600:some-long-name-of-an-event-that-happened",
    "http://127.0.0.1:8787\nroot@host and https://example.com:8443/path?mail=me@example.com",
    "ssh://git@github.com:22/acme/site.git git@github.com:acme/site.git mailto:me@example.com",
    "org.springframework.boot.autoconfigure.condition.ConditionEvaluationReportLoggingListener",
    "some-rather-long-segment.module.another-rather-long-segment-name",
    "the file must begin with -----BEGIN RSA PRIVATE KEY----- and end with -----END RSA PRIVATE KEY----- as GitHub gives it",
    "no -----BEGIN was found in it",
    "there is no -----END line: the file was cut",
    "C:\\new\\table\\report.txt, 100% of 20, %41 and %zz, a\\u0041b, \\\\server\\share",
    "\u001B[32mok\u001B[0m 12 tests\u001B[K\r\nr\u00E9sum\u00E9 \u{1F511} \uFFFD\0 done",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ\nabcdefghijklmnopqrstuvwxyz\n0123456789\n",
    "GITHUB_APP_ID=123456\nGITHUB_APP_PRIVATE_KEY_PATH=/home/me/.config/takopi/github-app.pem\nGH_AUTH=off\n",
    "",
    " \n\n ",
  ];

  test.each(ordinary)("%j", (text) => {
    expect(redact(text)).toBe(text);
    expect(redact(text, [held, new Secret("")])).toBe(text);
  });

  test.each(ordinary)("%j, as a string in JSON", (text) => {
    expect(redact(JSON.stringify(text), [held])).toBe(JSON.stringify(text));
  });

  test.each([
    ["token: # is refused\nerror: nothing was written\n"],
    ["#\nPermission denied\n"],
    ["#\ndone\n"],
    ["GITHUB_TOKEN=#\nGH_TOKEN=#\nGITHUB_TOKEN_EXPIRES_EPOCH=1732233600\n"],
    ["> Authorization: Bearer #\n> User-Agent: curl\n< HTTP/2 401"],
    ["Authorization: token #\nHTTP/1.1 401 Unauthorized\nContent-Type: application/json"],
    ["#\n2026-11-21T12:00:00Z info the next line of a log"],
    ['{"token":"#"}\n{"event":"next"}'],
    ["remote: https://x-access-token:#@github.com/acme/site\nfatal: it failed"],
    ["The token is #. The next sentence, and # again: # (see above), '#'"],
  ])("what surrounds a token in %j", (text) => {
    expect(redact(text.replaceAll("#", createToken()))).toBe(text.replaceAll("#", "[redacted]"));
    expect(redact(text.replaceAll("#", held.reveal()), [held])).toBe(text.replaceAll("#", "[redacted]"));
  });
});

// What took quadratic time here would outlast the test's own limit a thousandfold.
test("redact gets through a megabyte of anything", () => {
  const noise = randomBytes(750_000).toString("base64");
  for (const text of [
    noise,
    wrap(noise, 64),
    interleave(noise.slice(0, 500_000), "\0"),
    "a ".repeat(500_000),
    "-----BEGIN ".repeat(90_000),
    "eyJ".repeat(300_000),
    "-----END A-----".repeat(60_000),
  ]) {
    expect(redact(`${text} the end`, [new Secret(createToken())])).toMatch(/the end$/);
  }
});
