// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Samples connections where packets enter and leave a network interface (tc ingress and egress), and hands their first
 * packets to the receiver `ebpf:INTERFACE` (src/live/ebpf.rs): the headers of TCP, and whole datagrams of QUIC.
 *
 * Which connections: a keyed hash of 4-tuple and initial sequence number, of QUIC 4-tuple and day of the week, the same
 * as in the rules for nft and in src/live/lottery.rs. What is remembered of them, and for how long: as in
 * src/live/sampler.rs (docs/spec.md, 1.7). Packets are never dropped, changed or redirected.
 *
 * `scripts/ebpf` compiles this to sample.bpf.o, which is committed, so that building cutshort needs no clang.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The settings, which the receiver writes before it loads the program. */

/* The data sets: the bits of `LiveSets` in src/live/settings.rs. */
const volatile __u32 sets = 0;
#define CLIENTS 1
#define OPENED 2
#define DATAGRAMS 4
/* N of "1 in N" connections. */
const volatile __u32 rate = 1;
/* The key of the hash. */
const volatile __u32 seed = 0;
/* The maximum number of packets of a client's connection, of rows of one that this host opens, and of datagrams. */
const volatile __u32 limit = 10;
const volatile __u32 opened_limit = 16;
const volatile __u32 datagrams_limit = 24;
/* The length of the link-layer header: 14 for Ethernet, 0 for interfaces that carry bare IP packets. */
const volatile __u32 link_header = 14;
/* How long a connection is remembered from its SYN packet, and how long if no packet follows it, in nanoseconds. */
const volatile __u64 keep = 0;
const volatile __u64 alone = 0;
/* How long a QUIC connection is remembered after its latest datagram, in nanoseconds. */
const volatile __u64 datagrams_keep = 0;
/* How far CLOCK_TAI is ahead of the time of day, in nanoseconds. */
const volatile __u64 ahead = 0;
/* The receiver is woken early when the ring holds this many bytes. It looks every tenth of a second anyway. */
const volatile __u64 wake = 0;
/* Server ports of TCP and of QUIC, one bit each. All bits are set if all ports are sampled. */
const volatile __u8 ports[1 << 13] = {};
const volatile __u8 quic_ports[1 << 13] = {};
/* Whether there are networks in `excluded`. */
const volatile __u8 excludes = 0;

/* Records that found no room in the ring, and chosen connections that could not be remembered. Each record carries
 * both counts: reading a map takes a system call that the receiver has given up by then. */
static __u64 lost;
static __u64 left_out;

/* Addresses and ports in network byte order. */
struct key4 {
	__be32 source, target;
	__be16 source_port, target_port;
};

struct key6 {
	__u32 source[4], target[4];
	__be16 source_port, target_port;
};

/* What is remembered of a chosen connection. */
struct connection {
	/* The initial sequence number, by which a later connection on the same ports is distinguished. */
	__be32 isn;
	/* The number of packets that were taken, and of ICMP errors. */
	__u32 taken, errors;
	/* The time of the SYN packet; of a QUIC connection, of its latest datagram. */
	__u64 since;
};

/* The connections that were chosen lately, by the 4-tuple of the side that opens them. The maps are never full: the
 * kernel replaces those not used for longest. */
#define CONNECTIONS(name, key_type)                    \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_LRU_HASH);   \
		__uint(max_entries, 1);                \
		__type(key, struct key_type);          \
		__type(value, struct connection);      \
	} name SEC(".maps")

CONNECTIONS(clients4, key4);
CONNECTIONS(clients6, key6);
CONNECTIONS(opened4, key4);
CONNECTIONS(opened6, key6);
CONNECTIONS(datagrams4, key4);
CONNECTIONS(datagrams6, key6);

/* Networks whose clients are left out, or whose servers that this host connects to; those of IPv4 as IPv4-mapped
 * addresses. */
