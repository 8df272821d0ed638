#!/usr/bin/env bash
# Finds an Asterisk that runs here, or makes one, and says on stdout where its parts are, one KEY=VALUE a line:
#
#   ASTERISK_LAUNCH    the program to start; it takes Asterisk's own arguments
#   ASTERISK_VERSION   as `asterisk -V` says it, for example 22.10.1
#   ASTERISK_MODULES   for astmoddir
#   ASTERISK_DATA      for astdatadir
#   ASTERISK_SPEECH    a directory of recorded English speech, 8 kHz 16 bit mono .wav
#
# In order: $RINGTRACE_ASTERISK_PROGRAM; `asterisk` on PATH, 20 or newer; else Debian sid's package, unpacked into the
# cache ($RINGTRACE_CACHE, else ~/.cache/ringtrace, for root /var/cache/ringtrace) and run there by its own loader: no
# root, no chroot, no namespace. Remove that directory to have a newer one made. `asterisk.sh needs` prints, for
# `.ci/need`, what the machine lacks for the making. Messages go to stderr.
set -euo pipefail
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # where Debian puts asterisk, and an ordinary user does not look
oldest=20
cache=${RINGTRACE_CACHE:-${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/ringtrace}
# Root's own home is closed to the user that Asterisk runs as; what was made there before is kept.
[ "${RINGTRACE_CACHE:-}${XDG_CACHE_HOME:-}" ] || [ -e "$cache" ] || [ "$(id -u)" != 0 ] || cache=/var/cache/ringtrace
keyring=/usr/share/keyrings/debian-archive-keyring.gpg # Ubuntu keeps it in a package of its own

say() { echo "asterisk: $*" >&2; }
die() { say "$*"; exit 1; }

first() { # PATTERN …: the first path that matches, patterns in order
    local pattern
    for pattern; do compgen -G "$pattern" | sort | head -n 1 | grep . && return; done
    return 1
}

describe() { # LAUNCH: sets version, modules and data, or says in $why it cannot be used
    local real home prefix
    launch=$1
    version=$("$launch" -V 2>/dev/null | sed -n 's/^Asterisk \(certified.\)\?\([0-9][0-9.]*\).*/\2/p')
    [ "$version" ] || { why="$launch is not an Asterisk"; return 1; }
    [ "${version%%.*}" -ge "$oldest" ] || { why="$launch is version $version, older than $oldest"; return 1; }
    real=$(readlink -f "$(command -v "$launch")")
    home=${real%/*}
    prefix=${home%/*}
    modules=$(first "$home"/root/usr/lib/*/asterisk/modules/res_pjsip.so \
        "$prefix"/lib/*/asterisk/modules/res_pjsip.so "$prefix"/lib{,64}/asterisk/modules/res_pjsip.so) ||
        { why="$launch has no module res_pjsip.so"; return 1; }
    modules=${modules%/*}
    data=$(first "$home"/root/usr/share/asterisk/documentation "$prefix"/share/asterisk/documentation \
        "${prefix%/usr}"/var/lib/asterisk/documentation "$prefix"/var/lib/asterisk/documentation) ||
        { why="the data directory of $launch was not found"; return 1; }
    data=${data%/*}
}

find_speech() { # sets speech
    speech=$(first "$data"/sounds/en*/vm-goodbye.wav "$cache"/speech/root/usr/share/asterisk/sounds/en*/vm-goodbye.wav) ||
        return 1
    speech=${speech%/*}
}

find_asterisk() {
    if [ "${RINGTRACE_ASTERISK_PROGRAM:-}" ]; then
        describe "$RINGTRACE_ASTERISK_PROGRAM" || die "RINGTRACE_ASTERISK_PROGRAM: $why"
        return
    fi
    if launch=$(command -v asterisk); then
        describe "$launch" && return
        say "$why; it is passed over"
    fi
    [ -x "$cache/asterisk/asterisk" ] && { describe "$cache/asterisk/asterisk" || die "$why; remove $cache/asterisk"; }
}

finish_asterisk() { # DIR: what the package's maintainer scripts would have linked, and the launcher
    local root=$1/root loader libraries
    loader=$(first "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.* "$root"/usr/lib/*/ld-linux-*.so.*)
    libraries=$(first "$root"/usr/lib/*/asterisk)
    ln -s en_US_f_Allison "$root/usr/share/asterisk/sounds/en"
    cat >"$1/asterisk" <<END
#!/bin/sh
# This tree's Asterisk, run by the tree's own loader on the tree's own libraries.
here=\$(dirname "\$(readlink -f "\$0")")
exec "\$here${loader#"$1"}" --argv0 "\$here/asterisk" --library-path "\$here$(dirname "${libraries#"$1"}")" \\
    "\$here/root/usr/sbin/asterisk" "\$@"
END
    chmod 755 "$1/asterisk"
}

make_tree() { # NAME PACKAGES SIZE: $cache/NAME/root holds Debian sid's packages, whole or not at all
    local name=$1 packages=$2 size=$3
    command -v mmdebstrap >/dev/null && [ -e "$keyring" ] ||
        die "please install the packages mmdebstrap and debian-archive-keyring, or asterisk $oldest or newer"
    mkdir -p "$cache"
    exec 9>"$cache/.lock"
    flock -n 9 || { say "waiting for another set-up to finish"; flock 9; }
    [ ! -e "$cache/$name" ] || return 0 # the other one made it
    rm -rf "$cache"/.new.*              # left by one that was killed
    new=$(mktemp -d "$cache/.new.XXXXXX")
    maker=
    trap '[ -z "$maker" ] || { kill -- "-$maker"; wait "$maker"; } 2>/dev/null || :; rm -rf "$new"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    chmod 755 "$new"
    say "fetching $packages from Debian sid into $cache (once; $size)"
    # Nothing is installed, only unpacked, so no mode needs privileges, and chrootless is safe for root as well.
    # A session of its own, so that an interruption ends apt and its children at once.
    setsid mmdebstrap --quiet --mode=chrootless --skip=check/chrootless --variant=extract --include="$packages" \
        --keyring="$keyring" --aptopt='Acquire::Check-Valid-Until "false"' sid "$new/root" >&2 &
    maker=$!
    wait "$maker" || die "mmdebstrap failed"
    maker=
    [ "$name" != asterisk ] || finish_asterisk "$new"
    mv -T "$new" "$cache/$name"
    trap - EXIT INT TERM HUP
    flock -u 9
}

if [ "${1:-}" = needs ]; then
    { find_asterisk && find_speech; } || echo "mmdebstrap=mmdebstrap $keyring=debian-archive-keyring"
    exit 0
fi
if ! find_asterisk; then
    make_tree asterisk asterisk,asterisk-core-sounds-en-wav "about 100 MB to fetch, 290 MB on disk"
    describe "$cache/asterisk/asterisk" || die "$why"
fi
if ! find_speech; then
    make_tree speech asterisk-core-sounds-en-wav "about 20 MB"
    find_speech || die "no recorded speech in $cache/speech"
fi
cat <<END
ASTERISK_LAUNCH=$launch
ASTERISK_VERSION=$version
ASTERISK_MODULES=$modules
ASTERISK_DATA=$data
ASTERISK_SPEECH=$speech
END
