import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const checkout = join(import.meta.dirname, "../..");

type Package = { name: string; takopi?: unknown; files?: Record<string, string> };

/**
 * Lays this package out as npm installs it, in `<root>/node_modules`, and other packages beside it. Resolves to the
 * path of `ghauth`.
 */
export function installPackage(root: string, others: readonly Package[] = []): string {
  const modules = join(root, "node_modules");
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(join(checkout, "node_modules")))
    if (!name.startsWith(".")) symlinkSync(join(checkout, "node_modules", name), join(modules, name));
  const own = join(modules, "takopi-ghauth");
  for (const part of ["dist", "package.json", "scripts"])
    cpSync(join(checkout, part), join(own, part), { recursive: true });
  for (const { name, takopi, files = {} } of others) {
    const place = join(modules, name);
    mkdirSync(place, { recursive: true });
    const manifest = { name, version: "1.0.0", type: "module", ...(takopi !== undefined && { takopi }) };
    for (const [file, text] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })) {
      mkdirSync(dirname(join(place, file)), { recursive: true });
      writeFileSync(join(place, file), text);
    }
  }
  return join(own, "dist/main.js");
}

/** The package of somebody else in test/support, installed where `ghauth` is. */
export function installHello(ghauth: string): void {
  const modules = join(dirname(ghauth), "../..");
  cpSync(join(import.meta.dirname, "hello-plugin"), join(modules, "@somebody/takopi_hello"), {
    recursive: true,
  });
}
