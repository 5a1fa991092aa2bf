"""From a capture to rows, over what tshark dissects: section 1 of the specification, without the cap."""
import collections
import ipaddress
import subprocess

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
FIELDS = """frame.time_epoch frame.protocols ip.src ip.dst ip.id ip.ttl ip.proto ip.frag_offset ip.len ip.hdr_len ipv6.src ipv6.dst
    ipv6.hlim ipv6.nxt ipv6.plen ipv6.fraghdr.offset ipv6.fraghdr.nxt tcp.srcport tcp.dstport tcp.flags tcp.seq_raw tcp.ack_raw
    tcp.window_size_value tcp.hdr_len tcp.len tcp.urgent_pointer ip.version ip.flags.df tcp.options""".split()
# Only these are walked: IP in IP, 6in4 and GRE are "not TCP", MPLS is "not IP".
LINK = {"eth", "ethertype", "vlan", "ieee8021ad", "sll", "null", "raw", "nflog", "pppoes", "ppp"}
CHAIN = {"ipv6.hopopts", "ipv6.routing", "ipv6.dstopts", "ipv6.fraghdr", "ah"}
# `options` are the bytes behind the TCP header, fewer than `options_len` where the capture has cut them.
Row = collections.namedtuple("Row", "ts key ip_id ttl flags seq ack window payload df options_len options",
                             defaults=(False, 0, b""))


def records(path):
    """Every record of the file as a dict of tshark's fields, in reading order."""
    options = """ip.defragment:FALSE ipv6.defragment:FALSE tcp.desegment_tcp_streams:FALSE
        tcp.analyze_sequence_numbers:FALSE""".split()
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]
    command += [x for o in options for x in ("-o", o)] + [x for f in FIELDS for x in ("-e", f)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def time_ns(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int((fraction + "0" * 9)[:9])


def row_or_reason(r):
    """Section 1: a row, or why the record is none."""
    layers = r["frame.protocols"].split(":")
    rest = layers[next((i for i, name in enumerate(layers) if name not in LINK), len(layers)):]
    if not rest or rest[0] not in ("ip", "ipv6"):
        return "not_ip"
    v4 = rest[0] == "ip"
    if r["ip.version"] != ("4" if v4 else "6") or not r["ip.proto" if v4 else "ipv6.nxt"]:
        return "malformed"
    number = lambda field: int(r[field] or "0", 0)
    if number("ip.frag_offset" if v4 else "ipv6.fraghdr.offset"):
        return "fragment" if number("ip.proto" if v4 else "ipv6.fraghdr.nxt") == 6 else "not_tcp"
    transport = next((name for name in rest[1:] if name not in CHAIN), "")
    if transport != "tcp" or v4 and r["ip.proto"] != "6":
        return "not_tcp" if transport or r["ip.proto"] != "6" else "cut"
    room = number("ip.len") - number("ip.hdr_len") if v4 else number("ipv6.plen")
    if 0 < number("ip.len" if v4 else "ipv6.plen") and room < 20 or r["tcp.hdr_len"] and number("tcp.hdr_len") < 20:
        return "malformed"
    if not r["tcp.urgent_pointer"]:
        return "cut"
    src, dst = (ipaddress.ip_address(r[rest[0] + "." + end]) for end in ("src", "dst"))
    if not v4 and (src.ipv4_mapped or dst.ipv4_mapped):
        return "malformed"
    # From the IP length: tshark's own tcp.len stops where an NFLOG rule cut the packet, and is not there for a first
    # fragment. Behind other extension headers, and where the IP length is 0, it has to do.
    payload = number("tcp.len")
    if number("ip.len" if v4 else "ipv6.plen") and CHAIN.intersection(rest) <= {"ipv6.fraghdr"}:
        payload = room - 8 * ("ipv6.fraghdr" in rest) - number("tcp.hdr_len")
    if payload < 0:
        return "malformed"
    return Row(time_ns(r["frame.time_epoch"]), (src, number("tcp.srcport"), dst, number("tcp.dstport")), number("ip.id"),
               number("ip.ttl" if v4 else "ipv6.hlim"), number("tcp.flags") & 0x1FF, number("tcp.seq_raw"),
               number("tcp.ack_raw"), number("tcp.window_size_value"), payload, v4 and r["ip.flags.df"] in ("1", "True"),
               number("tcp.hdr_len") - 20, bytes.fromhex(r["tcp.options"].replace(":", "")))


def dissect(path):
    """Time and row of every record in reading order; in place of a row the reason why the record has none."""
    for r in records(path):
        yield time_ns(r["frame.time_epoch"]), row_or_reason(r)
