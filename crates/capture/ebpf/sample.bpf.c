// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * Samples TCP connections of clients where packets enter a network interface (tc ingress), and hands the headers of
 * their first packets to the receiver `ebpf:INTERFACE` (src/live/ebpf.rs).
 *
 * Which connections: a keyed hash of 4-tuple and initial sequence number, the same as in the nft rules and in
 * src/live/lottery.rs. What is remembered of them, and for how long: as in src/live/sampler.rs (docs/spec.md, 1.7).
 * Packets are never dropped, changed or redirected.
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

/* N of "1 in N" connections. */
const volatile __u32 rate = 1;
/* The key of the hash. */
const volatile __u32 seed = 0;
/* The maximum number of packets of a connection. */
const volatile __u32 limit = 10;
/* The length of the link-layer header: 14 for Ethernet, 0 for interfaces that carry bare IP packets. */
const volatile __u32 link_header = 14;
/* How long a connection is remembered from its SYN packet, and how long if no packet follows it, in nanoseconds. */
const volatile __u64 keep = 0;
const volatile __u64 alone = 0;
/* The receiver is woken early when the ring holds this many bytes. It looks every tenth of a second anyway. */
const volatile __u64 wake = 0;
/* Server ports, one bit each. All bits are set if all ports are sampled. */
const volatile __u8 ports[1 << 13] = {};
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
	/* The number of packets that were taken. */
	__u32 taken;
	/* The time of the SYN packet. */
	__u64 since;
};

/* The connections that were chosen lately. The maps are never full: the kernel replaces those not used for longest. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct key4);
	__type(value, struct connection);
} connections4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1 << 16);
	__type(key, struct key6);
	__type(value, struct connection);
} connections6 SEC(".maps");

/* Networks whose clients are left out; those of IPv4 as IPv4-mapped addresses. */
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

/* The number of bytes that are handed over of a packet, from the IP header on. */
#define SNAPLEN 128

