#!/bin/bash
# Records the captures of this folder anew, from real traffic between network namespaces of its own.
#   record.sh [NAME...]    all of them, or those named; needs root, Linux and the programs listed below
# Every NAME is a function scene_NAME below: what is done, and by reasoning what cutshort has to say about it. It
# becomes NAME.pcapng and NAME.toml, and oracle.py holds the two against each other.
#
#   cs-c client --- cs-m router and middlebox --- cs-s server, where the recording is done
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
# The distribution's own Python, whatever else is installed.
python=/usr/bin/python3

# Documentation addresses (RFC 5737, RFC 3849), and link addresses that name no vendor.
C4=198.51.100.2 C6=2001:db8:1::2 S4=203.0.113.2 S6=2001:db8:2::2 V4=203.0.113.9 V6=2001:db8:2::9
MAC_C=02:00:00:00:01:02 MAC_MC=02:00:00:00:01:01 MAC_MS=02:00:00:00:02:01 MAC_S=02:00:00:00:02:02

pids=() own=() tmp=

need() { # need PROGRAM...: says all that is missing, not only the first
    local missing=()
    for program; do command -v "$program" >/dev/null || missing+=("$program"); done
    [ ${#missing[@]} = 0 ] || { echo "record.sh: not installed: ${missing[*]}" >&2; exit 1; }
}

down() { # ends what was started, and only that
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    for name in "${own[@]}"; do ip netns del "$name"; done
    pids=() own=()
    [ -z "$tmp" ] || rm -r "$tmp"
    tmp=
}

start() { # start NAMESPACE COMMAND...: in the background, its output in $tmp/log, its process in $last
    : >"$tmp/log"
    ip netns exec "$@" >"$tmp/log" 2>&1 </dev/null &
    last=$!
    pids+=("$last")
}

stop() { # stop PID [SIGNAL]
    kill -"${2:-TERM}" "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

ready() { # ready WORD: waits until the program started last has printed it
    for _ in $(seq 100); do
        ! grep -q "$1" "$tmp/log" || return 0
        sleep 0.05
    done
    echo "record.sh: a helper did not start:" >&2
    cat "$tmp/log" >&2
    exit 1
}

# In a namespace, and never for long.
c() { timeout 30 ip netns exec cs-c "$@"; }
m() { timeout 30 ip netns exec cs-m "$@"; }
s() { timeout 30 ip netns exec cs-s "$@"; }

# ---- the network ----

interface() { # interface NAMESPACE NAME MAC IPV4 IPV6
    ip -n "$1" link set "$2" address "$3"
    ip -n "$1" addr add "$4/24" dev "$2"
    ip -n "$1" addr add "$5/64" dev "$2" nodad
    ip -n "$1" link set "$2" up
    # No offloads: packets as they would be on a wire.
    ip netns exec "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
}

neighbour() { # neighbour NAMESPACE DEVICE MAC ADDRESS...: known for good, so recordings hold no ARP by accident
    local namespace=$1 device=$2 mac=$3
    shift 3
    for address; do ip -n "$namespace" neigh replace "$address" lladdr "$mac" dev "$device" nud permanent; done
}

network() {
    for name in cs-c cs-m cs-s; do
        ip netns add "$name"
        own+=("$name")
        # No link-local addresses, so no router solicitations; no multicast reports either, which come at any time.
        ip netns exec "$name" sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 net.ipv4.tcp_fastopen=3
        ip netns exec "$name" nft 'table ip6 quiet { chain f { type filter hook output priority 0; icmpv6 type 143 drop; }; }'
        ip -n "$name" link set lo up
    done
    m sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip link add c0 netns cs-c type veth peer name mc netns cs-m
    ip link add ms netns cs-m type veth peer name s0 netns cs-s
    interface cs-c c0 $MAC_C $C4 $C6
    interface cs-m mc $MAC_MC 198.51.100.1 2001:db8:1::1
    interface cs-m ms $MAC_MS 203.0.113.1 2001:db8:2::1
    interface cs-s s0 $MAC_S $S4 $S6
    neighbour cs-c c0 $MAC_MC 198.51.100.1 2001:db8:1::1
    neighbour cs-m mc $MAC_C $C4 $C6
    neighbour cs-m ms $MAC_S $S4 $S6 $V4 $V6
    neighbour cs-s s0 $MAC_MS 203.0.113.1 2001:db8:2::1
    ip -n cs-c route add default via 198.51.100.1
    ip -n cs-c -6 route add default via 2001:db8:1::1
    ip -n cs-s route add default via 203.0.113.1
    ip -n cs-s -6 route add default via 2001:db8:2::1
}

servers() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=server.example \
        -keyout "$tmp/key" -out "$tmp/cert" 2>/dev/null
    mkdir "$tmp/www"
    # Zeros: their bytes do not matter, their number does.
    head -c 60000 /dev/zero >"$tmp/www/big"
    head -c 3000 /dev/zero >"$tmp/www/page"
    cat >"$tmp/nginx.conf" <<CONF
daemon off; pid $tmp/nginx.pid; error_log $tmp/nginx.log; user root; worker_processes 1;
events { }
http {
    access_log off; server_tokens off; keepalive_timeout 60s;
    client_body_temp_path $tmp/t1; proxy_temp_path $tmp/t2; fastcgi_temp_path $tmp/t3; uwsgi_temp_path $tmp/t4; scgi_temp_path $tmp/t5;
    server {
        listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
        listen 8080 fastopen=16; listen [::]:8080 fastopen=16;
        ssl_certificate $tmp/cert; ssl_certificate_key $tmp/key;
        root $tmp/www;
        location / { return 200 "hello\n"; }
        location = /big { }
        location = /page { }
    }
}
CONF
    start cs-s nginx -c "$tmp/nginx.conf"
    start cs-s "$python" "$here/server.py" 9001:silent 9002:reset 9003:refuse 9004:slow
    for _ in $(seq 100); do
        [ "$(s ss -Hltn | wc -l)" -lt 10 ] || return 0
        sleep 0.05
    done
    echo "record.sh: the servers did not start" >&2
    exit 1
}

# ---- recording ----

window() { # a recording must not cross the end of a 15-minute window, which would split its connections
    local left=$((900 - $(date +%s) % 900))
    if [ $left -lt 90 ]; then
        echo "waiting $left s for the next 15-minute window"
        sleep $((left + 1))
    fi
}

capture() { # capture [TCPDUMP OPTIONS]: of the server's interface, 128 bytes of each packet, unless told otherwise
    start cs-s tcpdump -Z root -n -U --immediate-mode --time-stamp-precision=nano -i s0 -s 128 -w "$tmp/raw" "$@"
    recorder=$last
    ready 'listening on'
}

save() { # save ABOUT TOOL: ends the recording; the table [expect] is read from standard input
    sleep 0.3
    stop "$recorder" INT
    # editcap writes no name, kernel or hardware of the machine.
    editcap -F pcapng "$tmp/raw" "$here/$scene.pcapng" 2>/dev/null
    local packets
    packets=$(capinfos -cM "$here/$scene.pcapng" 2>/dev/null | sed -n 's/.*packets: *//p')
    { printf 'about = "%s"\ntool = "%s"\npackets = %s\n[expect]\n' "$1" "$2" "$packets"; cat; } >"$here/$scene.toml"
    if "$python" "$here/oracle.py" --check "$here/$scene.pcapng"; then
        echo "$scene: $packets packets"
    else
        echo "$scene: NOT AS EXPECTED"
        failed=1
    fi
}

late() { # one UDP packet and the answer that nobody listens: the recording is longer than the connections
    sleep "$1"
    c bash -c "echo late >/dev/udp/$S4/9"
}

box() { # box OPTIONS: the middlebox forwards by itself from now on
    m nft 'table inet own { chain first { type filter hook prerouting priority -400; iifname { mc, ms } drop; }; }'
    start cs-m "$python" "$here/middlebox.py" --client-if mc --client-mac $MAC_C --server-if ms --server-mac $MAC_S "$@"
    boxed=$last
    ready ready
}

unbox() {
    stop "$boxed"
    m nft delete table inet own
}

# ---- clients; that they fail is often the point ----

get() { # get [CURL OPTIONS] PATH: over IPv4, then IPv6, one after the other; quietly
    local options=("${@:1:$#-1}") path=${*: -1}
    c curl -sk -o /dev/null "${options[@]}" "http://$S4$path" || true
    c curl -sk -o /dev/null "${options[@]}" "http://[$S6]$path" || true
}

gets() { # the same over https, with a name: gets [CURL OPTIONS] NAME
    local options=("${@:1:$#-1}") name=${*: -1}
    for address in "$S4" "[$S6]"; do
        c curl -sk -o /dev/null --resolve "$name:443:$address" "${options[@]}" "https://$name/" || true
    done
}

client() { # client PORT STEP...: over IPv4, then IPv6
    c "$python" "$here/client.py" $S4 "$@" || true
    c "$python" "$here/client.py" $S6 "$@" || true
}

clients() { # the same in the background, side by side
    start cs-c "$python" "$here/client.py" $S4 "$@"
    start cs-c "$python" "$here/client.py" $S6 "$@"
}

versions() {
    curl="curl $(curl --version | sed -n '1s/curl \([^ ]*\).*/\1/p')"
    nginx="nginx $(nginx -v 2>&1 | sed 's/.*nginx.//')"
    openssl="$(openssl version | cut -d' ' -f1,2)"
    # These print more than one line, and some of them fail doing so.
    nmap=$(nmap --version | sed -n 's/^Nmap version \([^ ]*\).*/nmap \1/p')
    zmap=$(zmap --version 2>&1 | sed -n 's/^zmap /zmap /p')
    masscan=$({ masscan --version || true; } | sed -n 's/^Masscan version \([^ ]*\).*/masscan \1/p')
    hping=$({ hping3 --version 2>&1 || true; } | sed -n 's/^hping3 version \([^ ]*\).*/hping3 \1/p')
}

# ---- the scenes ----
# The server's direction of a connection is a 5-tuple without a SYN packet, hence no_syn in nearly every table.

scene_http() {
    capture -s 0
    get /
    save "$curl fetches a page from $nginx over http, IPv4 and IPv6, and both close; whole packets" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_http-keepalive() {
    capture
    c curl -s -o /dev/null "http://$S4/1" -o /dev/null "http://$S4/2" -o /dev/null "http://$S4/3"
    c curl -s -o /dev/null "http://[$S6]/1" -o /dev/null "http://[$S6]/2" -o /dev/null "http://[$S6]/3"
    save "$curl fetches three pages over one connection from $nginx, IPv4 and IPv6, and closes" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_http-idle() {
    capture
    clients 80 "send:GET / HTTP/1.1\\r\\nHost: server.example\\r\\n\\r\\n" recv wait:30
    late 11
    save "A client fetches a page from $nginx and keeps the connection open in silence, IPv4 and IPv6: answered, so not a timeout" client.py <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { open = 2 }
tags = { answered = 2 }
signatures = {}
refused = { not_tcp = 2 }
T
}

scene_http-download() {
    capture
    get /big
    save "$curl downloads 60 kB from $nginx: the first 10 packets of the client hold no FIN, so the connection is open" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { open = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_https() {
    capture
    gets server.example
    for address in "$S4" "[$S6]"; do
        c openssl s_client -connect "$address:443" -servername server.example </dev/null >"$tmp/out" 2>&1
    done
    save "$curl fetches a page over https, then s_client of $openssl connects and closes; $nginx speaks TLS 1.2, IPv4 and IPv6" "$curl, $openssl" <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { none = 4 }
terminations = { fin = 4 }
tags = { answered = 4 }
signatures = {}
T
}

scene_client-timeout() {
    capture
    c curl -s -m 0.5 -o /dev/null "http://$S4:9004/" || true
    c curl -s -m 0.5 -o /dev/null "http://[$S6]:9004/" || true
    sleep 1.5
    save "$curl gives up (--max-time) before a slow server answers: FIN, then RST without ACK to the late answer; fin, so no signature; IPv4 and IPv6" "$curl, server.py" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { reset = 2 }
tags = { reset = 2, fin = 2, single_rst = 2 }
signatures = {}
T
}

scene_client-abort() {
    capture
    client 80 "send:GET /page HTTP/1.1\\r\\nHost: server.example\\r\\n\\r\\n" recv:100 wait:0.2 fin
    save "A client closes while part of the answer from $nginx is unread: its kernel sends RST+ACK instead of FIN; IPv4 and IPv6" client.py <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { reset = 2 }
tags = { reset = 2, single_rstack = 2, answered = 2 }
signatures = { "12" = 2 }
T
}

scene_client-reset() {
    capture
    local get="send:GET / HTTP/1.1\\r\\nHost: server.example\\r\\n\\r\\n"
    client 80 "$get" recv wait:0.1 rst
    client 80 "$get" recv "$get" recv wait:0.1 rst
    save "A client resets (SO_LINGER 0) after one and after two answered requests to $nginx, IPv4 and IPv6" client.py <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { post_psh = 2, later = 2 }
terminations = { reset = 4 }
tags = { reset = 4, single_rstack = 4, answered = 4 }
signatures = { "12" = 2, "19" = 2 }
T
}

scene_health-check() {
    capture
    client 80 rst
    client 80 fin
    save "Connect and reset at once (SO_LINGER 0), as load balancers do; then connect and close with FIN; IPv4 and IPv6" client.py <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { post_ack = 2, none = 2 }
terminations = { reset = 2, fin = 2 }
tags = { reset = 2, single_rstack = 2, answered = 2 }
signatures = { "8" = 2 }
T
}

scene_silent() {
    capture
    clients 9001 wait:30
    clients 9001 probe:1 wait:2.5 probe:0 wait:30
    late 13.5
    save "Connect and stay silent, IPv4 and IPv6; two of the four send keep-alive probes, a second distinct ack: no signature" client.py <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { post_ack = 4 }
terminations = { timeout = 4 }
tags = { timeout = 4 }
signatures = { "5" = 2 }
refused = { not_tcp = 2 }
T
}

scene_incomplete() {
    capture
    clients 9001 send:hello wait:30
    sleep 1
    save "The recording ends one second after the data of two connections: too early to call them timeouts" client.py <<'T'
connections = 0
excluded = { no_syn = 2, incomplete = 2 }
stages = {}
terminations = {}
tags = {}
signatures = {}
T
}

scene_unanswered() {
    capture
    clients 9001 send:hello wait:30
    late 11
    save "A client sends data, the server acknowledges but never answers, both stay silent, IPv4 and IPv6" client.py <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { timeout = 2 }
tags = { timeout = 2 }
signatures = { "10" = 2 }
refused = { not_tcp = 2 }
T
}

scene_server-reset() {
    capture
    client 81 wait:0
    client 9002 wait:0.5
    client 9003 send:hello wait:0.5
    save "The server refuses (closed port), resets right after accept (SO_LINGER 0), resets after the first data; IPv4 and IPv6" "client.py, server.py" <<'T'
connections = 6
excluded = { no_syn = 6 }
stages = { none = 6 }
terminations = { server_reset = 6 }
tags = { server_rst = 6 }
signatures = {}
T
}

scene_port-reuse() {
    capture
    client 80 port:40001 rst again rst
    save "A client connects twice from the same port, with another initial sequence number: two connections, both reset, IPv4 and IPv6" client.py <<'T'
connections = 4
excluded = { no_syn = 2 }
stages = { post_ack = 4 }
terminations = { reset = 4 }
tags = { reset = 4, single_rstack = 4 }
signatures = { "8" = 4 }
T
}

scene_fast-open() {
    capture
    for port in 8080 8080; do
        for address in "$S4" "[$S6]"; do c curl -s -o /dev/null --tcp-fastopen "http://$address:$port/"; done
    done
    save "$curl --tcp-fastopen twice to $nginx, IPv4 and IPv6: the first asks for a cookie, the second sends the request in its SYN" "$curl" <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { none = 4 }
terminations = { fin = 4 }
tags = { answered = 4, syn_payload = 2 }
signatures = {}
T
}

# ---- scanners; ports 80 and 443 are open, 81 and 82 closed ----

scene_scan-nmap-connect() {
    capture
    for address in "$S4" "-6 $S6"; do
        # shellcheck disable=SC2086
        c nmap -n -Pn -sT -p 80,443,81,82 $address >/dev/null
    done
    save "$nmap -sT, two open and two closed ports, IPv4 and IPv6: it resets what it has connected" "$nmap" <<'T'
connections = 8
excluded = { no_syn = 8 }
stages = { post_ack = 4, none = 4 }
terminations = { reset = 4, server_reset = 4 }
tags = { reset = 4, single_rstack = 4, server_rst = 4 }
signatures = { "8" = 4 }
T
}

scene_scan-nmap-syn() {
    capture
    for address in "$S4" "-6 $S6"; do
        # shellcheck disable=SC2086
        c nmap -n -Pn -sS -p 80,443,81,82 $address >/dev/null
    done
    save "$nmap -sS, two open and two closed ports, IPv4 and IPv6: the scanner's kernel resets the handshakes" "$nmap" <<'T'
connections = 8
excluded = { no_syn = 8 }
stages = { post_syn = 4, none = 4 }
terminations = { reset = 4, server_reset = 4 }
tags = { reset = 4, single_rst = 4, server_rst = 4, high_ttl = 4, rst_ttl_differs = 4 }
signatures = { "2" = 4 }
T
}

scene_scan-zmap() {
    capture
    for port in 80 81; do
        c zmap -q -v 0 -b /dev/null -i c0 -G $MAC_MC -S $C4 -p $port -c 1 -o "$tmp/out" $S4/32 >/dev/null 2>&1
    done
    save "$zmap on an open and a closed port: its kernel resets the handshake, the server refuses the other" "$zmap" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_syn = 1, none = 1 }
terminations = { reset = 1, server_reset = 1 }
tags = { reset = 1, single_rst = 1, zmap = 2, server_rst = 1, no_syn_options = 2, high_ttl = 2, rst_ttl_differs = 1 }
signatures = { "2" = 1 }
T
}

scene_scan-masscan() {
    capture
    # It never ends on a quiet network, whatever --wait says.
    start cs-c masscan $S4 -p 80,443,81,82 -e c0 --adapter-ip $C4 --router-mac ${MAC_MC//:/-} --rate 50 --wait 1
    sleep 3
    stop "$last"
    save "$masscan on two open and two closed ports: its kernel and itself reset the open ones, itself also those that have refused" "$masscan" <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { post_syn = 4 }
terminations = { reset = 4 }
tags = { reset = 4, single_rst = 2, multiple_rsts = 2, acknumsame0 = 2, server_rst = 2, masscan = 4, no_syn_options = 4, high_ttl = 4, rst_ttl_differs = 2 }
signatures = { "2" = 4 }
T
}

hping() { # its code tells whether an answer came
    c hping3 -q -I c0 -c 1 "$@" $S4 >/dev/null 2>&1 || true
}

scene_scan-hping() {
    capture
    hping -s 3001 -S -p 80 -c 3 -i u100000
    hping -s 3011 -S -p 81
    # SYN+FIN, Xmas and no flag at all: none of them a SYN packet. An open port is silent, a closed one resets.
    hping -s 3021 -S -F -p 80
    hping -s 3031 -F -P -U -p 80
    hping -s 3041 -F -P -U -p 81
    hping -s 3051 -p 81
    save "$hping: three SYNs to an open port, one to a closed one; SYN+FIN, two Xmas packets, one without flags" "$hping" <<'T'
connections = 4
excluded = { no_syn = 10 }
stages = { post_syn = 3, none = 1 }
terminations = { reset = 3, server_reset = 1 }
tags = { reset = 3, single_rst = 3, server_rst = 1, no_syn_options = 4 }
signatures = { "2" = 3 }
T
}

# ---- a middlebox that forges resets; "drop" is its default for what comes later on the connection ----

inject() { # inject TAGS SIGNATURES ABOUT BOX OPTIONS...: two requests with the word, two connections reset at post_psh
    local tags=$1 signatures=$2 about=$3
    shift 3
    box "$@"
    capture
    get -m 2 /blocked
    save "$about; $curl, IPv4 and IPv6" "middlebox.py, $curl" <<T
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { reset = 2 }
tags = { reset = 2, $tags, rst_ttl_differs = 2 }
signatures = { $signatures }
T
}

scene_inject-rst() {
    inject 'single_rst = 2' '"11" = 2' "A middlebox answers a request with one RST to either side" --when data --send R
}
scene_inject-rstack() {
    inject 'single_rstack = 2' '"12" = 2' "A middlebox answers a request with one RST+ACK to either side, TTL and IP id far from the client's" \
        --when data --send RA --ttl 250 --id 0x3039
}
scene_inject-2rst-same() {
    inject 'multiple_rsts = 2, acknumsame = 2' '"15" = 2' "A middlebox answers a request with two RSTs of the same ack number" \
        --when data --send R,R
}
scene_inject-2rst-diff() {
    inject 'multiple_rsts = 2, acknumdiff = 2' '"16" = 2' "A middlebox answers a request with two RSTs whose ack numbers differ by 1460" \
        --when data --send R,R+1460 --ttl 50 --id 0x8000
}
scene_inject-2rst-zero() {
    inject 'multiple_rsts = 2, acknumdiff0 = 2' '"17" = 2' "A middlebox answers a request with two RSTs, the second with ack number 0" \
        --when data --send R,R0
}
scene_inject-3rstack() {
    inject 'multiple_rstacks = 2' '"14" = 2' "A middlebox answers a request with three RST+ACKs, sequence numbers +0, +1460, +4380" \
        --when data --send RA,RA@1460,RA@4380 --ttl 200 --id 0x4000
}
scene_inject-rst-rstack() {
    inject 'rst_and_rstacks = 2' '"13" = 2' "A middlebox answers a request with one RST and one RST+ACK" --when data --send R,RA --ttl 90
}
scene_inject-held() {
    box --when data --hold -1 --send RA --ttl 180 --id 0x2222
    capture
    get -m 2 /blocked
    save "A middlebox in the path keeps the request and sends one RST+ACK instead: the server sees no data; $curl, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_ack = 2 }
terminations = { reset = 2 }
tags = { reset = 2, single_rstack = 2, rst_ttl_differs = 2 }
signatures = { "8" = 2 }
T
}
scene_inject-after-answer() {
    inject 'single_rst = 2, answered = 2' '"11" = 2' "A middlebox resets both sides once the client has acknowledged the answer" --when answer --send R
}
scene_inject-client-only() {
    box --when data --to client --send RA --then pass
    capture
    client 9001 send:blocked wait:0.3
    save "A middlebox resets only the client, whose kernel answers the server's acknowledgement with a RST of its own; IPv4 and IPv6" "middlebox.py, client.py" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { reset = 2 }
tags = { reset = 2, single_rst = 2 }
signatures = { "11" = 2 }
T
}

scene_inject-server-only() {
    box --when data --to server --send R --then pass
    capture
    client 9001 send:blocked wait:0.3 send:more wait:0.3
    save "A middlebox resets only the server; the client goes on and is reset by the server: both directions have a RST. IPv4 and IPv6" "middlebox.py, client.py" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { later = 2 }
terminations = { reset = 2 }
tags = { reset = 2, single_rst = 2, server_rst = 2, rst_ttl_differs = 2 }
signatures = { "18" = 2 }
T
}

scene_inject-later() {
    for reset in R RA; do
        box --when data --send $reset
        [ $reset = RA ] || capture
        c curl -s -m 2 -o /dev/null "http://$S4/" -o /dev/null "http://$S4/blocked" || true
        c curl -s -m 2 -o /dev/null "http://[$S6]/" -o /dev/null "http://[$S6]/blocked" || true
        unbox
    done
    save "A middlebox answers the second request of a connection, once with a RST, once with a RST+ACK; $curl then tries it again on a new connection: the first request there; IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 8
excluded = { no_syn = 8 }
stages = { post_psh = 4, later = 4 }
terminations = { reset = 8 }
tags = { reset = 8, single_rst = 4, single_rstack = 4, answered = 4, rst_ttl_differs = 8 }
signatures = { "11" = 2, "12" = 2, "18" = 2, "19" = 2 }
T
}

scene_inject-syn() {
    for resets in R RA R,RA; do
        box --when syn --send $resets --ttl 110
        [ $resets != R ] || capture
        get -m 1 /
        unbox
    done
    save "A middlebox answers a SYN with a RST, a RST+ACK, and both; $curl, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 6
excluded = { no_syn = 6 }
stages = { post_syn = 6 }
terminations = { reset = 6 }
tags = { reset = 6, single_rst = 2, single_rstack = 2, rst_and_rstacks = 2, rst_ttl_differs = 6 }
signatures = { "2" = 2, "3" = 2, "4" = 2 }
T
}

scene_inject-ack() {
    for resets in R R,R RA RA,RA R,RA; do
        box --when ack --send $resets
        [ $resets != R ] || capture
        get -m 1 /
        unbox
    done
    save "A middlebox answers the handshake's last ACK with R, R R, RA, RA RA, and R RA (which matches no signature); $curl, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 10
excluded = { no_syn = 10 }
stages = { post_ack = 10 }
terminations = { reset = 10 }
tags = { reset = 10, single_rst = 2, multiple_rsts = 2, acknumsame = 2, single_rstack = 2, multiple_rstacks = 2, rst_and_rstacks = 2, rst_ttl_differs = 10 }
signatures = { "6" = 2, "7" = 2, "8" = 2, "9" = 2 }
T
}

scene_inject-tls() {
    box --when data --send RA,RA --ttl 200 --id 0x7000
    capture
    gets -m 2 blocked.example
    gets -m 2 server.example
    save "A middlebox answers the server name blocked.example of a TLS ClientHello with two RST+ACKs and lets server.example pass; $curl, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { post_psh = 2, none = 2 }
terminations = { reset = 2, fin = 2 }
tags = { reset = 2, multiple_rstacks = 2, answered = 2, rst_ttl_differs = 2 }
signatures = { "14" = 2 }
T
}

scene_inject-tls-split() {
    # A small segment size, told by the server: the ClientHello needs two segments, only the second has PSH.
    ip -n cs-s route change default via 203.0.113.1 advmss 360
    ip -n cs-s -6 route change default via 2001:db8:2::1 advmss 360
    box --when psh --send RA --ttl 200 --id 0x7000
    capture
    gets -m 2 blocked.example
    save "A middlebox resets after a ClientHello in two segments (server MSS 360): still the first message; $curl, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { reset = 2 }
tags = { reset = 2, single_rstack = 2, rst_ttl_differs = 2 }
signatures = { "12" = 2 }
T
}

# ---- a middlebox that drops ----

drop() { # drop STAGE SIGNATURE ABOUT BOX OPTIONS...: two connections to https end in silence
    local stage=$1 signature=$2 about=$3
    shift 3
    box "$@"
    capture
    # Longer than the recording: the FIN of a client that gives up must not be in it.
    for address in $S4 "[$S6]"; do
        start cs-c curl -sk -o /dev/null --resolve "blocked.example:443:$address" https://blocked.example/
    done
    # The box lets UDP pass.
    late 13
    save "$about; $curl over https, IPv4 and IPv6" "middlebox.py, $curl" <<T
connections = 2
excluded = { no_syn = 2 }
stages = { $stage = 2 }
terminations = { timeout = 2 }
tags = { timeout = 2 }
signatures = { "$signature" = 2 }
refused = { not_tcp = 2 }
T
}

scene_drop-after-handshake() {
    drop post_ack 5 "A middlebox drops everything after the handshake" --when ack
}
scene_drop-hello() {
    drop post_ack 5 "A middlebox drops the ClientHello, also repeated, and nothing else" --when data --hold -1 --then pass
}
scene_drop-after-data() {
    drop post_psh 10 "A middlebox drops everything after the ClientHello" --when data
}

scene_drop-answer() {
    # Only the server's direction is lost, so the client's repeated request goes on reaching it.
    m nft "table inet lose { chain f { type filter hook forward priority 0; iifname ms tcp sport 9001 tcp flags & (syn|rst) == 0 drop; }; }"
    capture
    clients 9001 send:hello wait:40
    # The request is repeated after 0.2, 0.4, 0.8 s ...: end that by dropping the client's direction too.
    sleep 2
    m nft add rule inet lose f iifname mc tcp dport 9001 drop
    late 11
    save "The server's packets after its SYN+ACK are lost, so the client repeats its data; then all is. A repeat is the first message still; IPv4 and IPv6" client.py <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_psh = 2 }
terminations = { timeout = 2 }
tags = { timeout = 2 }
signatures = { "10" = 2 }
refused = { not_tcp = 2 }
T
}

scene_drop-synack() {
    box --when synack --hold -1 --then pass
    capture
    # Gives up after SYNs at 0, 1 and 3 seconds; a client that never connected says no goodbye.
    for address in $S4 "[$S6]"; do start cs-c curl -s -m 5 -o /dev/null "http://$address/"; done
    late 14.5
    save "A middlebox drops every SYN+ACK, $curl repeats its SYN and gives up, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { post_syn = 2 }
terminations = { timeout = 2 }
tags = { timeout = 2, syn_retransmitted = 2 }
signatures = { "1" = 2 }
refused = { not_tcp = 2 }
T
}

scene_drop-synack-once() {
    box --when synack --hold 1 --then pass
    capture
    get /
    save "A middlebox drops the first SYN+ACK: the SYN is repeated, then all goes well; $curl, IPv4 and IPv6" "middlebox.py, $curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2, syn_retransmitted = 2 }
signatures = {}
T
}

# ---- link types, and what is no TCP ----

tagged() { # tagged TCPDUMP OPTIONS...: a page over VLAN 42; its far end is a TUN device in the server's namespace
    box --when never --vlan 42
    start cs-s "$python" "$here/relay.py" s0 $MAC_MS t0 42
    ready ready
    ip -n cs-s addr add $V4/32 dev t0
    ip -n cs-s addr add $V6/128 dev t0 nodad
    ip -n cs-s link set t0 up
    ip -n cs-s route add 198.51.100.0/24 dev t0 src $V4
    ip -n cs-s -6 route add 2001:db8:1::/64 dev t0 src $V6
    capture "$@"
    c curl -s -o /dev/null "http://$V4/" || true
    c curl -s -o /dev/null "http://[$V6]/" || true
}

scene_link-vlan() {
    tagged
    save "A page fetched over VLAN 42, recorded with the tags (link type EN10MB); $curl, IPv4 and IPv6" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_link-raw() {
    tagged -i t0
    save "A page fetched over a TUN device (link type RAW); $curl, IPv4 and IPv6" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_link-any() {
    capture -i any
    get /
    client 80 rst
    save "Recorded on all interfaces (link type LINUX_SLL2): a page fetched by $curl, and connect and reset; IPv4 and IPv6" "$curl, client.py" <<'T'
connections = 4
excluded = { no_syn = 4 }
stages = { post_ack = 2, none = 2 }
terminations = { reset = 2, fin = 2 }
tags = { reset = 2, single_rstack = 2, answered = 2 }
signatures = { "8" = 2 }
T
}

scene_link-cooked() {
    capture -i any -y LINUX_SLL
    get /
    save "Recorded on all interfaces (link type LINUX_SLL): a page fetched by $curl; IPv4 and IPv6" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_link-loopback() {
    capture -i lo
    s curl -s -o /dev/null "http://127.0.0.1/"
    s curl -s -o /dev/null "http://[::1]/"
    save "The server talks to itself over its loopback interface; $curl, IPv4 and IPv6" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
T
}

scene_nflog() {
    s nft 'table inet watch { chain in { type filter hook input priority -300; tcp dport { 80, 81 } log group 5 snaplen 128 queue-threshold 1; }; }'
    # No nanoseconds there. The rule cuts the packets; a small -s here would make libpcap's buffer too small.
    capture --time-stamp-precision=micro -i nflog:5 -s 0
    get /
    client 80 rst
    client 81 wait:0
    sleep 11
    c curl -s -o /dev/null "http://$S4/"
    save "By a firewall rule (link type NFLOG), the client's direction only: three pages, connect and reset, and closed ports, which one direction cannot tell from a timeout; $curl, IPv4 and IPv6" "$curl, client.py" <<'T'
connections = 7
excluded = {}
stages = { post_syn = 2, post_ack = 2, none = 3 }
terminations = { reset = 2, fin = 3, timeout = 2 }
tags = { timeout = 2, reset = 2, single_rstack = 2, answered = 3 }
signatures = { "1" = 2, "8" = 2 }
T
}

scene_one-direction() {
    capture -Q in
    get /
    client 81 wait:0
    late 11
    save "Only what comes in: a page fetched by $curl, and closed ports, which one direction cannot tell from a timeout; IPv4 and IPv6" "$curl, client.py" <<'T'
connections = 4
excluded = {}
stages = { post_syn = 2, none = 2 }
terminations = { fin = 2, timeout = 2 }
tags = { timeout = 2, answered = 2 }
signatures = { "1" = 2 }
refused = { not_tcp = 1 }
T
}

scene_snapped() {
    # 60 bytes: all of a TCP header after IPv4 (14 + 20 + 20), six bytes of it after IPv6 (14 + 40).
    capture -s 60
    get /
    save "60 bytes of each packet: enough for IPv4, too short for the TCP header after IPv6; $curl" "$curl" <<'T'
connections = 1
excluded = { no_syn = 1 }
stages = { none = 1 }
terminations = { fin = 1 }
tags = { answered = 1 }
signatures = {}
refused = { cut = 10 }
T
}

scene_fragments() {
    capture
    # A SYN with 100 bytes of payload in four IP fragments; the first holds the TCP header and 12 bytes of payload.
    hping -S -p 80 -d 100 -f -m 32
    save "$hping sends a SYN with payload in four IP fragments; the first counts, the server's kernel joins them" "$hping" <<'T'
connections = 1
excluded = { no_syn = 1 }
stages = { post_syn = 1 }
terminations = { reset = 1 }
tags = { reset = 1, single_rst = 1, syn_payload = 1, no_syn_options = 1 }
signatures = { "2" = 1 }
refused = { fragment = 3 }
T
}

scene_other-protocols() {
    capture
    # The server forgets the router, so it has to ask: ARP and neighbour discovery.
    ip -n cs-s neigh flush dev s0 nud permanent
    get /
    late 0
    save "A page fetched by $curl over IPv4 and IPv6, one UDP packet and its ICMP error, ARP and neighbour discovery" "$curl" <<'T'
connections = 2
excluded = { no_syn = 2 }
stages = { none = 2 }
terminations = { fin = 2 }
tags = { answered = 2 }
signatures = {}
refused = { not_ip = 2, not_tcp = 4 }
T
}

# ---- all of it ----

main() {
    need ip nft ethtool sysctl ss tcpdump tshark editcap capinfos nginx curl openssl nmap zmap masscan hping3 $python
    [ "$(id -u)" = 0 ] || { echo "record.sh: needs root" >&2; exit 1; }
    local scenes=("$@")
    [ $# -gt 0 ] || mapfile -t scenes < <(declare -F | sed -n 's/^declare -f scene_//p')
    for scene in "${scenes[@]}"; do
        declare -F "scene_$scene" >/dev/null || { echo "record.sh: no scene $scene" >&2; exit 1; }
    done
    trap down EXIT
    trap 'exit 1' INT TERM
    versions
    failed=0
    # A new network for each, else the sockets of one scene would go on talking in the next.
    for scene in "${scenes[@]}"; do
        window
        tmp=$(mktemp -d)
        chmod 755 "$tmp"
        network
        servers
        "scene_$scene"
        down
    done
    exit $failed
}

main "$@"
