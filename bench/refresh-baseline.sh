#!/usr/bin/env bash
# A straightforward refresh in bash, openssl, curl and jq: what ours is timed against.
# Same work: sign an App JWT, mint, try the token, write the same four lines by rename.
set -euo pipefail

api=$GITHUB_API_URL
file=${TOKEN_ENV_FILE:-$HOME/.config/takopi/github-token.env}
key=$HOME/.config/takopi/github-app.pem

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

now=$(date +%s)
header=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url)
payload=$(printf '{"iat":%d,"exp":%d,"iss":"%s"}' $((now - 60)) $((now + 540)) "$GITHUB_APP_ID" | base64url)
signature=$(printf '%s.%s' "$header" "$payload" | openssl dgst -sha256 -sign "$key" -binary | base64url)

answer=$(curl --silent --show-error --fail --max-time 20 --request POST \
  --header @<(printf 'Authorization: Bearer %s.%s.%s\n' "$header" "$payload" "$signature") \
  --header 'Accept: application/vnd.github+json' \
  "$api/app/installations/$GITHUB_APP_INSTALLATION_ID/access_tokens")
token=$(jq --raw-output --exit-status .token <<<"$answer")
expires_at=$(jq --raw-output --exit-status .expires_at <<<"$answer")

curl --silent --show-error --fail --max-time 20 --output /dev/null \
  --header @<(printf 'Authorization: Bearer %s\n' "$token") "$api/rate_limit"

umask 077
scratch=$(mktemp "$file.XXXXXX")
trap 'rm -f "$scratch"' EXIT
printf 'GITHUB_TOKEN=%s\nGH_TOKEN=%s\nGITHUB_TOKEN_EXPIRES_AT=%s\nGITHUB_TOKEN_EXPIRES_EPOCH=%d\n' \
  "$token" "$token" "$expires_at" "$(date --date "$expires_at" +%s)" >"$scratch"
sync "$scratch"
mv "$scratch" "$file"
echo "refreshed until $expires_at"
