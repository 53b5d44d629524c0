import { verb } from "../command-line/verb.js";
import { withoutNodeDebug } from "./without-node-debug.js";

const config = { "--config <FILE>": "in place of ~/.config/takopi/broker.toml" };
const name = { "<NAME>": "letters, digits, - and _, at most 64 of them" };

const loadClientVerb = async () => import("../broker/client-verb.js");

/** `ghauth broker`, and who may ask it. */
export const broker = verb({
  summary: "serve tokens over HTTP to many hosts",
  details: "Its GitHub settings are the refresh script's: see takopi-refresh-github-token --help.",
  options: {
    "--listen <ADDRESS>": "HOST:PORT, [IPv6]:PORT or unix:/PATH; default 127.0.0.1:8787",
    ...config,
    "--store <URL>": "share tokens with other brokers: redis://HOST:PORT/DATABASE, or rediss://",
    "--store-key-file <FILE>": "32 bytes as hex or base64, mode 0600: what they are encrypted with there",
    "--insecure-no-auth": "ask for no bearer token; on loopback or a unix socket only",
  },
  variables: {
    GHAUTH_STORE_USERNAME: "whom the store knows",
    GHAUTH_STORE_PASSWORD: "and its password; also in github-app.env",
    GHAUTH_REFRESH_DEADLINE_SECONDS: "how long a client waits at most; default 8",
    LOG_LEVEL: "debug, info (default), warn or error",
  },
  load: withoutNodeDebug(async () => import("../broker/serve.js")),
  verbs: {
    client: verb({
      summary: "who may ask the broker",
      verbs: {
        add: verb({
          summary: "let a client in, and print its bearer token, once",
          operands: name,
          options: {
            "--repository <GLOB>...": "owner/repo or owner/* that it may have; without any, none",
            "--permission <NAME:LEVEL>...": "as in contents:read; without any, the App's",
            "--workspace <ID>...": "whose token it may ask for",
            "--admin": "open the admin route to it",
            ...config,
          },
          load: async () => ({ main: (await loadClientVerb()).add }),
        }),
        list: verb({
          summary: "show the clients and what each may have",
          options: config,
          load: async () => ({ main: (await loadClientVerb()).list }),
        }),
        remove: verb({
          summary: "let a client in no more",
          operands: name,
          options: config,
          load: async () => ({ main: (await loadClientVerb()).remove }),
        }),
        rotate: verb({
          summary: "print another bearer token in place of a client's old one",
          operands: name,
          options: config,
          load: async () => ({ main: (await loadClientVerb()).rotate }),
        }),
      },
    }),
  },
});