struct record {
	/* CLOCK_MONOTONIC, in nanoseconds. */
	__u64 time;
	__u64 lost;
	__u64 left_out;
	/* The length of the packet, and how much of it follows. */
	__u32 wire_len;
	__u32 len;
	__u8 bytes[SNAPLEN];
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

/* Of an IPv6 extension header. */
struct extension {
	__u8 next, length;
	__be16 fragment;
};

#define TCP 6
#define TCP_HEADER 20
#define FIN 0x01
#define SYN 0x02
#define RST 0x04
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

/* Each field begins a word, with its bytes in network order. */
static __always_inline __u32 hash4(const struct key4 *key, __be32 isn)
{
	struct hash h = hash_of(5);
	add(&h, key->source, key->target, key->source_port);
	return finish(&h, key->target_port, isn);
}

static __always_inline __u32 hash6(const struct key6 *key, __be32 isn)
{
	struct hash h = hash_of(11);
	add(&h, key->source[0], key->source[1], key->source[2]);
	add(&h, key->source[3], key->target[0], key->target[1]);
	add(&h, key->target[2], key->target[3], key->source_port);
	return finish(&h, key->target_port, isn);
}

/* Whether a hash is one of 1 in `rate`: the kernel's reciprocal_scale, as nft has it. */
static __always_inline bool is_chosen(__u32 hash)
{
	return (__u64)hash * rate >> 32 == 0;
}

static __always_inline bool is_sampled_port(__be16 port)
{
	__u16 number = bpf_ntohs(port);
	return ports[number >> 3] & 1 << (number & 7);
}

static __always_inline bool is_excluded(struct prefix *client)
{
	return excludes && bpf_map_lookup_elem(&excluded, client);
}

/* --- What is remembered ----------------------------------------------------------------------------------------- */

static __always_inline bool is_syn(const struct tcp *tcp)
{
	return (tcp->flags & (FIN | SYN | RST | ACK)) == SYN;
}

/* Whether a connection is still remembered. Clocks of processors may differ a little. */
static __always_inline bool is_remembered(const struct connection *connection, __u64 now)
{
	__u64 age = now - connection->since;
	return (__s64)age < 0 || age < (connection->taken == 1 ? alone : keep);
}

/* Counts a packet of a connection. Returns whether it is one of the first. */
static __always_inline bool count(struct connection *connection)
{
	return connection->taken < limit && __sync_fetch_and_add(&connection->taken, 1) < limit;
}

/* Begins a connection. Packets of the other direction are counted anew. */
static __always_inline bool begin(void *connections, const void *key, const void *reversed, __be32 isn)
{
	struct connection begun = {.isn = isn, .taken = 1, .since = bpf_ktime_get_ns()};
	if (bpf_map_update_elem(connections, key, &begun, BPF_ANY)) {
		__sync_fetch_and_add(&left_out, 1);
		return false;
	}
	struct connection *other = bpf_map_lookup_elem(connections, reversed);
	if (other)
		other->taken = 0;
	return true;
}

/* Whether a packet belongs to a connection that was chosen before. A SYN packet with another sequence number does not. */
static __always_inline bool follows(const struct connection *known, const struct tcp *tcp)
{
	if (is_syn(tcp) && known->isn != tcp->sequence)
		return false;
	return is_remembered(known, bpf_ktime_get_ns());
}

static __always_inline bool takes4(const struct ipv4 *ip, const struct tcp *tcp)
{
	struct key4 key = {ip->source, ip->target, tcp->source_port, tcp->target_port};
	struct connection *known = bpf_map_lookup_elem(&connections4, &key);
	if (known && follows(known, tcp))
		return count(known);
	if (!is_syn(tcp))
		return false;
	if (is_chosen(hash4(&key, tcp->sequence))) {
		struct prefix client = {128, {0, 0, bpf_htonl(0xffff), key.source}};
		struct key4 reversed = {key.target, key.source, key.target_port, key.source_port};
		if (!is_excluded(&client))
			return begin(&connections4, &key, &reversed, tcp->sequence);
	}
	/* What comes from now on belongs to a connection that was not chosen. */
	if (known)
		bpf_map_delete_elem(&connections4, &key);
	return false;
}

static __always_inline bool takes6(const struct ipv6 *ip, const struct tcp *tcp)
{
	struct key6 key = {
		{ip->source[0], ip->source[1], ip->source[2], ip->source[3]},
		{ip->target[0], ip->target[1], ip->target[2], ip->target[3]},
		tcp->source_port, tcp->target_port,
	};
	struct connection *known = bpf_map_lookup_elem(&connections6, &key);
	if (known && follows(known, tcp))
		return count(known);
	if (!is_syn(tcp))
		return false;
	if (is_chosen(hash6(&key, tcp->sequence))) {
		struct prefix client = {128, {key.source[0], key.source[1], key.source[2], key.source[3]}};
		struct key6 reversed = {
			{key.target[0], key.target[1], key.target[2], key.target[3]},
			{key.source[0], key.source[1], key.source[2], key.source[3]},
			key.target_port, key.source_port,
		};
		if (!is_excluded(&client))
			return begin(&connections6, &key, &reversed, tcp->sequence);
	}
	if (known)
		bpf_map_delete_elem(&connections6, &key);
	return false;
}

/* --- Packets ---------------------------------------------------------------------------------------------------- */

static __always_inline bool takes_ipv4(struct packet *packet, __u32 wire_len)
{
	struct ipv4 *ip = bytes_at(packet, 0, sizeof(*ip));
	/* Later fragments have no TCP header. */
	if (!ip || ip->protocol != TCP || ip->version_length >> 4 != 4 || ip->fragment & LATER_FRAGMENT)
		return false;
	packet->at = (ip->version_length & 15) * 4;
	/* A length of 0 is what segmentation offload leaves behind. */
	packet->length = ip->length ? bpf_ntohs(ip->length) : wire_len;
	if (packet->at < sizeof(*ip))
		return false;
	struct tcp *tcp = tcp_of(packet);
	return tcp && is_sampled_port(tcp->target_port) && takes4(ip, tcp);
}

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60
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

/* Walks to the TCP header. */
static __always_inline bool skip_extensions(struct packet *packet, __u8 next)
{
	for (int count = 0; next != TCP; count++) {
		struct extension *header = bytes_at(packet, packet->at, sizeof(*header));
		__u32 length = header && count < EXTENSIONS ? extension_length(next, header) : 0;
		if (!length)
			return false;
		packet->at += length;
		next = header->next;
	}
	return true;
}

static __always_inline bool is_mapped(const __u32 *address)
{
	return !address[0] && !address[1] && address[2] == bpf_htonl(0xffff);
}

static __always_inline bool takes_ipv6(struct packet *packet, __u32 wire_len)
{
	struct ipv6 *ip = bytes_at(packet, 0, sizeof(*ip));
	if (!ip || *(__u8 *)ip >> 4 != 6)
		return false;
	packet->at = sizeof(*ip);
	packet->length = ip->length ? sizeof(*ip) + bpf_ntohs(ip->length) : wire_len;
	if (!skip_extensions(packet, ip->next))
		return false;
	struct tcp *tcp = tcp_of(packet);
	if (!tcp || !is_sampled_port(tcp->target_port))
		return false;
	/* They have no place on the wire. */
	if (is_mapped(ip->source) || is_mapped(ip->target))
		return false;
	return takes6(ip, tcp);
}

static __always_inline void hand_over(struct __sk_buff *skb, __u32 from)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	__u32 len = skb->len - from;
	record->time = bpf_ktime_get_ns();
	record->lost = lost;
	record->left_out = left_out;
	record->wire_len = len;
	if (len > SNAPLEN)
		len = SNAPLEN;
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

/* Whether to hand over the packet that begins at `from`. Nothing is remembered of one that is cut. */
static __always_inline bool takes(struct __sk_buff *skb, __be16 protocol, __u32 from, bool *is_cut)
{
	struct packet packet = {
		.data = (void *)(long)skb->data + from,
		.end = (void *)(long)skb->data_end,
	};
	bool result = false;
	if (protocol == bpf_htons(ETH_P_IP))
		result = takes_ipv4(&packet, skb->len - from);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		result = takes_ipv6(&packet, skb->len - from);
	*is_cut = packet.is_cut && skb->data_end - skb->data < skb->len;
	return result;
}

SEC("classifier")
int ingress(struct __sk_buff *skb)
{
	__be16 protocol;
	bool is_cut;
	if (skb->pkt_type == PACKET_OTHERHOST)
		return TC_ACT_UNSPEC;
	__u32 from = network(skb, &protocol) & 31;
	bool result = takes(skb, protocol, from, &is_cut);
	__u32 wanted = from + SNAPLEN;
	if (is_cut && !bpf_skb_pull_data(skb, skb->len < wanted ? skb->len : wanted))
		result = takes(skb, protocol, from, &is_cut);
	if (result)
		hand_over(skb, from);
	return TC_ACT_UNSPEC;
}

/* No helper that is used here is limited to programs under the GPL. */
char LICENSE[] SEC("license") = "MIT OR Apache-2.0";
