# Debian packages that a test needs. To be sourced by bash.

# install_packages LOG PACKAGE...: installs those that are missing, and shows the log when that fails.
install_packages() {
    local log=$1 package missing=()
    shift
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>&1) = installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    echo "installing ${missing[*]}" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 || { cat "$log" >&2 && return 1; }
}
