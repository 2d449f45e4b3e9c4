# Shared by ./millstream, ./test and ./bench. Sourced with $root set; everything it says goes to stderr.

DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
TESTINGPLATFORM_TELEMETRY_OPTOUT=1
export DOTNET_NOLOGO DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_SKIP_FIRST_TIME_EXPERIENCE DOTNET_GENERATE_ASPNET_CERTIFICATE TESTINGPLATFORM_TELEMETRY_OPTOUT

say() { printf '%s\n' "$*" >&2; }

have() { command -v "$1" >/dev/null 2>&1; }

# Sets $dotnet, looking where the installer script puts it when PATH does not have it.
find_dotnet() {
    dotnet=$(command -v dotnet) && return
    for dotnet in "${DOTNET_ROOT:-/nowhere}/dotnet" "${HOME:-/nowhere}/.dotnet/dotnet"; do
        [ -x "$dotnet" ] && return
    done
    say "millstream: the .NET SDK 10 is needed and there is no 'dotnet' in PATH."
    say "Install it (https://dotnet.microsoft.com/download/dotnet/10.0; package dotnet-sdk-10.0) and run this again."
    exit 1
}

# Runs dotnet for a build: no servers stay behind. A home that cannot be written is replaced, and so is NuGet's folder in
# /tmp that another user has made, which keeps everybody else out.
build_with_dotnet() (
    if [ ! -w "${HOME:-/nowhere}" ]; then
        mkdir -p "$root/.build/home"
        HOME=$root/.build/home
        export HOME
    fi
    user=$(id -un 2>/dev/null) || user= # a user without a name has none there either
    scratch=${TMPDIR:-/tmp}/NuGetScratch$user
    if [ -z "${NUGET_SCRATCH-}" ] && [ -e "$scratch" ] && ! { [ -d "$scratch" ] && [ -O "$scratch" ] && [ -w "$scratch" ]; }; then
        mkdir -p "$root/.build/nuget"
        NUGET_SCRATCH=$root/.build/nuget
        export NUGET_SCRATCH
    fi
    exec "$dotnet" "$@" --disable-build-servers --nologo -v:quiet -clp:NoSummary </dev/null
)

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    [ "$(uname -s)" = Linux ] || return 1
    [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }
}

# install_package WHAT-FOR DEBIAN FEDORA ALPINE ARCH: the package by its name in each. Where it fails it is said, and nothing else happens.
install_package() {
    install_log=${TMPDIR:-/tmp}/millstream-install.$$
    say "millstream: installing $2 for $1"
    if have apt-get; then
        DEBIAN_FRONTEND=noninteractive
        export DEBIAN_FRONTEND
        as_root apt-get install -y -q "$2" || { as_root apt-get update -q && as_root apt-get install -y -q "$2"; }
    elif have dnf; then as_root dnf install -y -q "$3"
    elif have apk; then as_root apk add -q "$4"
    elif have pacman; then as_root pacman -S --noconfirm --quiet "$5"
    else false
    fi >"$install_log" 2>&1 </dev/null || {
        say "millstream: $2 could not be installed; going on without it. What the package manager said last:"
        tail -n 3 "$install_log" >&2
    }
    rm -f "$install_log"
}

# Installs bubblewrap where that needs no password. Where it may not, nothing is said here: who needs a sandbox names the remedy.
install_bubblewrap() {
    have bwrap || ! may_install || install_package "the sandboxes" bubblewrap bubblewrap bubblewrap bubblewrap
}

# Installs PostgreSQL, of which the tests start servers of their own. Where it may not, they are skipped and say so.
install_postgresql() {
    ! have initdb && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && may_install || return 0
    # Debian's package would make a server of the system and start it.
    no_server=/etc/postgresql-common/createcluster.d/millstream.conf
    if have apt-get && [ ! -e "$no_server" ]; then
        as_root mkdir -p "${no_server%/*}" && echo "create_main_cluster = false" | as_root tee "$no_server" >/dev/null
        install_package "the tests" postgresql postgresql-server postgresql postgresql
        as_root rm -f "$no_server"
    else
        install_package "the tests" postgresql postgresql-server postgresql postgresql
    fi
}
