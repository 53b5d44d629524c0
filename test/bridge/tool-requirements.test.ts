import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDirectory } from "../support/programs.js";
import { needsPython, python } from "../support/takopi-stub.js";

const script = join(import.meta.dirname, "../../bridge/tool_requirements.py");
const bridge = "/home/takopi/.local/lib/takopi-ghauth/current/bridge";

/** What uv would be told for a receipt, a takopi.toml and TAKOPI_INSTALL_WITH. */
function ask(
  tool: string,
  { config = 'transport = "telegram"', further = [] as string[], installed = "" } = {},
) {
  const directory = makeDirectory();
  const receipt = join(directory, "uv-receipt.toml");
  const takopiConfig = join(directory, "takopi.toml");
  writeFileSync(receipt, `[tool]\n${tool}\n`);
  writeFileSync(takopiConfig, config);
  const { status, stdout, stderr } = spawnSync(
    python,
    ["-B", script, receipt, takopiConfig, bridge, ...further],
    { encoding: "utf8", env: { PYTHONPATH: installed } },
  );
  return { status, words: stdout.trim().split("\n"), stderr };
}

test("everything that Takopi was installed with is kept, however it was named", (context) => {
  needsPython(context);
  const { words } = ask(`
    requirements = [
      { name = "httpx", extras = ["http2", "socks"], specifier = ">=0.28" },
      { name = "takopi", specifier = "==0.22.3" },
      { name = "mine", editable = "/home/takopi/mine" },
      { name = "folder", directory = "/home/takopi/a folder" },
      { name = "wheel", path = "/srv/wheel-1-py3-none-any.whl" },
      { name = "remote", url = "https://example.com/remote-1.tar.gz", marker = "python_version > '3'" },
      { name = "forge", git = "https://example.com/o/forge?subdirectory=py&tag=v1#0123abc" },
      { name = "takopi-ghauth", directory = "/elsewhere/bridge" },
    ]
    python = "3.14"`);
  const kept = [
    ["--with", "httpx[http2,socks]>=0.28"],
    ["--with-editable", "/home/takopi/mine"],
    ["--with", "folder @ file:///home/takopi/a%20folder"],
    ["--with", "wheel @ file:///srv/wheel-1-py3-none-any.whl"],
    ["--with", "remote @ https://example.com/remote-1.tar.gz ; python_version > '3'"],
    ["--with", "forge @ git+https://example.com/o/forge@v1#subdirectory=py"],
    ["--with", bridge],
  ];
  expect(words).toEqual(["new", "takopi==0.22.3", "--python", "3.14", ...kept.flat()]);
});

test.for<[string, string, string[]]>([
  ['transport = "discord"', "is added for Discord", ["takopi", "--with", "takopi-discord", "--with", bridge]],
  ['transport = "telegram"', "is not added for another transport", ["takopi", "--with", bridge]],
])("under %s, takopi-discord %s", ([config, , words], context) => {
  needsPython(context);
  expect(ask('requirements = [{ name = "takopi" }]', { config }).words).toEqual(["new", ...words]);
});

test("takopi-discord is kept as it was installed, and TAKOPI_INSTALL_WITH replaces what it names", (context) => {
  needsPython(context);
  const { words } = ask(
    'requirements = [{ name = "takopi" }, { name = "takopi-discord", specifier = "<2" }, { name = "some-package" }]',
    { config: 'transport = "discord"', further: ["Some_Package==2", "./other"] },
  );
  const more = ["--with", "takopi-discord<2", "--with", "Some_Package==2", "--with", "./other"];
  expect(words).toEqual(["new", "takopi", ...more, "--with", bridge]);
});

test("where the shim is installed already, it says so", (context) => {
  needsPython(context);
  const tool = `requirements = [{ name = "takopi" }, { name = "takopi-ghauth", directory = "${bridge}" }]`;
  const installed = join(import.meta.dirname, "../../bridge/src");
  expect(ask(tool, { installed }).words[0]).toBe("installed");
  expect(ask(tool, { installed, further: ["other"] }).words[0]).toBe("new");

  const old = makeDirectory();
  mkdirSync(join(old, "takopi_ghauth"));
  writeFileSync(join(old, "takopi_ghauth/backend.py"), "an older one");
  expect(ask(tool, { installed: old }).words[0]).toBe("new");
  expect(ask(tool).words[0]).toBe("new");
});

test("what would be lost, or cannot be read, is said, and nothing is installed", (context) => {
  needsPython(context);
  const constrained = ask(
    'requirements = [{ name = "takopi" }]\nconstraints = [{ name = "x", specifier = "<2" }]',
  );
  expect(constrained).toMatchObject({
    status: 1,
    stderr: "Takopi was installed with constraints, which would be lost\n",
  });
  expect(ask('requirements = [{ name = "takopi" }]', { config: "transport =" })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/takopi\.toml cannot be read: Invalid value/),
  });
});
