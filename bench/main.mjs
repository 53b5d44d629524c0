import { benchBroker } from "./broker.mjs";
import { benchChat } from "./chat.mjs";
import { benchCredentialHelper } from "./credential-helper.mjs";
import { benchRefresh } from "./refresh.mjs";
import { benchStatus } from "./status.mjs";

// Ratios of medians, each against a peer in the same run; NODE_EXTRA_CA_CERTS would add the same time to every Node.
delete process.env.NODE_EXTRA_CA_CERTS;
for (const bench of [benchStatus, benchRefresh, benchCredentialHelper, benchChat, benchBroker])
  for (const line of await bench()) process.stdout.write(`${line}\n`);
