#!/bin/sh
# Sets up .venv for the Makefile, on a machine that may have nothing but Python, git and make.
#
#   sh scripts/setup.sh runtime         what the program needs
#   sh scripts/setup.sh s3              that, and the library for S3-compatible services
#   sh scripts/setup.sh dev             that, the tools for tests and checks, a browser and Node
#   sh scripts/setup.sh lock [OPTION]   resolve the requirement files anew
#
# Three steps: pip puts uv into .uv, uv makes .venv, uv fills it. Every file that is downloaded
# must have a hash written in requirements/. A stamp in .make/ holds a digest of what the set-up
# was made from; while it matches, nothing is done and the network is not touched.

set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$1"
    say "$2"
    exit 1
}

# --- What the surroundings may say ---------------------------------------------------------

# Kept: where packages come from, and how to get there. Dropped: settings that would put packages
# elsewhere or choose other files, because the hashes would refuse those.
tame_surroundings() {
    for name in $(env | sed -n -e 's/^\(PIP_[A-Z_]*\)=.*/\1/p' -e 's/^\(UV_[A-Z_]*\)=.*/\1/p'); do
        case $name in
            *INDEX* | *FIND_LINKS | *CERT* | *TLS | *_HOST | *PROXY | *KEYRING* | *CREDENTIALS*) ;;
            *TIMEOUT | *RETRIES | *CACHE_DIR | *CONFIG_FILE | *OFFLINE) ;;
            *) unset "$name" ;;
        esac
    done
    unset PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX
    export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1
    export PIP_ROOT_USER_ACTION=ignore
    export UV_PYTHON_DOWNLOADS=never
    # As pip does: look at every index. Safe here, since a hash decides which file is taken.
    export UV_INDEX_STRATEGY=unsafe-best-match
    # As Debian's pip does: trust the certificates of the system.
    if [ -e /etc/ssl/certs/ca-certificates.crt ]; then export UV_SYSTEM_CERTS=true; fi
}

# uv does not read pip's settings; a mirror or a certificate set for pip should count for it too.
borrow_pip_settings() {
    pip_settings=$("$pip_python" -m pip config list 2>/dev/null) || pip_settings=
    [ -n "${UV_INDEX_URL:-}" ] || borrow UV_DEFAULT_INDEX index-url
    [ -n "${UV_EXTRA_INDEX_URL:-}" ] || borrow UV_INDEX extra-index-url
    borrow UV_INSECURE_HOST trusted-host
    borrow SSL_CERT_FILE cert
}

borrow() {
    if [ -n "$(printenv "$1")" ]; then
        return
    fi
    for place in :env: install global; do
        value=$(printf '%s\n' "$pip_settings" | sed -n "s/^$place\.$2='\(.*\)'\$/\1/p")
        if [ -n "$value" ]; then
            # Several values stand on lines of their own, which pip writes as \n.
            value=$(printf '%s\n' "$value" | sed 's/\\n/ /g')
            export "$1=$value"
            return
        fi
    done
}

# --- The steps -----------------------------------------------------------------------------

# A shim may exist without a Python behind it, so each candidate is asked.
is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        if is_new_enough "$python"; then
            leave_virtual_environment
            return
        fi
    done
    fail "Watchbook needs Python 3.11 or newer, and none was found${PYTHON:+ at $PYTHON}." \
        "Install one (Debian 12, Ubuntu 24.04: apt-get install python3) or name it: make PYTHON=/path/to/python3"
}

# Another virtual environment may come first in PATH. It may lack pip, and may go away, so the
# Python that it was made with is taken.
leave_virtual_environment() {
    base=$("$python" -c '
import sys
print("" if sys.prefix == sys.base_prefix else getattr(sys, "_base_executable", ""))
') || base=
    if [ -n "$base" ] && is_new_enough "$base"; then
        python=$base
    fi
}

find_pip() {
    for pip_python in "$python" python3 /usr/bin/python3; do
        if "$pip_python" -m pip --version >/dev/null 2>&1; then
            return
        fi
    done
    pip_python=
}

# install_package PACKAGE NEED REASON: as an administrator, and said before it is done.
install_package() {
    command -v apt-get >/dev/null || {
        say "Watchbook's set-up needs $2, and it is missing."
        say "Install it with your system's package manager, then run make again."
        return 1
    }
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || {
            say "Watchbook's set-up needs $2, and only an administrator can install it here."
            say "Ask for: apt-get install $1"
            return 1
        }
        as_root=sudo
    fi
    say "Installing the Debian package $1${as_root:+ (with sudo)}: $3."
    $as_root apt-get -q update >&2 &&
        $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -q install -y --no-install-recommends "$1" >&2
}

# uv is a program without dependencies, so the pip of any Python may fetch it.
install_pip() {
    install_package python3-pip "pip for $python" "pip fetches the installer, uv" || exit 1
    find_pip
    [ -n "$pip_python" ] || fail "python3-pip was installed, but $python still finds no pip." \
        "Name a Python that has one: make PYTHON=/usr/bin/python3"
}

# A snap sees nothing of /tmp, where the tests' pages are, so one does not count. The same list
# stands in tests/browser.py.
find_browser() {
    for browser in ${CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable}; do
        case $("$browser" --version 2>/dev/null) in
            '' | *snap*) ;;
            *) return 0 ;;
        esac
    done
    return 1
}

