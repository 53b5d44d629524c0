import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const checkout = join(import.meta.dirname, "..");
const rounds = 31;

/** The first reply to `/ghauth status`, and what the idle host weighs, each transport by itself. */
export async function benchChat() {
  const { createTelegramFake, createDiscordFake, telegram, discord } = await loadFakes();
  const onTelegram = await measure(await createTelegramFake(), {
    config: (fake) =>
      `transport = "telegram"\n[transports.telegram]\nbot_token = "${telegram.telegramToken}"\nchat_id = ${telegram.group}\napi_root = "${fake.apiRoot}"\n`,
    ask: async (fake) => {
      const sentAtMs = performance.now();
      const asked = fake.say("/ghauth status");
      const answer = await fake.until(() =>
        fake.callsOf("sendMessage").find(({ params }) => params.reply_parameters?.message_id === asked),
      );
      return answer.atMs - sentAtMs;
    },
  });
  const onDiscord = await measure(await createDiscordFake(), {
    config: (fake) =>
      `transport = "discord"\n[transports.discord]\nbot_token = "${discord.discordToken}"\nguild_id = "${discord.guildId}"\napi_root = "${fake.apiRoot}"\n`,
    ask: async (fake) => {
      const id = fake.command("status");
      await fake.shown(id);
      const { answeredAtMs, sentAtMs } = fake.seen(id);
      return answeredAtMs - sentAtMs;
    },
  });
  return [line("Telegram", onTelegram, 110), line("Discord", onDiscord, 160)];
}

function line(name, { ms, mib }, atMost) {
  return `/ghauth status on ${name}: first reply after ${ms.toFixed(1)} ms (median of ${rounds}); idle host ${mib.toFixed(0)} MiB (at most ${atMost})`;
}

/** The tests' own stand-ins, made loadable; beside the dependencies that they import. */
async function loadFakes() {
  const outdir = join(checkout, "node_modules/.cache/ghauth-bench");
  const support = (name) => join(checkout, `test/support/${name}.ts`);
  await build({
    entryPoints: ["telegram-fake", "discord-fake", "discord-shapes"].map((name) => support(name)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20.19",
  });
  const load = async (name) => import(pathToFileURL(join(outdir, `${name}.mjs`)).href);
  const telegram = await load("telegram-fake");
  const discord = await load("discord-shapes");
  const { createDiscordFake } = await load("discord-fake");
  return { telegram, discord, createTelegramFake: telegram.createTelegramFake, createDiscordFake };
}

async function measure(fake, { config, ask }) {
  const home = mkdtempSync(join(tmpdir(), "ghauth-bench-"));
  mkdirSync(join(home, ".takopi"));
  writeFileSync(join(home, ".takopi/takopi.toml"), config(fake), { mode: 0o600 });
  const host = spawn(process.execPath, [join(checkout, "dist/main.js"), "run"], {
    env: { PATH: process.env.PATH, HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => host.once("close", resolve));
  try {
    await new Promise((resolve, reject) => {
      let log = "";
      host.stderr.setEncoding("utf8").on("data", (text) => {
        log += text;
        if (/(telegram|discord)\.ready/.test(log)) resolve();
      });
      host.once("close", () => reject(new Error(`The host ended: ${log}`)));
    });
    await delay(1_000);
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${host.pid}/status`, "utf8"));
    const times = [];
    for (let round = -3; round < rounds; round++) {
      const ms = await ask(fake);
      if (round >= 0) times.push(ms); // the first ones warm up
    }
    return { ms: times.sort((a, b) => a - b)[Math.floor(rounds / 2)], mib: Number(kib) / 1024 };
  } finally {
    host.kill("SIGTERM");
    await ended;
    await fake[Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]();
    rmSync(home, { recursive: true, force: true });
  }
}
