import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parsePrivateKey, readPrivateKeyFile } from "../../src/github/private-key.js";
import { Secret } from "../../src/token/secret.js";
import { createMachine } from "../support/machine.js";
import { makeDirectory } from "../support/programs.js";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pkcs1 = rsa.privateKey.export({ type: "pkcs1", format: "pem" }).toString();
const pkcs8 = rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

const parse = (text: string) => parsePrivateKey(new Secret(text), "the test");
const base64 = (text: string) => Buffer.from(text).toString("base64");

test.for([
  ["PKCS#1", pkcs1],
  ["PKCS#8", pkcs8],
  ["CRLF", pkcs1.replaceAll("\n", "\r\n")],
  ["CR", pkcs1.replaceAll("\n", "\r")],
  ["a byte order mark", `\uFEFF${pkcs8}`],
  ["escaped \\n", pkcs1.replaceAll("\n", "\\n")],
  ["escaped \\r\\n", pkcs8.replaceAll("\n", "\\r\\n")],
  ["escaped \\n in quotes", `"${pkcs1.replaceAll("\n", "\\n")}"`],
  ["base64", base64(pkcs1)],
  ["base64 in lines", base64(pkcs8).replaceAll(/(.{76})/g, "$1\n")],
  ["base64 of CRLF", base64(pkcs1.replaceAll("\n", "\r\n"))],
  ["one line with spaces", pkcs1.replaceAll("\n", " ")],
  ["one line without any", pkcs8.replaceAll("\n", "")],
  ["no last line break", pkcs1.trimEnd()],
  ["words around it", `Bag Attributes\n  friendlyName: app\n${pkcs8}\ntrailing`],
  ["a public key before it", `${rsa.publicKey.export({ type: "spki", format: "pem" }).toString()}${pkcs1}`],
] as const)("a key with %s is read", ([, text]) => {
  expect(createPublicKey(parse(text)).equals(rsa.publicKey)).toBe(true);
});

const passphrase = { cipher: "aes-256-cbc", passphrase: "secret" };
const sshKey = [
  "-----BEGIN OPENSSH PRIVATE KEY-----",
  base64("openssh-key-v1\0none"),
  "-----END OPENSSH PRIVATE KEY-----",
].join("\n");

test.for([
  ["empty", "", "is empty"],
  ["blank", " \n\t\n", "is empty"],
  [
    "encrypted (PKCS#8)",
    rsa.privateKey.export({ type: "pkcs8", format: "pem", ...passphrase }).toString(),
    "is encrypted with a passphrase",
  ],
  [
    "encrypted (PKCS#1)",
    rsa.privateKey.export({ type: "pkcs1", format: "pem", ...passphrase }).toString(),
    "is encrypted with a passphrase",
  ],
  ["public", rsa.publicKey.export({ type: "spki", format: "pem" }).toString(), "is a public key"],
  ["public (PKCS#1)", rsa.publicKey.export({ type: "pkcs1", format: "pem" }).toString(), "is a public key"],
  ["EC (SEC1)", ec.privateKey.export({ type: "sec1", format: "pem" }).toString(), "is an EC key"],
  ["EC (PKCS#8)", ec.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "is of type ec"],
  ["OpenSSH", sshKey, "is an SSH key"],
  ["garbage", "not a key at all", "is not a private key in PEM form"],
  ["base64 of garbage", base64("\u0000\u0001not a key"), "is not a private key in PEM form"],
  ["cut", pkcs1.slice(0, 400), "is damaged"],
  ["damaged", pkcs1.replace(/^MII/m, "XXX"), "is damaged"],
] as const)("a key that is %s gets its own sentence", ([, text, complaint]) => {
  expect(() => parse(text)).toThrow(`The private key (the test) ${complaint}`);
});

test("a certificate gets its own sentence", () => {
  const directory = makeDirectory();
  const [keyPath, certPath] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", keyPath, "-out", certPath],
    { stdio: "ignore" },
  );
  const certificate = readPrivateKeyFile(certPath, { anyMode: true });

  expect(() => parsePrivateKey(certificate, certPath)).toThrow("is a certificate, not a private key");
  const both = `${certificate.reveal()}${readPrivateKeyFile(keyPath, { anyMode: true }).reveal()}`;
  expect(parse(both).asymmetricKeyType).toBe("rsa");
});

test.for([0o640, 0o604, 0o620, 0o644])("a key file of mode %o is refused with the chmod to run", (mode) => {
  const path = join(makeDirectory(), "app.pem");
  writeFileSync(path, pkcs1);
  chmodSync(path, mode);

  expect(() => readPrivateKeyFile(path)).toThrow(
    `can be read by others (mode 0${mode.toString(8)}): run chmod 600 ${path}`,
  );
  expect(readPrivateKeyFile(path, { anyMode: true }).reveal()).toBe(pkcs1);
});

test.for([
  ["PKCS#8 in the file", (pem: string) => ({ file: pem, env: {} })],
  [
    "base64 in the environment",
    (pem: string) => ({ file: "", env: { GITHUB_APP_PRIVATE_KEY: base64(pem) } }),
  ],
  [
    "escaped line breaks in the environment",
    (pem: string) => ({ file: "", env: { GITHUB_APP_PRIVATE_KEY: pem.replaceAll("\n", "\\n") } }),
  ],
] as const)("the script mints with %s", async ([, give]) => {
  await using machine = await createMachine();
  const { file, env } = give(machine.pem);
  machine.write(machine.paths.privateKey, file);

  expect(await machine.refresh({ env })).toMatchObject({ exitCode: 0 });
});

test.for([
  {
    what: "a key that others can read",
    arrange: async (machine: Awaited<ReturnType<typeof createMachine>>) =>
      chmodSync(machine.paths.privateKey, 0o644),
    says: /mode 0644\): run chmod 600 .*github-app\.pem/,
  },
  {
    what: "a key in github-app.env",
    arrange: async ({ paths, read, write, pem }: Awaited<ReturnType<typeof createMachine>>) =>
      write(paths.appEnvFile, `${read(paths.appEnvFile)}GITHUB_APP_PRIVATE_KEY="${pem}"\n`),
    says: /github-app\.env holds GITHUB_APP_PRIVATE_KEY.*move it to github-app\.pem/,
  },
])("$what is refused with 78 before GitHub is asked", async ({ arrange, says }) => {
  await using machine = await createMachine();
  await arrange(machine);

  const { exitCode, stderr } = await machine.refresh();

  expect({ exitCode, stderr }).toEqual({ exitCode: 78, stderr: expect.stringMatching(says) });
  expect(machine.github.requests).toEqual([]);
});