struct prefix {
	__u32 length;
	__u32 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct prefix);
	__type(value, __u8);
} excluded SEC(".maps");

/* The number of bytes that are handed over of a packet, from the IP header on; also how far headers are read. */
#define SNAPLEN 128
/* The same of a datagram: enough for a whole one. */
#define DATAGRAM_SNAPLEN 2048

/* What a packet is handed over as: `Kind` in src/live/ebpf.rs. */
enum kind {
	CLIENT,
	SENT,
	RECEIVED,
	DATAGRAM,
};

struct record {
	/* CLOCK_MONOTONIC, in nanoseconds. */
	__u64 time;
	__u64 lost;
	__u64 left_out;
	/* The length of the packet, and how much of it follows. */
	__u32 wire_len;
	__u32 len;
	enum kind kind;
	__u32 unused;
	__u8 bytes[];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} ring SEC(".maps");

/* --- Headers ---------------------------------------------------------------------------------------------------- */

struct ipv4 {
	__u8 version_length, tos;
	__be16 length, id, fragment;
	__u8 ttl, protocol;
	__be16 checksum;
	__be32 source, target;
};

struct ipv6 {
	__be32 version_class_label;
	__be16 length;
	__u8 next, hop_limit;
	__u32 source[4], target[4];
};

struct tcp {
	__be16 source_port, target_port;
	__be32 sequence, acknowledgement;
	__u8 offset, flags;
};

/* TCP and UDP begin with these. */
struct ends {
	__be16 source_port, target_port;
};

struct udp {
	__be16 source_port, target_port;
	__be16 length, checksum;
};

struct icmp {
	__u8 type, code;
	__be16 checksum;
	__u32 unused;
};

/* The first packet of a datagram of QUIC (RFC 8999), where it has a long header. */
struct quic {
	__u8 first, version[4];
};

/* Of an IPv6 extension header. */
struct extension {
	__u8 next, length;
	__be16 fragment;
};

#define ICMP 1
#define TCP 6
#define UDP 17
#define ICMPV6 58
#define TCP_HEADER 20
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define LATER_FRAGMENT bpf_htons(0x1fff)

/* A packet whose headers are being read. `at` is the number of bytes from the IP header to the next one. */
struct packet {
	void *data, *end;
	__u32 at;
	/* The length of the packet by its IP header. */
	__u32 length;
	/* Whether headers are not readable here: drivers may leave them in other pages. */
	bool is_cut;
};

/* The `size` bytes at an offset, if they are among the first SNAPLEN. */
static __always_inline void *bytes_at(struct packet *packet, __u32 at, __u32 size)
{
	if (at > SNAPLEN - size)
		return NULL;
	void *bytes = packet->data + at;
	packet->is_cut = bytes + size > packet->end;
	return packet->is_cut ? NULL : bytes;
}

/* The TCP header, if it is there and as long as it says. */
static __always_inline struct tcp *tcp_of(struct packet *packet)
{
	struct tcp *tcp = bytes_at(packet, packet->at, TCP_HEADER);
	if (!tcp)
		return NULL;
	__u32 header = (tcp->offset >> 4) * 4;
	return header < TCP_HEADER || packet->at + header > packet->length ? NULL : tcp;
}

/* The same of UDP. */
static __always_inline struct udp *udp_of(struct packet *packet)
{
	struct udp *udp = bytes_at(packet, packet->at, sizeof(*udp));
	if (!udp || packet->at + sizeof(*udp) > packet->length)
		return NULL;
	return udp->length && bpf_ntohs(udp->length) < sizeof(*udp) ? NULL : udp;
}

/* --- The choice ------------------------------------------------------------------------------------------------- */

/* Bob Jenkins' lookup3 over whole words, as the kernel's jhash is over their bytes (include/linux/jhash.h). */
struct hash {
	__u32 a, b, c;
};

static __always_inline __u32 rotate(__u32 word, int by)
{
	return word << by | word >> (32 - by);
}

