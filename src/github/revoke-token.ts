import { GhauthError } from "../errors.js";
import { isObject } from "../files/json.js";
import type { Secret } from "../token/secret.js";
import { explainRefusal } from "./explain.js";
import type { GitHubRequest } from "./github-api.js";

/**
 * Ends an installation token at GitHub (DELETE /installation/token), for everybody who has it. Resolves with whether it
 * was alive until then. Rejects as explainRefusal says where that is transient, else with `refused`.
 */
export async function revokeToken(
  request: GitHubRequest,
  { token, host }: { token: Secret; host: string },
): Promise<"revoked" | "had_ended"> {
  const answer = await request({ method: "DELETE", path: "/installation/token", authorization: token });
  const { status, json } = answer;
  if (status === 204) return "revoked";
  if (status === 401 && isObject(json)) return "had_ended";
  const error = explainRefusal(answer, { host, appId: "" });
  if (error.isTransient) throw error;
  throw new GhauthError(
    "refused",
    `${host} does not revoke the token (HTTP ${status}): if it is no installation token, whoever issued it must; if its installation is suspended, it is of no use meanwhile.`,
    { cause: error },
  );
}
