# shellcheck shell=bash
# The lines of git's configuration that name git-credential-ghauth: finds them, and takes them away without touching
# another helper. Sourced by uninstall_user_refresh.sh, with setup.bash before it.
# shellcheck disable=SC2154 # which sets what is not set here

# Sets git_lists to the lists of helpers that have ours among them ("FILE<newline>KEY"), of this user's own files, and
# git_strangers to those of other files.
find_git_helper_lines() {
  local origin line
  declare -gA git_lists=() git_strangers=()
  while IFS= read -r -d '' origin && IFS= read -r -d '' line; do
    [[ ${line#*$'\n'} == *git-credential-ghauth* ]] || is_our_helper "${line#*$'\n'}" || continue
    origin=${origin#file:}
    # What somebody wrote around our helper is theirs: it is named, and stays.
    if is_our_helper "${line#*$'\n'}" && [[ $origin == "$HOME"/* || $origin == "$config_home"/* ]]; then
      git_lists[$origin$'\n'${line%%$'\n'*}]=1
    else
      git_strangers[$origin$'\n'${line%%$'\n'*}]=1
    fi
  done < <(cd / && env -u GIT_DIR -u GIT_CONFIG_COUNT -u GIT_CONFIG_PARAMETERS \
    git config --null --show-origin --get-regexp '^credential\.(.*\.)?helper$' 2>/dev/null)
}

# Git takes `ghauth` for git-credential-ghauth, and runs a path by a shell, so that it may be quoted.
is_our_helper() {
  local word=${1#!}
  [[ $1 == ghauth ]] && return
  word=${word//[\'\"\\]/}
  [[ $word =~ ^(~?/[^[:space:]]*/)?git-credential-ghauth$ || $word == "$bin_dir/git-credential-ghauth" ]]
}

# Sets of one list: ours, the others to be kept in their order, and whether an empty line goes too. It makes git forget
# the helpers before it: one right before ours, with none but ours behind it, was put there for ours.
read_git_list() { # read_git_list FILE KEY
  local values at last=-1
  ours=() others=() is_empty_line_ours=no
  mapfile -d '' -t values < <(git config --file "$1" --null --get-all "$2")
  for at in "${!values[@]}"; do
    if [[ -n ${values[at]} ]] && ! is_our_helper "${values[at]}"; then last=$at; fi
  done
  for at in "${!values[@]}"; do
    if is_our_helper "${values[at]}"; then
      ours+=("${values[at]}")
    elif ((at > last)) && is_our_helper "${values[at + 1]-}"; then
      is_empty_line_ours=yes
    else
      others+=("${values[at]}")
    fi
  done
}

remove_git_helper_lines() {
  local list file key why
  local -a ours others
  for list in "${!git_lists[@]}"; do
    file=${list%$'\n'*} key=${list##*$'\n'}
    read_git_list "$file" "$key"
    if [[ $dry_run == yes ]]; then
      say "would remove from $(shown "$file"): $key = ${ours[0]}"
    elif why=$(rewrite_git_list "$file" "$key" 2>&1); then
      say "removed from $(shown "$file"): $key = ${ours[0]}"
    else
      not_removed "$key = ${ours[0]} in $(shown "$file")" "${why%%$'\n'*}"
    fi
  done
}

rewrite_git_list() {
  local value
  if [[ $is_empty_line_ours == yes || ${#others[@]} == 0 ]]; then
    git config --file "$1" --unset-all "$2" || return
    for value in "${others[@]}"; do git config --file "$1" --add "$2" "$value" || return; done
  else
    for value in "${ours[@]}"; do
      git config --file "$1" --fixed-value --unset-all "$2" "$value" || (($? == 5)) || return # the same one twice
    done
  fi
}

tell_of_git_helper_lines() {
  local list file key
  local -a ours others
  for list in "${!git_lists[@]}"; do
    file=${list%$'\n'*} key=${list##*$'\n'}
    read_git_list "$file" "$key"
    say "Kept: $key = ${ours[0]} in $(shown "$file"). Remove it with $(git_command "$file" "$key")"
  done
}

git_command() {
  if ((${#others[@]} == 0)); then
    printf 'git config --file %q --unset-all %q' "$1" "$2"
  else
    printf 'git config --file %q --fixed-value --unset-all %q %q' "$1" "$2" "${ours[0]}"
  fi
}

tell_of_git_strangers() {
  local list
  for list in "${!git_strangers[@]}"; do
    warn "git still looks for ghauth, by ${list##*$'\n'} in ${list%$'\n'*}: its owner can remove that line."
  done
}