static __always_inline struct hash hash_of(__u32 words)
{
	__u32 start = 0xdeadbeef + words * 4 + seed;
	return (struct hash){start, start, start};
}

static __always_inline void add(struct hash *h, __u32 a, __u32 b, __u32 c)
{
	h->a += a;
	h->b += b;
	h->c += c;
	h->a -= h->c; h->a ^= rotate(h->c, 4);  h->c += h->b;
	h->b -= h->a; h->b ^= rotate(h->a, 6);  h->a += h->c;
	h->c -= h->b; h->c ^= rotate(h->b, 8);  h->b += h->a;
	h->a -= h->c; h->a ^= rotate(h->c, 16); h->c += h->b;
	h->b -= h->a; h->b ^= rotate(h->a, 19); h->a += h->c;
	h->c -= h->b; h->c ^= rotate(h->b, 4);  h->b += h->a;
}

/* Adds the last two words, which is what both kinds of keys end with. */
static __always_inline __u32 finish(struct hash *h, __u32 a, __u32 b)
{
	h->a += a;
	h->b += b;
	h->c ^= h->b; h->c -= rotate(h->b, 14);
	h->a ^= h->c; h->a -= rotate(h->c, 11);
	h->b ^= h->a; h->b -= rotate(h->a, 25);
	h->c ^= h->b; h->c -= rotate(h->b, 16);
	h->a ^= h->c; h->a -= rotate(h->c, 4);
	h->b ^= h->a; h->b -= rotate(h->a, 14);
	h->c ^= h->b; h->c -= rotate(h->b, 24);
	return h->c;
}

/* Each field begins a word, with its bytes in network order. The last is the initial sequence number, or the day. */
static __always_inline __u32 hash4(const struct key4 *key, __be32 last)
{
	struct hash h = hash_of(5);
	add(&h, key->source, key->target, key->source_port);
	return finish(&h, key->target_port, last);
}

static __always_inline __u32 hash6(const struct key6 *key, __be32 last)
{
	struct hash h = hash_of(11);
	add(&h, key->source[0], key->source[1], key->source[2]);
	add(&h, key->source[3], key->target[0], key->target[1]);
	add(&h, key->target[2], key->target[3], key->source_port);
	return finish(&h, key->target_port, last);
}

/* The connections of one data set and IP version, and how they are sampled. Every use is inlined, so the compiler
 * resolves the fields and choices between them. */
struct sampled {
	void *connections;
	/* 4 or 6, which says what the keys are. */
	int version;
	__u32 limit;
	enum kind kind;
};

/* Whether the connection of a key is one of 1 in `rate`: the kernel's reciprocal_scale, as nft has it. */
static __always_inline bool is_chosen(const struct sampled *of, const void *key, __be32 last)
{
	__u32 hash = of->version == 4 ? hash4(key, last) : hash6(key, last);
	return (__u64)hash * rate >> 32 == 0;
}

static __always_inline bool is_among(const volatile __u8 *bits, __be16 port)
{
	__u16 number = bpf_ntohs(port);
	return bits[number >> 3] & 1 << (number & 7);
}

/* Whether the other end is left out: the server of a connection that this host opens, or else the client. */
static __always_inline bool is_excluded(const struct sampled *of, const void *key)
{
	struct prefix end = {.length = 128};
	if (!excludes)
		return false;
	if (of->version == 4) {
		const struct key4 *ends = key;
		end.address[2] = bpf_htonl(0xffff);
		end.address[3] = of->kind == SENT ? ends->target : ends->source;
	} else {
		const struct key6 *ends = key;
		const __u32 *address = of->kind == SENT ? ends->target : ends->source;
		for (int i = 0; i < 4; i++)
			end.address[i] = address[i];
	}
	return bpf_map_lookup_elem(&excluded, &end);
}

