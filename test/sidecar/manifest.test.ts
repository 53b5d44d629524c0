import { existsSync } from "node:fs";
import { join } from "node:path";
import { type IPod, Pod } from "kubernetes-models/v1/Pod";
import { describe, expect, test } from "vitest";
import { containerOf, readContainerfile, readEntrypoint, readManifest } from "../support/manifest.js";

const checkout = join(import.meta.dirname, "../..");

/** Every field of a JSON value, as the keys that lead to it. */
function fieldsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const at = path.concat(name);
    return [at].concat(fieldsOf(child, at));
  });
}

/** What no field of a Pod may hold. */
const nonsense = [[[]]];

function withNonsense(value: unknown, [name, ...rest]: string[]): unknown {
  if (name === undefined) return nonsense;
  const copy: Record<string, unknown> = Object.assign(Array.isArray(value) ? [] : {}, value);
  copy[name] = withNonsense(copy[name], rest);
  return copy;
}

function complaintAbout(manifest: unknown): string | null {
  try {
    const pod: IPod = JSON.parse(JSON.stringify(manifest));
    new Pod(pod).validate();
    return null;
  } catch (error) {
    return String(error);
  }
}

/** The schema allows fields that it does not know, and kubectl does not: they are those in which it allows anything. */
function unknownFields(manifest: unknown): string[] {
  return fieldsOf(manifest)
    .filter((path) => complaintAbout(withNonsense(manifest, path)) === null)
    .map((path) => path.join("."));
}

describe("deploy/kubernetes.yaml", () => {
  test("is a Pod by Kubernetes' schema, without a field that it does not know", () => {
    const manifest = readManifest();
    expect(complaintAbout(manifest)).toBeNull();
    expect(unknownFields(manifest)).toEqual([]);
  });

  test("a mistake in it would be found", () => {
    const { spec, ...rest } = readManifest();
    expect(unknownFields({ ...rest, spec: { ...spec, hostnetwork: true } })).toEqual(["spec.hostnetwork"]);
    expect(complaintAbout({ ...rest, spec: { ...spec, volumes: [{}] } })).toMatch(/required property name/);
    expect(complaintAbout({ ...rest, spec: { ...spec, hostNetwork: "no" } })).toMatch(/must be boolean/);
  });

  test("gives no container a right that it does not need, and each its limits", () => {
    const { spec } = readManifest();
    expect(spec?.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(spec?.automountServiceAccountToken).toBe(false);
    const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
    expect(all.map(({ name }) => name)).toEqual([
      "generate-initial-token",
      "github-token-sidecar",
      "clone-repos",
      "workspace",
    ]);
    for (const { securityContext, resources } of all) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(resources?.limits).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
    }
  });

  test("keeps the token in memory, and the key from the workspace", () => {
    const manifest = readManifest();
    const volume = (name: string) => manifest.spec?.volumes?.find((candidate) => candidate.name === name);
    expect(volume("github-token")).toMatchObject({ emptyDir: { medium: "Memory", sizeLimit: "1Mi" } });
    for (const name of ["clone-repos", "workspace"]) {
      const mounts = containerOf(manifest, name).volumeMounts ?? [];
      expect(mounts.map((mount) => mount.name)).not.toContain("github-app");
      expect(mounts.find((mount) => mount.name === "github-token")).toMatchObject({ readOnly: true });
    }
  });

  test("has a native sidecar, that is ready when the token is", () => {
    const sidecar = containerOf(readManifest(), "github-token-sidecar");
    expect(sidecar.restartPolicy).toBe("Always");
    const command = [...readEntrypoint(), "sidecar", "--health"];
    expect(sidecar.startupProbe?.exec?.command).toEqual(command);
    expect(sidecar.readinessProbe?.exec?.command).toEqual(command);
  });
});

describe("deploy/Containerfile", () => {
  test("copies what is there, and ends as UID 65532 without ever needing a shell", () => {
    const [build = [], image = [], ...more] = readContainerfile();
    expect(more).toEqual([]);
    const copied = build
      .filter(({ instruction }) => instruction === "COPY")
      .flatMap(({ words }) => words.split(" ").slice(0, -1));
    expect(copied).toContain("src");
    expect(copied.filter((name) => !existsSync(join(checkout, name)))).toEqual([]);
    expect(image.map(({ instruction }) => instruction)).toEqual([
      "FROM",
      "COPY",
      "COPY",
      "USER",
      "ENTRYPOINT",
      "CMD",
    ]);
    expect(image.find(({ instruction }) => instruction === "USER")?.words).toBe("65532:65532");
    expect(image[0]?.words).toMatch(/distroless\/nodejs\d+-debian\d+:nonroot$/);
  });
});
