"""The files of an existing PBX as FreePBX 17 generates them, and the lines that attach us."""

from pathlib import Path

from router.asterisk.process import find_installation

EXTENSIONS = """
[general]
static=yes
writeprotect=no
clearglobalvars=no
#include extensions_override_freepbx.conf
#include extensions_additional.conf
#include extensions_custom.conf

[from-trunk]
include => from-pstn

[from-pstn]
include => from-pstn-custom
include => ext-did

[from-internal]
include => from-internal-custom
include => ext-queues
include => ext-group
include => ext-local
"""

ADDITIONAL = """
[globals]
ASTSPOOLDIR = /var/spool/asterisk
RINGTIMER = 15
AMPMGRUSER = admin

[ext-did]
exten => 74950000600,1,Set(__FROM_DID=${EXTEN})
 same => n,Goto(ext-queues,600,1)
exten => 74950000700,1,Set(__FROM_DID=${EXTEN})
 same => n,Goto(ext-group,700,1)
exten => 74950000101,1,Set(__FROM_DID=${EXTEN})
 same => n,Goto(from-did-direct,101,1)
exten => s,1,Hangup(1)

[from-did-direct]
include => ext-local

[ext-local]
exten => 101,1,Gosub(macro-exten-vm,s,1(novm,${EXTEN}))
 same => n,Hangup()

[macro-exten-vm]
exten => s,1,Set(RingGroupMethod=none)
 same => n,Gosub(sub-dial-one,s,1(${ARG2}))
 same => n,Return()

[sub-dial-one]
exten => s,1,Dial(PJSIP/${ARG1},15,t)
 same => n,Return()

[ext-group]
exten => 700,1,Set(RecordMethod=Group)
 same => n,Dial(Local/101@from-internal/n,15,t)
 same => n,Hangup()

[ext-queues]
exten => 600,1,Answer()
 same => n,Set(__NODEST=${EXTEN})
 same => n,Queue(600,tR,,,8)
 same => n,Set(__NODEST=)
 same => n,Hangup()
"""

PJSIP = """
[global]
type=global
user_agent=FPBX-17.0.19(22.10.1)
endpoint_identifier_order=ip,username,anonymous

[transport-udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}

[trunk-a]
type=endpoint
context=from-trunk
disallow=all
allow=alaw,ulaw
aors=trunk-a
direct_media=no
[trunk-a]
type=aor
contact=sip:127.0.0.2:9
[trunk-a]
type=identify
endpoint=trunk-a
match=127.0.0.2

[trunk-b]
type=endpoint
context=from-pstn
disallow=all
allow=alaw,ulaw
aors=trunk-b
direct_media=no
[trunk-b]
type=aor
contact=sip:127.0.0.6:9
[trunk-b]
type=identify
endpoint=trunk-b
match=127.0.0.6

[101]
type=endpoint
context=from-internal
disallow=all
allow=alaw,ulaw
aors=101
direct_media=no
[101]
type=aor
contact=sip:127.0.0.3:{phone}
[101]
type=identify
endpoint=101
match=127.0.0.3
#include pjsip_custom_post.conf
"""

CEL = """
[general]
#include cel_general_additional.conf
#include cel_general_custom.conf
"""

CEL_ADDITIONAL = """
enable=yes
dateformat=%F %T
apps=dial,park
events=APP_START,CHAN_START,CHAN_END,ANSWER,HANGUP
"""

MANAGER = """
[general]
enabled = yes
port = {port}
bindaddr = 127.0.0.1
displayconnects = no

[admin]
secret = amp111
deny=0.0.0.0/0.0.0.0
permit=127.0.0.1/255.255.255.0
read = system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,message
write = system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,message
writetimeout = 5000
#include manager_additional.conf
#include manager_custom.conf
"""  # noqa: E501

QUEUES = """
[general]
persistentmembers=yes
[600]
strategy=ringall
timeout=60
retry=1
member=Local/101@from-internal/n,0,101,PJSIP/101
"""

FILES = {
    "extensions.conf": EXTENSIONS,
    "extensions_additional.conf": ADDITIONAL,
    "extensions_override_freepbx.conf": "",
    "extensions_custom.conf": "",
    "pjsip_custom_post.conf": "",
    "cel.conf": CEL,
    "cel_general_additional.conf": CEL_ADDITIONAL,
    "cel_general_custom.conf": "",
    "cel_custom.conf": "[mappings]\n",
    "manager_additional.conf": "",
    "manager_custom.conf": "",
    "queues.conf": QUEUES,
    "features.conf": "[general]\n[featuremap]\nblindxfer=##\natxfer=*2\n",
    "musiconhold.conf": "[general]\n",
    "rtp.conf": "[general]\nrtpstart=39000\nrtpend=39400\n",
    "logger.conf": "[logfiles]\nfull => notice,warning,error\n",
    "indications.conf": "[general]\ncountry=us\n[us]\nring=440+480/2000,0/4000\nbusy=480+620/500,0/500\n",  # noqa: E501
}

LINES = {
    "extensions_custom.conf": "dialplan.conf",
    "pjsip_custom_post.conf": "pjsip.conf",
    "manager_custom.conf": "manager.conf",
    "cel_general_custom.conf": "cel-general.conf",
    "cel_custom.conf": "cel-custom.conf",
}


def directories(home: Path, modules: Path, data: Path) -> str:
    return (
        f"[directories]\nastetcdir => {home}/etc\nastmoddir => {modules}\nastvarlibdir => "
        f"{home}/lib\n"
        f"astdbdir => {home}/lib\nastkeydir => {home}/lib\nastdatadir => {data}\nastspooldir "
        f"=> {home}/spool\n"
        f"astrundir => {home}/run\nastlogdir => {home}/log\n[options]\nlive_dangerously = no\n"
    )


# what a small PBX of phones and one carrier loads, and no more
SHORT_LIST = (
    "pbx_config", "app_dial", "app_stack", "func_callerid", "func_logic", "func_strings",
    "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_pjproject", "res_pjsip",
    "res_pjsip_session", "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user",
    "res_pjsip_authenticator_digest", "res_pjsip_sdp_rtp", "res_pjsip_caller_id", "chan_pjsip",
    "res_rtp_asterisk", "codec_alaw", "codec_ulaw", "format_pcm", "bridge_simple",
    "bridge_native_rtp", "res_timing_timerfd", "app_queue", "res_musiconhold",
)  # fmt: skip


def short_module_list(*more: str) -> str:
    """A list of modules without those that Ringtrace needs, but for `more`."""
    lines = (f"load = {name}.so\n" for name in SHORT_LIST)
    return "[modules]\nautoload = no\n" + "".join((*lines, *(f"{line}\n" for line in more)))


def modules_to_load() -> str:
    """All that a stock Asterisk loads, but what needs hardware, a database or a port of its own."""
    left_out = (
        "chan_iax2",
        "chan_unistim",
        "chan_console",
        "chan_motif",
        "res_ari",
        "res_http",
        "pbx_dundi",
    )
    others = (
        "res_config_",
        "cdr_",
        "cel_odbc",
        "cel_pgsql",
        "cel_radius",
        "cel_tds",
        "cel_sqlite3",
        "res_snmp",
    )
    found = sorted(path.name for path in find_installation().modules.glob("*.so"))
    unwanted = [
        name for name in found if name.startswith((*left_out, *others, "res_odbc", "app_voicemail"))
    ]
    return "[modules]\nautoload=yes\n" + "".join(f"noload => {name}\n" for name in unwanted)