/* --- What is remembered ----------------------------------------------------------------------------------------- */

static __always_inline bool is_syn(const struct tcp *tcp)
{
	return (tcp->flags & (FIN | SYN | RST | ACK)) == SYN;
}

/* Whether a TCP connection is still remembered. Clocks of processors may differ a little. */
static __always_inline bool is_remembered(const struct connection *connection)
{
	__u64 age = bpf_ktime_get_ns() - connection->since;
	return (__s64)age < 0 || age < (connection->taken == 1 ? alone : keep);
}

/* Counts a packet of a connection. Returns whether it is one of the first. */
static __always_inline bool count(struct connection *connection, __u32 most)
{
	return connection->taken < most && __sync_fetch_and_add(&connection->taken, 1) < most;
}

/* Begins a connection. */
static __always_inline bool begin(const struct sampled *of, const void *key, __be32 isn)
{
	struct connection begun = {.isn = isn, .taken = 1, .since = bpf_ktime_get_ns()};
	if (!bpf_map_update_elem(of->connections, key, &begun, BPF_ANY))
		return true;
	__sync_fetch_and_add(&left_out, 1);
	return false;
}

static __always_inline struct key4 reversed4(const struct key4 *key)
{
	return (struct key4){key->target, key->source, key->target_port, key->source_port};
}

static __always_inline struct key6 reversed6(const struct key6 *key)
{
	return (struct key6){
		{key->target[0], key->target[1], key->target[2], key->target[3]},
		{key->source[0], key->source[1], key->source[2], key->source[3]},
		key->target_port, key->source_port,
	};
}

/* The connection of the other direction, if it is remembered. */
static __always_inline struct connection *other_direction(const struct sampled *of, const void *key)
{
	if (of->version == 4) {
		struct key4 other = reversed4(key);
		return bpf_map_lookup_elem(of->connections, &other);
	}
	struct key6 other = reversed6(key);
	return bpf_map_lookup_elem(of->connections, &other);
}

/* Whether a packet belongs to a connection that was chosen before. A SYN packet with another sequence number does not. */
static __always_inline bool follows(const struct connection *known, const struct tcp *tcp)
{
	if (is_syn(tcp) && known->isn != tcp->sequence)
		return false;
	return is_remembered(known);
}

/* Whether to hand over a packet of the side that opens its connection. */
static __always_inline bool takes_tcp(const struct sampled *of, const void *key, const struct tcp *tcp)
{
	struct connection *known = bpf_map_lookup_elem(of->connections, key);
	if (known && follows(known, tcp))
		return count(known, of->limit);
	if (!is_syn(tcp))
		return false;
	if (is_chosen(of, key, tcp->sequence) && !is_excluded(of, key)) {
		if (!begin(of, key, tcp->sequence))
			return false;
		/* Packets of clients in the other direction are a connection by themselves, which is counted anew. */
		struct connection *other = of->kind == CLIENT ? other_direction(of, key) : NULL;
		if (other)
			other->taken = 0;
		return true;
	}
	/* What comes from now on belongs to a connection that was not chosen. */
	if (known)
		bpf_map_delete_elem(of->connections, key);
	return false;
}

/* Whether a packet that this host sends is a row of a connection that it opens (docs/origin.md, 2.2). */
static __always_inline bool is_sent_row(const struct tcp *tcp)
{
	return is_syn(tcp) || (!(tcp->flags & SYN) && tcp->flags & (PSH | FIN | RST));
}

/* Whether to hand over a packet from a server to which this host has opened a connection. */
static __always_inline bool takes_received(const struct sampled *of, const void *key)
{
	struct connection *known = other_direction(of, key);
	return known && is_remembered(known) && count(known, of->limit);
}

/* The most ICMP errors of a connection that are handed over. The receiver keeps fewer of each kind. */
#define ERRORS 64

