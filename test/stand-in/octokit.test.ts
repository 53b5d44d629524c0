import { generateKeyPairSync } from "node:crypto";
import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";
import { expect, test } from "vitest";
import { app, installation, keyPair, startGitHub } from "./example-github.js";

type Narrowing = { repositoryNames?: string[]; permissions?: Record<string, "read" | "write"> };

function createAuth(baseUrl: string, privateKey: string) {
  const auth = createAppAuth({
    appId: app.id,
    privateKey,
    request: request.defaults({ baseUrl }),
    log: { warn: () => {} },
  });
  return (narrowing: Narrowing = {}) =>
    auth({ type: "installation", installationId: installation.id, refresh: true, ...narrowing });
}

const pkcs8 = keyPair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const pkcs1 = keyPair.privateKey.export({ type: "pkcs1", format: "pem" }).toString();

const keys = [
  { form: "PKCS#1", pem: pkcs1 },
  { form: "PKCS#8", pem: pkcs8 },
];

test.for(keys)("octokit mints a long token with a $form key", async ({ pem }) => {
  await using example = await startGitHub();

  const { token, expiresAt, permissions, repositorySelection } = await createAuth(example.baseUrl, pem)();

  expect(token).toMatch(/^ghs_12345_[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(token.length).toBeGreaterThan(500);
  expect(token.length).toBeLessThan(540);
  expect(new Date(expiresAt).getTime() - Date.now()).toBeGreaterThan(59 * 60 * 1000);
  expect(permissions).toEqual(app.permissions);
  expect(repositorySelection).toBe("selected");
  expect(example.github.isLive(token)).toBe(true);
});

test.for(keys)("octokit mints a short token with a $form key", async ({ pem }) => {
  await using example = await startGitHub({ tokenFormat: "short" });

  const { token } = await createAuth(example.baseUrl, pem)();

  expect(token).toMatch(/^ghs_[A-Za-z0-9]{36}$/);
});

test("octokit is refused with another app's key", async () => {
  await using example = await startGitHub();
  const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = stranger.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  await expect(createAuth(example.baseUrl, pem)()).rejects.toThrow("A JSON web token could not be decoded");
  expect(example.github.mints).toBe(0);
});

test("octokit gets what it narrowed its token to", async () => {
  await using example = await startGitHub();

  const narrowed = await createAuth(
    example.baseUrl,
    pkcs8,
  )({
    repositoryNames: ["world"],
    permissions: { contents: "read" },
  });

  expect(narrowed.repositoryNames).toEqual(["world"]);
  expect(narrowed.permissions).toEqual({ contents: "read", metadata: "read" });
});

test("octokit mints below Enterprise Server's prefix", async () => {
  await using example = await startGitHub();

  const { token } = await createAuth(`${example.baseUrl}/api/v3`, pkcs8)();

  expect(example.github.isLive(token)).toBe(true);
  expect(example.github.requests.map(({ path, status }) => ({ path, status }))).toEqual([
    { path: `/api/v3/app/installations/${installation.id}/access_tokens`, status: 201 },
  ]);
});
