import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPod } from "kubernetes-models/v1/Pod";
import { parse } from "yaml";

const deploy = join(import.meta.dirname, "../../deploy");

/** deploy/kubernetes.yaml, as kubectl reads it. */
export function readManifest(): IPod {
  const manifest: IPod = parse(readFileSync(join(deploy, "kubernetes.yaml"), "utf8"));
  return manifest;
}

/** A container of the manifest, of whichever kind. */
export function containerOf(manifest: IPod, name: string): IContainer {
  const { initContainers = [], containers = [] } = manifest.spec ?? {};
  const container = [...initContainers, ...containers].find((candidate) => candidate.name === name);
  if (container === undefined) throw new Error(`the manifest has no container ${name}`);
  return container;
}

/** The instructions of deploy/Containerfile, stage by stage. */
export function readContainerfile(): { instruction: string; words: string }[][] {
  const stages: { instruction: string; words: string }[][] = [];
  for (const line of readFileSync(join(deploy, "Containerfile"), "utf8").split("\n")) {
    const [, instruction = "", words = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (instruction === "FROM") stages.push([]);
    if (instruction !== "") stages.at(-1)?.push({ instruction, words });
  }
  return stages;
}

/** What the image runs, before a container's arguments. */
export function readEntrypoint(): string[] {
  const words = readContainerfile()
    .at(-1)
    ?.find(({ instruction }) => instruction === "ENTRYPOINT")?.words;
  const entrypoint: string[] = JSON.parse(words ?? "[]");
  return entrypoint;
}
