# shellcheck shell=bash
# What bootstrap_user_refresh.sh, install_local.sh and uninstall_user_refresh.sh share: where things lie, the program's
# installation, and files that are replaced in one step and can all be put back. Sourced, not run.

[[ -n ${HOME:-} ]] || HOME=$(getent passwd "$(id -u)" | cut -d: -f6) || : # a container's user may be nobody's
if [[ -z ${HOME:-} ]]; then
  printf '%s: HOME is not set, and this user has no home directory: set HOME.\n' "${0##*/}" >&2
  exit 78
fi
export HOME

# shellcheck disable=SC2034 # the scripts use them
{
  root=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
  dry_run=no
  
  config_home=${XDG_CONFIG_HOME:-}
  [[ $config_home == /* ]] || config_home=$HOME/.config
  state_home=${XDG_STATE_HOME:-}
  [[ $state_home == /* ]] || state_home=$HOME/.local/state
  config_dir=$config_home/takopi
  state_dir=$state_home/takopi
  key_file=$config_dir/github-app.pem
  settings_file=$config_dir/github-app.env
  takopi_toml=$HOME/.takopi/takopi.toml
  program_dir=$HOME/.local/lib/takopi-ghauth
  bin_dir=$HOME/.local/bin
  unit_dir=$HOME/.config/systemd/user
  chat_unit=takopi-ghauth.service
  broker_unit=takopi-ghauth-broker.service
  refresh_unit=takopi-github-token-refresh
  refresh_units=("$refresh_unit.timer" "$refresh_unit.service" takopi-github-token-notify.service)
  executables=(ghauth git-credential-ghauth takopi-refresh-github-token)
}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
fail() { # fail EXIT_CODE SENTENCE
  printf '%s: %s\n' "${0##*/}" "$2" >&2
  exit "$1"
}

# read_options "$@": sets the variable of each option that is given to yes: $dry_run for --dry-run. Help ends here, and
# so does a word that is none of the script's known_options.
# shellcheck disable=SC2154 # the scripts set usage and known_options
read_options() {
  local word
  for word in "$@"; do
    if [[ $word == -h || $word == --help ]]; then
      say "$usage"
      exit 0
    fi
    if [[ ! $word =~ ^--[a-z-]+$ || " ${known_options[*]} " != *" $word "* ]]; then
      printf '%s\n\nThere is no option %s.\n' "$usage" "${word@Q}" >&2
      exit 64
    fi
    word=${word#--}
    printf -v "${word//-/_}" yes
  done
}

# A path as people write it.
shown() { case $1 in "$HOME"/*) printf '~%s' "${1#"$HOME"}" ;; *) printf '%s' "$1" ;; esac; }

# A path from a setting, with its ~ expanded.
# shellcheck disable=SC2088 # a ~ that no shell has expanded is what is looked for
expanded() { case $1 in '~' | '~/'*) printf '%s%s' "$HOME" "${1#'~'}" ;; *) printf '%s' "$1" ;; esac; }

# Sets $saved_settings to what github-app.env makes the refresh program use: assignments, for value_of. Where the program
# cannot tell, it sets $complaint, and fails.
# shellcheck disable=SC2034 # the scripts use them
read_saved_settings() {
  complaint=''
  saved_settings=$(ask_for_saved_settings 2>/dev/null) && return
  complaint=$(ask_for_saved_settings 2>&1 >/dev/null | awk '!seen[$0]++') || :
  return 1
}

# No variable that happens to be set now decides anything. The installed program knows a node; it may be an older one.
ask_for_saved_settings() {
  local program
  for program in "$root/scripts" "$program_dir/current/bin"; do
    program+=/takopi-refresh-github-token
    [[ -x $program ]] || continue
    env -i HOME="$HOME" PATH="$PATH" XDG_CONFIG_HOME="${XDG_CONFIG_HOME:-}" XDG_STATE_HOME="${XDG_STATE_HOME:-}" \
      GHAUTH_NODE="${node:-}" "$program" --settings && return
  done
  return 1
}

# value_of NAME ASSIGNMENTS: what they set it to, empty where they do not.
value_of() {
  (
    unset -v "$1"
    eval "$2"
    printf '%s' "${!1-}"
  )
}

# --- what is missing, said in one go

missing=()
stop_if_missing() {
  ((${#missing[@]} == 0)) && return
  printf '%s: nothing was changed, because this is missing or wrong:\n' "${0##*/}" >&2
  printf -- '- %s\n' "${missing[@]}" >&2
  exit 78
}

# Sets $node to the absolute path of the node program itself: version managers put shims on the PATH.
need_node() {
  node=$("${GHAUTH_NODE:-node}" -p process.execPath 2>/dev/null) || node=''
  if [[ $node != /* ]]; then
    missing+=("Node.js 20.19 or later: install it, or give its path in GHAUTH_NODE")
  elif ! "$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)' 2>/dev/null; then
    missing+=("Node.js 20.19 or later: $node is $("$node" --version)")
  fi
}

# Node imports no module from a path with a backslash, and a unit file takes no line break.
need_plain_home() {
  [[ $HOME != *[\\[:cntrl:]]* ]] || missing+=("a home directory without a backslash or a line break in its path: Node cannot run the program in $HOME")
}

need_program() {
  local file
  for file in dist/main.js dist/refresh/main.cjs dist/git/main.cjs; do
    [[ -f $root/$file ]] && continue
    missing+=("the built program, $root/dist: run npm ci first, in $root")
    return
  done
}

# systemctl finds the manager by XDG_RUNTIME_DIR, which su and sudo do not set.
use_user_manager() {
  local runtime_dir
  runtime_dir=/run/user/$(id -u)
  if [[ -z ${XDG_RUNTIME_DIR:-} && -d $runtime_dir ]]; then export XDG_RUNTIME_DIR=$runtime_dir; fi
}

need_user_manager() {
  use_user_manager
  if ! command -v systemctl >/dev/null; then
    missing+=("systemd (systemctl): the timer needs it")
  elif ! systemctl --user show --property=Version >/dev/null 2>&1; then
    missing+=("systemd's user manager, which cannot be reached: log in as $(id -un) itself, not by su or sudo, or run as root: loginctl enable-linger $(id -un)")
  fi
}

# --- files that are replaced in one step, and put back when a later step fails

undo_paths=()
undo_dirs=()
changed=()

backup_of() { printf '%s/.%s.before-setup' "${1%/*}" "${1##*/}"; }

# ensure_dir PATH [MODE]: creates what is missing of it.
ensure_dir() {
  local path=$1 mode=${2:-0700}
  if [[ ! -d ${path:=/} ]]; then
    [[ $dry_run == yes ]] && return
    ensure_dir "${path%/*}"
    mkdir -m "$mode" -- "$path"
    undo_dirs+=("$path")
  elif [[ -n ${2:-} && $(stat -Lc %a -- "$path") != "${mode#0}" ]]; then
    note_change "$path" "mode $mode"
    [[ $dry_run == yes ]] || chmod -- "$mode" "$path"
  fi
}

note_change() { # note_change PATH WHAT
  changed+=("$1")
  if [[ $dry_run == yes ]]; then say "would change $(shown "$1"): $2"; else say "changed $(shown "$1"): $2"; fi
}

# Files of this user's with secrets, or with programs to run, that others may read or write: what reads them refuses that.
keep_to_owner() {
  local path
  for path in "$@"; do
    [[ -f $path && -O $path && $(stat -Lc %a -- "$path") != [0-7]00 ]] || continue
    note_change "$path" "mode 0600, for it was open to others"
    [[ $dry_run == yes ]] || chmod -- 0600 "$path"
  done
}

# Called with a path before it is replaced or put back.
before_replacing() { :; }

remember() {
  local path=$1 backup
  backup=$(backup_of "$path")
  rm -f -- "$backup"
  # A hard link: the old file itself, without a second copy of it.
  if [[ -e $path || -L $path ]]; then ln -P -T -- "$path" "$backup"; fi
  undo_paths+=("$path")
}

# put MODE PATH TEXT: makes PATH a file with that text, unless it is one already.
put() {
  local mode=$1 path=$2 text=$3 scratch
  if [[ -f $path && ! -L $path ]] && printf '%s' "$text" | cmp -s -- - "$path"; then
    [[ $(stat -c %a -- "$path") == "${mode#0}" ]] && return
    note_change "$path" "mode $mode"
    [[ $dry_run == yes ]] || chmod -- "$mode" "$path"
    return
  fi
  note_change "$path" "$([[ -e $path ]] && echo "new contents" || echo "a new file"), mode $mode"
  [[ $dry_run == yes ]] && return
  scratch=$(mktemp -- "${path%/*}/.${path##*/}.XXXXXX")
  scratches+=("$scratch")
  printf '%s' "$text" >"$scratch"
  chmod -- "$mode" "$scratch"
  sync -- "$scratch"
  remember "$path"
  before_replacing "$path"
  mv -fT -- "$scratch" "$path"
  sync -- "${path%/*}"
}

# put_link TARGET PATH: makes PATH a symbolic link to TARGET, unless it is one already.
put_link() {
  local target=$1 path=$2 scratch
  [[ -L $path && $(readlink -- "$path") == "$target" ]] && return
  note_change "$path" "link to $target"
  [[ $dry_run == yes ]] && return
  if [[ -d $path && ! -L $path ]]; then fail 78 "$path is a directory: move it away."; fi
  scratch=${path%/*}/.${path##*/}.$$
  scratches+=("$scratch")
  ln -sfT -- "$target" "$scratch"
  remember "$path"
  mv -fT -- "$scratch" "$path"
}

scratches=()

# Puts back all that was replaced, newest first.
put_back() {
  local at path backup
  for path in "${scratches[@]}"; do rm -rf -- "$path"; done
  for ((at = ${#undo_paths[@]} - 1; at >= 0; at--)); do
    path=${undo_paths[at]}
    backup=$(backup_of "$path")
    before_replacing "$path"
    if [[ -e $backup || -L $backup ]]; then mv -fT -- "$backup" "$path"; else rm -f -- "$path"; fi
  done
  for ((at = ${#undo_dirs[@]} - 1; at >= 0; at--)); do
    rmdir -- "${undo_dirs[at]}" 2>/dev/null || : # somebody may have put something there
  done
  undo_paths=() undo_dirs=()
}

# From here on nothing is put back.
keep_all() {
  local path
  for path in "${undo_paths[@]}"; do rm -f -- "$(backup_of "$path")"; done
  undo_paths=() undo_dirs=() scratches=()
}

# --- the program, under ~/.local/lib/takopi-ghauth

take_lock() {
  local lock=$program_dir/.lock
  [[ -e $lock ]] || scratches+=("$lock")
  exec 9>>"$lock"
  flock --nonblock 9 || fail 75 "another set-up of takopi-ghauth is running: wait for it, then try again."
}

# A release holds all that runs: one directory, named for its contents, so that an upgrade is one link replaced and a
# host that still runs the old program finds its files. Sets $release.
install_program() {
  local id target scratch name
  id=$(release_id)
  release=$program_dir/releases/$id
  ensure_dir "$program_dir/releases"
  ensure_dir "$bin_dir"
  if [[ ! -d $release ]] || ! release_is_whole; then
    note_change "$release" "the program"
    if [[ $dry_run == no ]]; then
      scratch=$(mktemp -d -- "$program_dir/releases/.$id.XXXXXX")
      scratches+=("$scratch")
      write_release "$scratch"
      sync -f -- "$scratch"
      [[ -d $release ]] || scratches+=("$release")
      rm -rf -- "$release"
      mv -T -- "$scratch" "$release"
    fi
  fi
  put_link "releases/$id" "$program_dir/current"
  for name in "${executables[@]}"; do
    target=$program_dir/current/bin/$name
    put_link "$target" "$bin_dir/$name"
  done
}

release_files=(package.json dist scripts systemd bridge)
for name in README.md LICENSE CHANGELOG.md takopi.example.toml; do
  [[ ! -f $root/$name ]] || release_files+=("$name")
done

release_id() {
  {
    (cd "$root" && find "${release_files[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --)
    printf '%s\n' "$node" "$program_dir"
  } | sha256sum | cut -c1-16
}

release_is_whole() {
  local file
  for file in "${release_files[@]}"; do diff -rq -- "$root/$file" "$release/$file" >/dev/null 2>&1 || return; done
  [[ -x $release/bin/takopi-refresh-github-token && -x $release/bin/ghauth ]]
}

write_release() {
  local target=$1 name script
  (cd "$root" && cp -R -- "${release_files[@]}" "$target")
  mkdir -- "$target/bin"
  put_executable ghauth dist/main.js $'#!/bin/sh\nnode=\'\' main=\'\'\n. "${main%/dist/*}/scripts/run-node.sh"'
  for name in takopi-refresh-github-token:refresh git-credential-ghauth:git; do
    script=$(<"$root/scripts/${name%:*}")
    put_executable "${name%:*}" "dist/${name#*:}/main.cjs" "$script"
  done
  chmod -- 0755 "$target"/{bin,scripts}/*
  chmod -R u=rwX,go=rX -- "$target"
}

# put_executable NAME MAIN TEXT: what runs MAIN of the release, with the paths of node and of MAIN in TEXT.
put_executable() {
  local paths
  paths="node=$(sh_quote "$node") main=$(sh_quote "$release/$2")"
  printf '%s\n' "${3/"node='' main=''"/"$paths"}" >"$target/bin/$1"
}

sh_quote() {
  local quote="'\\''"
  printf "'%s'" "${1//\'/"$quote"}"
}

# Keeps the release in use and the newest other one, which a running host may still read from.
drop_old_releases() {
  local path kept=no
  find "$program_dir/releases" -mindepth 1 -maxdepth 1 -name '.*' -exec rm -rf -- {} + # of set-ups that were killed
  while IFS= read -r -d '' path; do
    path=${path#* }
    [[ $path == "$release" ]] && continue
    if [[ $kept == no ]]; then kept=yes; else rm -rf -- "$path"; fi
  done < <(find "$program_dir/releases" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%C@ %p\0' | sort -zrn)
}

# --- units

# systemd's note of when a timer with Persistent= last ran.
stamp_of() { printf '%s/systemd/timers/stamp-%s' "${XDG_DATA_HOME:-$HOME/.local/share}" "$1"; }

# use_paths_of ASSIGNMENTS: where the refresh service writes, as the settings say.
use_paths_of() {
  token_env_file=$(value_of TOKEN_ENV_FILE "$1")
  token_env_dir=${token_env_file%/*}
  gh_config_dir=$(value_of GH_CONFIG_DIR "$1") # empty where gh is left alone
  broker_token_file=$(value_of GHAUTH_BROKER_TOKEN_FILE "$1") # empty with another source
}

# Fills in a template of systemd/; $1 is its name. Values stand in double quotes there.
render_unit() {
  local text name
  text=$(<"$root/systemd/$1")
  local -A values=(
    [REFRESH_SCRIPT]=$bin_dir/takopi-refresh-github-token
    [GHAUTH]=$bin_dir/ghauth
    [XDG_CONFIG_HOME]=$config_home
    [XDG_STATE_HOME]=$state_home
    [CONFIG_DIR]=$config_dir
    [STATE_DIR]=$state_dir
    [TOKEN_ENV_FILE]=${token_env_file:-$config_dir/github-token.env}
    [BROKER_TOKEN_FILE]=${broker_token_file:-$settings_file}
    [TOKEN_ENV_DIR]=${token_env_dir:-$config_dir}
    [GH_CONFIG_DIR]=${gh_config_dir:-$config_home/gh}
  )
  for name in "${!values[@]}"; do text=${text//"@$name@"/"$(unit_quote "${values[$name]}")"}; done
  printf '%s\n' "$text"
}

# Inside double quotes systemd reads backslashes, and % anywhere (systemd.unit(5)).
unit_quote() {
  local value=${1//\\/\\\\}
  value=${value//\"/\\\"}
  printf '%s' "${value//%/%%}"
}
