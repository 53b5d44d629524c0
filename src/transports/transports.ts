import type { TransportDescriptor } from "../takopi/transport.js";
import { consoleTransport } from "./console/transport.js";
import { discord } from "./discord/transport.js";
import { telegram } from "./telegram/transport.js";

/** The transports that there are: each is a folder here, with a `transport.ts` that describes it, and a name in this list. */
export const transports: readonly TransportDescriptor[] = [telegram, discord, consoleTransport];
