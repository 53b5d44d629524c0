import { errnoOf, GhauthError, messageOf } from "../errors.js";

const networkFailures: Record<string, string> = {
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name cannot be resolved now",
  ECONNREFUSED: "it refuses connections",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "connecting takes too long",
  ENETUNREACH: "the network is unreachable",
  EHOSTUNREACH: "the host is unreachable",
  EPROTO: "it does not speak TLS",
};

const untrusted =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER))/;

/** Why a request had no answer, by the error of node:http, node:net or node:tls. */
export function explainFailure(url: URL, failure: unknown): GhauthError {
  const more = { cause: failure };
  const errno = errnoOf(failure) ?? "";
  if (untrusted.test(errno)) {
    const advice = /EXPIRED|NOT_YET_VALID/.test(errno)
      ? "set this host's clock if it is wrong (timedatectl), else renew the certificate there"
      : "check the address, and give a private CA in NODE_EXTRA_CA_CERTS";
    return new GhauthError(
      "tls_untrusted",
      `The certificate of ${url.host} is not trusted (${errno}): ${advice}.`,
      more,
    );
  }
  if (errno === "EMSGSIZE" || errno.startsWith("HPE_")) {
    return new GhauthError(
      "github_unavailable",
      `${url.host} sent something that is no answer: ${messageOf(failure)}.`,
      more,
    );
  }
  const known = networkFailures[errno.startsWith("ERR_SSL_") ? "EPROTO" : errno];
  const reason = known ?? messageOf(failure);
  return new GhauthError("github_unreachable", `${url.host} cannot be reached: ${reason}.`, more);
}
