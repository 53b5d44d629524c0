import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeDirectory } from "../support/programs.js";
import { needsPython, python } from "../support/takopi-stub.js";

const script = join(import.meta.dirname, "../../bridge/uv_receipt.py");
const bridge = "/home/takopi/.local/lib/takopi-ghauth/current/bridge";

/** What uv would be told for a receipt's [tool], a takopi.toml and TAKOPI_INSTALL_WITH. */
function ask(
  tool: string,
  { config = 'transport = "telegram"', further = [] as string[], installed = "" } = {},
) {
  const directory = makeDirectory();
  const receipt = join(directory, "uv-receipt.toml");
  const takopiConfig = join(directory, "takopi.toml");
  writeFileSync(receipt, tool.startsWith("[tool]") ? tool : `[tool]\n${tool}\n`);
  writeFileSync(takopiConfig, config);
  const { status, stdout, stderr } = spawnSync(
    python,
    ["-B", script, receipt, takopiConfig, bridge, directory, ...further],
    { encoding: "utf8", env: { PYTHONPATH: installed } },
  );
  /** What is in a file that uv would be told to read. */
  const file = (name: string) => readFileSync(join(directory, name), "utf8");
  return { status, words: stdout.trim().replaceAll(`${directory}/`, "").split("\n"), stderr, file };
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
  expect(ask(tool, { installed }).words).toEqual(["installed"]);
  // Then nothing is installed, and nothing lost.
  expect(ask(`${tool}\nfuture = ["x"]`, { installed }).words).toEqual(["installed"]);
  expect(ask(tool, { installed, further: ["other"] }).words[0]).toBe("new");

  const old = makeDirectory();
  mkdirSync(join(old, "takopi_ghauth"));
  writeFileSync(join(old, "takopi_ghauth/backend.py"), "an older one");
  expect(ask(tool, { installed: old }).words[0]).toBe("new");
  expect(ask(tool).words[0]).toBe("new");
});

const receipt = (version: string) =>
  readFileSync(join(import.meta.dirname, `receipts/uv-${version}.toml`), "utf8");

test("a receipt of uv 0.5: requirements as text, and every option", (context) => {
  needsPython(context);
  const { words, stderr } = ask(receipt("0.5"));
  const said = [
    ["takopi==0.22.3", "--python", "3.14"],
    ["--index-url", "https://pypi.example.com/simple"],
    ["--extra-index-url", "https://more.example.com/simple"],
    ["--extra-index-url", "https://most.example.com/simple"],
    ["--find-links", "/srv/wheels"],
    ["--index-strategy", "unsafe-best-match"],
    ["--keyring-provider", "subprocess"],
    ["--resolution", "lowest-direct"],
    ["--prerelease", "allow"],
    ["--no-build-isolation-package", "numpy"],
    ["--exclude-newer", "2024-11-01T00:00:00Z"],
    ["--link-mode", "copy"],
    ["--compile-bytecode", "--no-sources"],
    ["--no-build-package", "takopi"],
    ["--no-binary-package", "httpx", "--no-binary-package", "numpy"],
    ["--config-setting", "editable_mode=compat"],
    ["--config-setting", "flags=-a", "--config-setting", "flags=-b"],
    ["--with", "numpy<3", "--with", "httpx[http2,socks]>=0.28,<1", "--with", bridge],
  ];
  expect({ words, stderr }).toEqual({ words: ["new", ...said.flat()], stderr: "" });
});

test("a receipt of uv 0.6.15: constraints and overrides go through files, and indexes keep their names", (context) => {
  needsPython(context);
  const { words, stderr, file } = ask(receipt("0.6.15"));
  const said = [
    ["takopi", "--constraints", "constraints.txt", "--overrides", "overrides.txt"],
    ["--build-constraints", "build-constraints.txt"],
    ["--index", "internal=https://pypi.example.com/simple"],
    ["--default-index", "https://mirror.example.com/simple"],
    ["--fork-strategy", "fewest", "--no-build-isolation", "--no-build"],
    ["--with", "archive @ https://example.com/archive-1.tar.gz#subdirectory=python"],
    ["--with", "forge @ git+https://example.com/o/forge@v1#subdirectory=py ; python_full_version >= '3.11'"],
    ["--with", "folder @ file:///home/takopi/a%20folder"],
    ["--with-editable", "/home/takopi/mine", "--with", bridge],
  ];
  expect({ words, stderr }).toEqual({ words: ["new", ...said.flat()], stderr: "" });
  expect(file("constraints.txt")).toBe("anyio>=4\nidna[all]<4 ; sys_platform == 'linux'\n");
  expect(file("overrides.txt")).toBe("rich @ https://example.com/rich-1-py3-none-any.whl\n");
  expect(file("build-constraints.txt")).toBe("setuptools>=40\n");
});

