import { readFileSync } from "node:fs";

/** What the chat host's unit hides from this process. */
export type Sandbox = {
  /** Whether a file is covered up, so that it cannot be told what it is like. */
  hides: (path: string) => boolean;
  /** Whether /tmp is this service's own, and not that of the host. */
  hasOwnTmp: boolean;
};

/** Reads it from what is mounted where (proc(5)): systemd mounts nodes and directories of its own over what it hides. */
export function readSandbox(mountinfo = readMounts()): Sandbox {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [, , , root = "", point] = line.split(" ").map(unescapeOctal);
    return point === undefined ? [] : [{ root, point }];
  });
  const covers = mounts.filter(({ root }) => /\/inaccessible\/[a-z]+$/.test(root));
  const hidden = new Set(covers.map(({ point }) => point));
  return {
    hides: (path) => hidden.has(path),
    hasOwnTmp: mounts.some(({ root, point }) => point === "/tmp" && root.includes("systemd-private-")),
  };
}

function readMounts(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return ""; // no /proc, and no sandbox of systemd's
  }
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
