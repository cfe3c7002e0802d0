# Sourced by the commands in scripts/: makes everything they need, once; a second run only looks.
#
#   . scripts/lib/setup.sh
#   set_up [COMMAND=PACKAGE …]      # commands needed beside those of every run
#
# Python packages go into .venv/ at the root of the project, an Asterisk (where the system has none
# of version 20 or newer) into the cache folder. Debian packages are installed when run as root.

project_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache_folder=${XDG_CACHE_HOME:-$HOME/.cache}/yobirin

set_up() {
    mkdir -p "$cache_folder"
    (
        cd "$project_root"
        flock 9 # two commands started together set up one after the other
        install_packages sox=sox unshare=util-linux mount=mount "$@"
        make_venv
        python_for_setup -m scripts.asterisk.root
    ) 9>"$cache_folder/setup.lock"
}

say_and_stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A Python from 3.11 on; PYTHONPATH lets it run the helpers that need no package.
python_for_setup() {
    PYTHONPATH=$project_root "$(find_python)" "$@"
}

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    say_and_stop "Python 3.11 or newer is needed: apt-get install python3"
}

# Arguments: COMMAND=PACKAGE; what is missing is installed.
install_packages() {
    local pair missing=()
    for pair in "$@"; do
        is_there "${pair%%=*}" || missing+=("${pair#*=}")
    done
    has_venv_module || missing+=(python3-venv)
    has_asterisk || is_there mmdebstrap || missing+=(mmdebstrap)
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! is_there apt-get; then
        say_and_stop "missing: ${missing[*]}. Install them (as root: apt-get install ${missing[*]})," \
            "or run this once as root."
    fi
    printf 'installing %s …\n' "${missing[*]}" >&2
    no_database_cluster
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends \
        -o Dpkg::Options::=--force-confold "${missing[@]}" >"$cache_folder/apt.log" 2>&1 ||
        say_and_stop "apt-get install failed: see $cache_folder/apt.log"
}

is_there() {
    if [ "$1" = initdb ]; then # Debian keeps it off the PATH
        compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null
    else
        command -v "$1" >/dev/null
    fi
}

has_venv_module() {
    "$(find_python)" -c 'import ensurepip, venv' 2>/dev/null
}

has_asterisk() {
    command -v asterisk >/dev/null || [ -e "$cache_folder/asterisk-root/usr/sbin/asterisk" ]
}

# The tests start a database server of their own; nothing shall run on the machine because of us.
no_database_cluster() {
    local file=/etc/postgresql-common/createcluster.conf
    [ -e "$file" ] && return
    mkdir -p "${file%/*}"
    echo 'create_main_cluster = false' >"$file"
}

make_venv() {
    local stamp=.venv/.set-up wanted
    wanted=$(cat requirements-build.txt requirements.txt pyproject.toml | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    printf 'installing Python packages into .venv …\n' >&2
    .venv/bin/python -c '' 2>/dev/null || "$(find_python)" -m venv --clear .venv
    local pip=(.venv/bin/python -m pip --disable-pip-version-check -qq install)
    "${pip[@]}" --require-hashes -r requirements-build.txt
    # what comes as source is built with the packages just installed, not with newer ones
    "${pip[@]}" --require-hashes --no-build-isolation --use-pep517 -r requirements.txt
    "${pip[@]}" --no-deps --no-build-isolation --editable .
    printf '%s\n' "$wanted" >"$stamp"
}