static __always_inline bool count_error(struct connection *known)
{
	return known->errors < ERRORS && __sync_fetch_and_add(&known->errors, 1) < ERRORS;
}

/* Whether to hand over an ICMP error that quotes a packet which this host has sent with a sequence number. */
static __always_inline bool takes_opened_error(const struct sampled *of, const void *key, __be32 sequence)
{
	struct connection *known = bpf_map_lookup_elem(of->connections, key);
	return known && known->isn == sequence && is_remembered(known) && count_error(known);
}

static __always_inline bool is_recent(const struct connection *known, __u64 now)
{
	__u64 age = now - known->since;
	return (__s64)age < 0 || age < datagrams_keep;
}

/* The same of one that quotes a datagram which this host has sent to a client. */
static __always_inline bool takes_datagram_error(const struct sampled *of, const void *key)
{
	struct connection *known = other_direction(of, key);
	return known && is_recent(known, bpf_ktime_get_ns()) && count_error(known);
}

/* Whether a datagram may begin a connection: `Udp::may_begin` in crates/packet. */
static __always_inline bool may_begin(const struct quic *quic)
{
	/* Versions begin anywhere; version 2 is that of RFC 9369. */
	__u32 version = quic->version[0] << 24 | quic->version[1] << 16 | quic->version[2] << 8 | quic->version[3];
	return version && (quic->first & 0xb0) == (version == 0x6b3343cf ? 0x90 : 0x80);
}

/* The day of the week as nft has it in its registers: one byte, 0 on Sundays. The epoch began on a Thursday. */
static __always_inline __be32 today(void)
{
	__u64 days = (bpf_ktime_get_tai_ns() - ahead) / (86400 * 1000000000ULL);
	return bpf_htonl((__u32)((days + 4) % 7) << 24);
}

/* Whether to hand over a datagram; `quic` is what it begins with, if that was readable. */
static __always_inline bool takes_datagram(const struct sampled *of, const void *key, const struct quic *quic)
{
	struct connection *known = bpf_map_lookup_elem(of->connections, key);
	__u64 now = bpf_ktime_get_ns();
	if (known && is_recent(known, now)) {
		known->since = now;
		return count(known, of->limit);
	}
	return quic && may_begin(quic) && is_chosen(of, key, today()) && !is_excluded(of, key) && begin(of, key, 0);
}

/* --- Packets ---------------------------------------------------------------------------------------------------- */

/* The data sets with the maps of one IP version. */
struct all {
	struct sampled clients, opened, datagrams;
};