is_ubuntu() { grep -q '^ID=.*ubuntu' /etc/os-release 2>/dev/null; }

# Only the tests of pages need a browser, so everything else is set up without one, too.
install_browser() {
    if find_browser; then
        return
    elif is_ubuntu; then
        say "The tests of pages need a browser, and Ubuntu's own Chromium is a snap, which cannot see"
        say "them. Install Google's package of Chrome (google-chrome-stable), then run make again."
    else
        install_package chromium "Chromium for the tests of pages" \
            "the tests look at Watchbook's pages with it" ||
            say "Everything but the tests of pages works without it."
    fi
}

# Only the tests of the React component, and of the widget on a server, need it.
install_node() {
    for program in node npm; do
        command -v "$program" >/dev/null && continue
        package=$program
        [ "$program" = node ] && package=nodejs
        install_package "$package" "$program for the tests of the React component" \
            "the tests build that component as its users do" ||
            say "Everything but the tests of the React component works without it."
    done
}

install_uv() {
    find_pip
    [ -n "$pip_python" ] || install_pip
    borrow_pip_settings
    if [ -x .uv/bin/uv ] && stamped uv "$(digest requirements/bootstrap.txt)"; then
        return
    fi
    say "Installing uv into .uv: it makes the Python environment and checks every download's hash."
    rm -rf .uv
    # --target: Debian lets pip write nowhere else without a virtual environment (PEP 668).
    "$pip_python" -m pip install --quiet --target .uv --no-deps --only-binary :all: \
        --require-hashes -r requirements/bootstrap.txt >&2
    stamp uv "$(digest requirements/bootstrap.txt)"
}

# The programs inside hold the path of their environment, so one does not survive a move.
has_environment() {
    is_new_enough .venv/bin/python && grep -qF "$(pwd)/.venv" .venv/bin/activate 2>/dev/null
}

make_environment() {
    if has_environment; then
        return
    fi
    say "Making .venv with $("$python" --version) ($(command -v "$python"))."
    .uv/bin/uv venv --quiet --clear --python "$(command -v "$python")" .venv
}

# Wheels only: what a source package builds with would not be covered by our hashes, and a C
# compiler may be missing. The project itself is built by uv alone, without the network.
fill_environment() {
    say "Installing from requirements/$1.txt into .venv: $2."
    .uv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes \
        --only-binary :all: "requirements/$1.txt"
    .uv/bin/uv pip install --quiet --python .venv/bin/python --offline --no-deps --editable .
}

# --- Stamps --------------------------------------------------------------------------------

digest() {
    "$python" -c '
import hashlib, sys
print(hashlib.sha256(b"".join(open(name, "rb").read() for name in sys.argv[1:])).hexdigest())
' "$@"
}

stamped() { [ -f ".make/$1" ] && [ "$(cat ".make/$1")" = "$2" ]; }

stamp() {
    mkdir -p .make
    printf '%s\n' "$2" >".make/$1"
}

# --- What was asked for --------------------------------------------------------------------

set_up() {
    wanted=$1
    inputs=$(digest pyproject.toml scripts/setup.sh requirements/bootstrap.txt \
        requirements/runtime.txt requirements/s3.txt requirements/dev.txt)
    # Once S3 was asked for, it stays, also when newer versions are set up.
    if [ "$wanted" = s3 ] && [ ! -f .make/s3 ]; then stamp s3 wanted; fi
    if [ "$wanted" = runtime ] && [ -f .make/s3 ]; then wanted=s3; fi
    if has_environment && { stamped dev "$inputs" || stamped "$wanted" "$inputs"; }; then
        return
    fi
    rm -f .make/runtime .make/dev
    if [ -f .make/s3 ]; then stamp s3 wanted; fi
    install_uv
    make_environment
    case $wanted in
        runtime) fill_environment runtime "the libraries the program is made of" ;;
        s3) fill_environment s3 "those libraries, and one for S3-compatible services" ;;
        dev)
            fill_environment dev "those libraries, and the tools for tests and checks"
            install_browser
            install_node
            ;;
    esac
    stamp "$wanted" "$inputs"
}

compile() {
    output=$1
    shift
    say "Writing $output."
    UV_CUSTOM_COMPILE_COMMAND="make lock" .uv/bin/uv pip compile --quiet --universal \
        --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --annotation-style line --output-file "$output" "$@" >/dev/null
}

lock() {
    install_uv
    compile requirements/bootstrap.txt requirements/bootstrap.in "$@"
    compile requirements/runtime.txt pyproject.toml "$@"
    compile requirements/s3.txt pyproject.toml --extra s3 \
        --constraints requirements/runtime.txt "$@"
    compile requirements/dev.txt pyproject.toml --group dev \
        --constraints requirements/s3.txt "$@"
}

tame_surroundings
find_python
case ${1:-} in
    runtime | s3 | dev) set_up "$1" ;;
    lock)
        shift
        lock "$@"
        ;;
    *) fail "usage: sh scripts/setup.sh runtime|s3|dev|lock" "See the head of the file." ;;
esac
