# Sources of Debian packages that a test builds or reads. To be sourced by bash.

# fetch_source WORK PACKAGE PATTERN: the archive of a package that fits the pattern, in WORK/sources, from where this system
# gets its packages. The system's own list of sources stays as it is: apt is given another, in which each entry asks for
# sources.
fetch_source() {
    local work=$1 package=$2 pattern=$3 apt=$1/apt list
    compgen -G "$work/sources/$pattern" >/dev/null && return 0
    rm -rf "$apt" && mkdir -p "$apt/entries" "$apt/lists/partial" "$work/sources"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [[ -r $list ]] || continue
        sed -e 's/^Types:.*/Types: deb-src/' -e 's/^deb /deb-src /' "$list" >"$apt/entries/$(basename "$list")"
    done
    (
        options=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/entries" -o Dir::State::Lists="$apt/lists"
            -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
        cd "$work/sources"
        apt-get "${options[@]}" update && apt-get "${options[@]}" source --download-only "$package"
    ) >"$work/apt.log" 2>&1 || true
    compgen -G "$work/sources/$pattern" >/dev/null || {
        cat "$work/apt.log" >&2
        echo "no $pattern from Debian's source package $package" >&2
        return 1
    }
}
