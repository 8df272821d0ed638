"""A home beside a console that is a program of its own."""

# A console that knows the trunks of trunks.conf after a reload, but for those called "refused".
CONSOLE = """#!/bin/sh
cd "$(dirname "$0")"
[ ! -e stopped ] || { echo "Unable to connect to remote asterisk"; exit 1; }
case "$2" in
"module reload res_pjsip.so") cp home/asterisk/etc/ringtrace/trunks.conf loaded
    echo "Module 'res_pjsip.so' reloaded successfully." ;;
"pjsip show endpoints") touch loaded
    sed -n 's/^\\[\\([a-z0-9-]*\\)\\](ringtrace-c.*/ Endpoint:  \\1      Unavailable   0 of inf/p' loaded |
        grep -v refused ;;
"pjsip show identifies") sed -n -e 's/^endpoint = \\(.*\\)/ Identify:  x\\/\\1/p' \\
    -e 's/^match = \\(.*\\)/      Match: \\1\\/32/p' loaded ;;
"pjsip show identify "*) name=${2##* }; echo " Identify:  $name/${name%-identify}" ;;
"pjsip show transports") echo "Transport:  transport-udp   udp      0      0  0.0.0.0:5060"
    echo "Transport:  transport-tcp   tcp      0      0  0.0.0.0:5060" ;;
"pjsip show registrations") echo " carrier/sip:127.0.0.1      carrier     Registered   (exp. 285s)" ;;
"pjsip show contacts") echo "  Contact:  carrier/sip:127.0.0.1     16eb0b5878 Avail         1.812" ;;
esac
exit 0
"""  # noqa: E501
