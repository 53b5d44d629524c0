import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { createLoopbackListeners } from "../../src/stand-in/loopback-listeners.js";

export type GitServerOptions = {
  /** Where the repositories lie, and the certificate. */
  directory: string;
  /** Whether Basic credentials are good. */
  accepts: (credentials: { username: string; password: string }) => boolean;
};

/** An answered request: `username` is empty where it came without credentials, which git tries first. */
type GitServerRequest = { path: string; username: string; status: number };

/**
 * Real git over smart HTTP: `git http-backend` (https://git-scm.com/docs/git-http-backend) behind TLS on loopback, with
 * one repository, acme/site.git, that has one commit. Who is not let in gets GitHub's 401.
 */
export async function createGitServer({ directory, accepts }: GitServerOptions) {
  mkdirSync(directory, { recursive: true });
  const requests: GitServerRequest[] = [];
  const { caFile, key, cert } = createCertificate(directory);
  createRepository(join(directory, "acme/site.git"));

  const listeners = createLoopbackListeners((request, response) => {
    const { username, password } = credentialsOf(request);
    const path = request.url ?? "";
    if (!accepts({ username, password })) {
      requests.push({ path, username, status: 401 });
      request.resume();
      response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"', "content-type": "text/plain" });
      response.end("Invalid username or token.\n");
      return;
    }
    answer(directory, { request, response }).then(
      (status) => requests.push({ path, username, status }),
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    );
  });
  const url = await listeners.listen({ tls: { key, cert } });

  return {
    url,
    host: new URL(url).host,
    caFile,
    requests,
    repository: join(directory, "acme/site.git"),
    close: async () => listeners.close(),
  };
}

function createCertificate(directory: string): { caFile: string; key: string; cert: string } {
  const keyFile = join(directory, "key.pem");
  const caFile = join(directory, "cert.pem");
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2".split(" ");
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...request, ...names, "-keyout", keyFile, "-out", caFile], { stdio: "pipe" });
  return { caFile, key: readFileSync(keyFile, "utf8"), cert: readFileSync(caFile, "utf8") };
}

function createRepository(path: string): void {
  git("init", "--quiet", "--bare", path);
  git("-C", path, "config", "http.receivepack", "true");
  const tree = git("-C", path, "hash-object", "-t", "tree", "-w", "/dev/null");
  const author = ["-c", "user.name=Example", "-c", "user.email=example@users.noreply.github.com"];
  const commit = git("-C", path, ...author, "commit-tree", "-m", "First", tree);
  git("-C", path, "update-ref", "refs/heads/main", commit);
}

function git(...words: string[]): string {
  return execFileSync("git", ["-c", "init.defaultBranch=main", ...words], { encoding: "utf8" }).trim();
}

function credentialsOf({ headers }: IncomingMessage): { username: string; password: string } {
  const encoded = /^Basic (\S+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const [username = "", password = ""] = Buffer.from(encoded, "base64").toString().split(":");
  return { username, password };
}

async function answer(
  directory: string,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<number> {
  const url = new URL(request.url ?? "/", "https://localhost");
  const { headers } = request;
  const backend = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: "1",
      REMOTE_USER: "x-access-token",
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers["content-type"],
      CONTENT_LENGTH: headers["content-length"],
      HTTP_CONTENT_ENCODING: headers["content-encoding"],
      GIT_PROTOCOL: [headers["git-protocol"]].flat()[0],
    },
  });
  request.pipe(backend.stdin);
  backend.stdin.on("error", () => {}); // it need not read all
  const chunks: Buffer[] = [];
  backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(backend, "close");
  const output = Buffer.concat(chunks);
  const end = output.indexOf("\r\n\r\n");
  const fields = output.toString("latin1", 0, end).split("\r\n");
  const answered = new Map(fields.map((field) => [field.split(": ")[0] ?? "", field.replace(/^.*?: /, "")]));
  const status = Number(answered.get("Status")?.slice(0, 3) ?? 200);
  answered.delete("Status");
  response.writeHead(status, Object.fromEntries(answered));
  response.end(output.subarray(end + 4));
  return status;
}