#define ALL(number)                                                      \
	{                                                                \
		{&clients##number, number, limit, CLIENT},               \
		{&opened##number, number, opened_limit, SENT},           \
		{&datagrams##number, number, datagrams_limit, DATAGRAM}, \
	}

/* The kinds as which a packet is handed over are a set of these bits. */
#define BIT(kind) (1U << (kind))

static __always_inline __u32 kinds_of_tcp(const struct all *all, const void *key, const struct tcp *tcp, bool is_sent)
{
	__u32 kinds = 0;
	if (is_sent) {
		bool is_row = is_sent_row(tcp) && is_among(ports, tcp->target_port);
		return is_row && takes_tcp(&all->opened, key, tcp) ? BIT(SENT) : 0;
	}
	if (sets & CLIENTS && is_among(ports, tcp->target_port) && takes_tcp(&all->clients, key, tcp))
		kinds |= BIT(CLIENT);
	if (sets & OPENED && is_among(ports, tcp->source_port) && takes_received(&all->opened, key))
		kinds |= BIT(RECEIVED);
	return kinds;
}

static __always_inline __u32
kinds_of_udp(struct packet *packet, const struct all *all, const void *key, const struct udp *udp)
{
	if (!is_among(quic_ports, udp->target_port))
		return 0;
	__u32 rest = packet->length - packet->at, len = udp->length ? bpf_ntohs(udp->length) : rest;
	bool has_quic = (len < rest ? len : rest) >= sizeof(*udp) + sizeof(struct quic);
	struct quic *quic = has_quic ? bytes_at(packet, packet->at + sizeof(*udp), sizeof(*quic)) : NULL;
	return takes_datagram(&all->datagrams, key, quic) ? BIT(DATAGRAM) : 0;
}

/* The header of TCP or UDP, which begins with the ports; NULL for what is neither, or not sampled. */
static __always_inline struct ends *transport(struct packet *packet, __u8 protocol, bool is_sent)
{
	if (protocol == TCP && sets & (CLIENTS | OPENED))
		return (struct ends *)tcp_of(packet);
	if (protocol == UDP && sets & DATAGRAMS && !is_sent)
		return (struct ends *)udp_of(packet);
	return NULL;
}

static __always_inline __u32 kinds_of(struct packet *packet, const struct all *all, const void *key,
				      const struct ends *header, __u8 protocol, bool is_sent)
{
	if (protocol == TCP)
		return kinds_of_tcp(all, key, (const struct tcp *)header, is_sent);
	return kinds_of_udp(packet, all, key, (const struct udp *)header);
}

/* What an ICMP error quotes at least of TCP and UDP. */
struct quoted {
	__be16 source_port, target_port;
	__be32 sequence;
};

static __always_inline __u32
kinds_of_error(const struct all *all, const void *key, const struct quoted *quoted, __u8 protocol)
{
	if (protocol == TCP && sets & OPENED && takes_opened_error(&all->opened, key, quoted->sequence))
		return BIT(RECEIVED);
	if (protocol == UDP && sets & DATAGRAMS && takes_datagram_error(&all->datagrams, key))
		return BIT(DATAGRAM);
	return 0;
}

/* Steps over the header of an ICMP error, to the packet that it quotes. */
static __always_inline struct icmp *error_of(struct packet *packet, bool is_sent)
{
	if (is_sent || !(sets & (OPENED | DATAGRAMS)))
		return NULL;
	struct icmp *icmp = bytes_at(packet, packet->at, sizeof(*icmp));
	packet->at += sizeof(*icmp);
	return icmp;
}

/* Of destination-unreachable errors (RFC 792, RFC 4443). */
#define UNREACHABLE 3
#define FRAGMENTATION_NEEDED 4
#define UNREACHABLE_V6 1

static __always_inline __u32 kinds_of_icmp(struct packet *packet, const struct all *all, bool is_sent)
{
	struct icmp *icmp = error_of(packet, is_sent);
	if (!icmp || icmp->type != UNREACHABLE || icmp->code == FRAGMENTATION_NEEDED)
		return 0;
	struct ipv4 *ip = bytes_at(packet, packet->at, sizeof(*ip));
	if (!ip || ip->version_length >> 4 != 4 || ip->fragment & LATER_FRAGMENT)
		return 0;
	packet->at += (ip->version_length & 15) * 4;
	struct quoted *quoted = bytes_at(packet, packet->at, sizeof(*quoted));
	if (!quoted)
		return 0;
	struct key4 key = {ip->source, ip->target, quoted->source_port, quoted->target_port};
	return kinds_of_error(all, &key, quoted, ip->protocol);
}

static __always_inline __u32 kinds_of_ipv4(struct packet *packet, __u32 wire_len, bool is_sent)
{
	const struct all all = ALL(4);
	struct ipv4 *ip = bytes_at(packet, 0, sizeof(*ip));
	/* Later fragments have no header behind that of IP. */
	if (!ip || ip->version_length >> 4 != 4 || ip->fragment & LATER_FRAGMENT)
		return 0;
	packet->at = (ip->version_length & 15) * 4;
	/* A length of 0 is what segmentation offload leaves behind. */
	packet->length = ip->length ? bpf_ntohs(ip->length) : wire_len;
	if (packet->at < sizeof(*ip))
		return 0;
	if (ip->protocol == ICMP)
		return kinds_of_icmp(packet, &all, is_sent);
	struct ends *header = transport(packet, ip->protocol, is_sent);
	if (!header)
		return 0;
	struct key4 key = {ip->source, ip->target, header->source_port, header->target_port};
	return kinds_of(packet, &all, &key, header, ip->protocol, is_sent);
}

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60
/* None that is sampled follows. */
#define NO_NEXT_HEADER 59
/* More do not fit in front of a TCP header in SNAPLEN bytes. */
#define EXTENSIONS 8

/* The length of an extension header (RFC 8200); 0 if nothing that can be read follows it. */
static __always_inline __u32 extension_length(__u8 kind, const struct extension *header)
{
	switch (kind) {
	case HOP_BY_HOP:
	case ROUTING:
	case DESTINATION:
		return (header->length + 1) * 8;
	case AUTHENTICATION:
		return (header->length + 2) * 4;
	case FRAGMENT:
		return header->fragment & bpf_htons(0xfff8) ? 0 : 8;
	}
	return 0;
}

/* Walks over extension headers. Returns the protocol behind them. */
static __always_inline __u8 skip_extensions(struct packet *packet, __u8 next)
{
	for (int count = 0; next != TCP && next != UDP && next != ICMPV6; count++) {
		struct extension *header = bytes_at(packet, packet->at, sizeof(*header));
		__u32 length = header && count < EXTENSIONS ? extension_length(next, header) : 0;
		if (!length)
			return NO_NEXT_HEADER;
		packet->at += length;
		next = header->next;
	}
	return next;
}

static __always_inline bool is_mapped(const __u32 *address)
{
	return !address[0] && !address[1] && address[2] == bpf_htonl(0xffff);
}

/* The IPv6 header at `packet->at`, over which it steps. */
static __always_inline struct ipv6 *ipv6_of(struct packet *packet)
{
	struct ipv6 *ip = bytes_at(packet, packet->at, sizeof(*ip));
	packet->at += sizeof(*ip);
	return ip && *(__u8 *)ip >> 4 == 6 ? ip : NULL;
}

static __always_inline struct key6 key6_of(const struct ipv6 *ip, __be16 source_port, __be16 target_port)
{
	return (struct key6){
		{ip->source[0], ip->source[1], ip->source[2], ip->source[3]},
		{ip->target[0], ip->target[1], ip->target[2], ip->target[3]},
		source_port, target_port,
	};
}

static __always_inline __u32 kinds_of_icmpv6(struct packet *packet, const struct all *all, bool is_sent)
{
	struct icmp *icmp = error_of(packet, is_sent);
	if (!icmp || icmp->type != UNREACHABLE_V6)
		return 0;
	struct ipv6 *ip = ipv6_of(packet);
	if (!ip)
		return 0;
	__u8 protocol = skip_extensions(packet, ip->next);
	struct quoted *quoted = bytes_at(packet, packet->at, sizeof(*quoted));
	if (!quoted)
		return 0;
	struct key6 key = key6_of(ip, quoted->source_port, quoted->target_port);
	return kinds_of_error(all, &key, quoted, protocol);
}

static __always_inline __u32 kinds_of_ipv6(struct packet *packet, __u32 wire_len, bool is_sent)
{
	const struct all all = ALL(6);
	struct ipv6 *ip = ipv6_of(packet);
	if (!ip)
		return 0;
	packet->length = ip->length ? sizeof(*ip) + bpf_ntohs(ip->length) : wire_len;
	__u8 protocol = skip_extensions(packet, ip->next);
	if (protocol == ICMPV6)
		return kinds_of_icmpv6(packet, &all, is_sent);
	struct ends *header = transport(packet, protocol, is_sent);
	/* Mapped addresses have no place on the wire. */
	if (!header || is_mapped(ip->source) || is_mapped(ip->target))
		return 0;
	struct key6 key = key6_of(ip, header->source_port, header->target_port);
	return kinds_of(packet, &all, &key, header, protocol, is_sent);
}

/* `snaplen` must be a constant, as the verifier wants one for the size of a record. */
static __always_inline void hand_over(struct __sk_buff *skb, __u32 from, enum kind kind, const __u32 snaplen)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record) + snaplen, 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__u32 len = skb->len - from;
	record->time = bpf_ktime_get_ns();
	record->lost = lost;
	record->left_out = left_out;
	record->kind = kind;
	record->wire_len = len;
	if (len > snaplen)
		len = snaplen;
	record->len = len;
	if (len < TCP_HEADER || bpf_skb_load_bytes(skb, from, record->bytes, len)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return;
	}
	bool is_early = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= wake;
	bpf_ringbuf_submit(record, is_early ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* Where the IP header begins and what it is. A VLAN tag is no longer in the packet here, but a second one is. */
static __always_inline __u32 network(struct __sk_buff *skb, __be16 *protocol)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 from = link_header;
	*protocol = skb->protocol;
	if (*protocol == bpf_htons(ETH_P_8021Q) || *protocol == bpf_htons(ETH_P_8021AD)) {
		__be16 *tag = data + (from & 15);
		if ((void *)(tag + 2) > end)
			return 0;
		*protocol = tag[1];
		from += 4;
	}
	return from;
}

/* The kinds as which to hand over the packet that begins at `from`. Nothing is remembered of one that is cut. */
static __always_inline __u32 look(struct __sk_buff *skb, __be16 protocol, __u32 from, bool is_sent, bool *is_cut)
{
	struct packet packet = {
		.data = (void *)(long)skb->data + from,
		.end = (void *)(long)skb->data_end,
	};
	__u32 kinds = 0;
	if (protocol == bpf_htons(ETH_P_IP))
		kinds = kinds_of_ipv4(&packet, skb->len - from, is_sent);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		kinds = kinds_of_ipv6(&packet, skb->len - from, is_sent);
	*is_cut = packet.is_cut && skb->data_end - skb->data < skb->len;
	return kinds;
}

static __always_inline void sample(struct __sk_buff *skb, bool is_sent)
{
	__be16 protocol;
	bool is_cut;
	__u32 from = network(skb, &protocol) & 31;
	__u32 kinds = look(skb, protocol, from, is_sent, &is_cut);
	__u32 wanted = from + SNAPLEN;
	if (!kinds && is_cut && !bpf_skb_pull_data(skb, skb->len < wanted ? skb->len : wanted))
		kinds = look(skb, protocol, from, is_sent, &is_cut);
	if (kinds & BIT(CLIENT))
		hand_over(skb, from, CLIENT, SNAPLEN);
	if (kinds & BIT(SENT))
		hand_over(skb, from, SENT, SNAPLEN);
	if (kinds & BIT(RECEIVED))
		hand_over(skb, from, RECEIVED, SNAPLEN);
	/* Most datagrams are short, and would take the room of a dozen packets. */
	if (kinds & BIT(DATAGRAM) && skb->len - from <= SNAPLEN)
		hand_over(skb, from, DATAGRAM, SNAPLEN);
	else if (kinds & BIT(DATAGRAM))
		hand_over(skb, from, DATAGRAM, DATAGRAM_SNAPLEN);
}

SEC("classifier")
int ingress(struct __sk_buff *skb)
{
	if (skb->pkt_type != PACKET_OTHERHOST)
		sample(skb, false);
	return TC_ACT_UNSPEC;
}

/* Attached only for connections that this host opens. */
SEC("classifier")
int egress(struct __sk_buff *skb)
{
	sample(skb, true);
	return TC_ACT_UNSPEC;
}

/* No helper that is used here is limited to programs under the GPL. */
char LICENSE[] SEC("license") = "MIT OR Apache-2.0";
