import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate for `localhost`, of a CA that openssl makes for it, as files in `directory`. */
export function createCertificate(directory: string) {
  const file = (name: string) => join(directory, name);
  const files = { caFile: file("ca.pem"), certFile: file("server.pem"), keyFile: file("server.key") };
  const newKey = (out: string) =>
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", out] as const;
  openssl("req", "-x509", ...newKey(file("ca.key")), "-subj", "/CN=test CA", "-out", files.caFile);
  openssl("req", ...newKey(files.keyFile), "-subj", "/CN=server", "-out", file("server.csr"));
  writeFileSync(file("extensions"), "subjectAltName=DNS:localhost\n");
  const authority = ["-CA", files.caFile, "-CAkey", file("ca.key"), "-CAcreateserial"];
  const request = ["-in", file("server.csr"), "-extfile", file("extensions")];
  openssl("x509", "-req", ...request, ...authority, "-out", files.certFile);
  return files;
}

function openssl(...words: string[]): void {
  execFileSync("openssl", words, { stdio: "ignore" });
}