test("a receipt of uv 0.11: executables of other packages, Git LFS, excludes, spans of time", (context) => {
  needsPython(context);
  const { words, stderr, file } = ask(receipt("0.11"));
  const said = [
    ["takopi>=0.22", "--constraints", "constraints.txt", "--excludes", "excludes.txt", "--python", "3.14"],
    ["--resolution", "highest", "--no-build-isolation-package", "large", "--exclude-newer", "P3W"],
    ["--exclude-newer-package", "anyio=false"],
    ["--exclude-newer-package", "rich=2026-01-01T00:00:00Z"],
    ["--exclude-newer-package", "takopi=P1D"],
    ["--config-settings-package", "large:editable_mode=compat"],
    ["--no-sources-package", "large", "--torch-backend", "cpu", "--lfs"],
    ["--with", "takopi-discord", "--with-executables-from", "ansible-core~=2.17"],
    ["--with", "large @ git+https://example.com/o/large@main"],
    [
      "--with",
      "wheel-in-git @ git+https://example.com/o/wheels@v2#path=dist/wheel_in_git-1-py3-none-any.whl",
    ],
    ["--with", bridge],
  ];
  expect({ stderr, words: words.toSorted() }).toEqual({
    stderr: "",
    words: ["new", ...said.flat()].toSorted(),
  });
  expect(words.slice(0, 2)).toEqual(["new", "takopi>=0.22"]);
  expect(file("excludes.txt")).toBe("uvloop\n");
});

test("build constraints as they were called before uv 0.6.15", (context) => {
  needsPython(context);
  const { words, file } = ask(
    'requirements = [{ name = "takopi" }]\nbuild-constraints = [{ name = "setuptools" }]',
  );
  expect(words.slice(1, 4)).toEqual(["takopi", "--build-constraints", "build-constraints.txt"]);
  expect(file("build-constraints.txt")).toBe("setuptools\n");
});

const takopi = '{ name = "takopi" }';

test.for<[string, string, string]>([
  ["a key that nobody knows yet", `requirements = [${takopi}]\nfuture = ["x"]`, "future"],
  [
    "an option that nobody knows yet",
    `requirements = [${takopi}]\noptions = { future = 1 }`,
    "options.future",
  ],
  [
    "an option without a flag",
    `requirements = [${takopi}]\noptions = { dependency-metadata = [{ name = "x" }], resolution = "lowest" }`,
    "options.dependency-metadata",
  ],
  [
    "an option of another form",
    `requirements = [${takopi}]\noptions = { resolution = ["lowest"], no-index = "yes" }`,
    "options.resolution, options.no-index",
  ],
  [
    "an index with more than a flag says",
    `requirements = [${takopi}]\noptions.index = [{ url = "https://example.com", explicit = true }, { url = "https://example.com", authenticate = "always" }]`,
    "options.index.explicit",
  ],
  [
    "a requirement from one index",
    'requirements = [{ name = "takopi", index = "https://example.com/simple" }, { name = "x", groups = ["dev"], virtual = "/x" }]',
    "requirements.takopi.index, requirements.x.groups, requirements.x.virtual",
  ],
  [
    "Git LFS for one of two",
    `requirements = [${takopi}, { name = "a", git = "https://example.com/a?lfs=true" }, { name = "b", git = "https://example.com/b?depth=1" }]`,
    "requirements.a.git with lfs, requirements.b.git with depth",
  ],
  [
    "a marker with a comma",
    `requirements = [${takopi}, { name = "x", marker = "python_version in '3.12,3.13'" }]`,
    "requirements.x with a comma",
  ],
  [
    "executables of a package that is not required",
    `requirements = [${takopi}]\nentrypoints = [{ name = "x", install-path = "/x", from = "x" }]`,
    "entrypoints of x",
  ],
  [
    "an editable constraint",
    `requirements = [${takopi}]\nconstraints = [{ name = "x", editable = "/x" }]`,
    "constraints.x.editable",
  ],
])("%s is named, and uv is told nothing", ([, tool, keys], context) => {
  needsPython(context);
  expect(ask(tool)).toMatchObject({
    status: 1,
    words: [""],
    stderr: `uv's receipt holds ${keys}, which no option of uv tool install can say. Install Takopi as you did then, with one more option: --with ${bridge}\n`,
  });
});

test("what is empty is not lost", (context) => {
  needsPython(context);
  const { words } = ask(
    `requirements = [{ name = "takopi", extras = [], groups = [], specifier = "" }]\nfuture = []\noptions = { no-index = false, index = [], future = {}, later = "" }`,
  );
  expect(words).toEqual(["new", "takopi", "--with", bridge]);
});

test("a package that TAKOPI_INSTALL_WITH names keeps its executables", (context) => {
  needsPython(context);
  const { words } = ask(receipt("0.11"), { further: ["Ansible_Core==2.18"] });
  expect(words.join(" ")).toContain("--with-executables-from Ansible_Core==2.18");
  expect(words).not.toContain("ansible-core~=2.17");
});

test("what is written otherwise than is known, or cannot be read, is said", (context) => {
  needsPython(context);
  expect(ask('packages = ["takopi"]').stderr).toBe(
    "uv's receipt is written otherwise than is known here (KeyError('requirements'))\n",
  );
  expect(ask(`requirements = [${takopi}]`, { config: "transport =" })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/takopi\.toml cannot be read: Invalid value/),
  });
});
