// A capture of a proxy that opens connections to upstreams, as raw IP in pcap.

export interface Upstream {
  address: string;
  port: number;
  connections: number;
  /** What it does with a SYN packet. */
  does: "answers" | "refuses" | "is silent";
}

const PROXY = "192.0.2.1";
const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16];
const octets = (address: string): number[] => address.split(".").map(Number);

interface Packet {
  /** Milliseconds since the epoch. */
  at: number;
  from: [string, number];
  to: [string, number];
  flags: number;
  seq: number;
  ack: number;
  payload?: number;
}

function bytes({ from, to, flags, seq, ack, payload = 0 }: Packet): Buffer {
  const packet = Buffer.alloc(40 + payload);
  packet.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, ...octets(from[0]), ...octets(to[0])]);
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt16BE(from[1], 20);
  packet.writeUInt16BE(to[1], 22);
  packet.writeUInt32BE(seq, 24);
  packet.writeUInt32BE(ack, 28);
  packet.set([0x50, flags, 0xff, 0xff], 32);
  return packet;
}

function connection(start: number, port: number, { address, port: to, does }: Upstream): Packet[] {
  const [us, them] = [[PROXY, port], [address, to]] as [[string, number], [string, number]];
  const sent = (ms: number, flags: number, seq: number, ack: number, payload = 0): Packet => ({ at: start + ms, from: us, to: them, flags, seq, ack, payload });
  const received = (ms: number, flags: number, seq: number, ack: number, payload = 0): Packet => ({ at: start + ms, from: them, to: us, flags, seq, ack, payload });
  const syn = sent(0, SYN, 1000, 0);
  if (does === "is silent") return [syn, sent(1000, SYN, 1000, 0), sent(3000, SYN, 1000, 0)];
  if (does === "refuses") return [syn, received(8, RST | ACK, 0, 1001)];
  return [
    syn,
    received(20, SYN | ACK, 5000, 1001),
    sent(21, ACK, 1001, 5001),
    sent(22, PSH | ACK, 1001, 5001, 100),
    received(40, ACK, 5001, 1101),
    received(45, PSH | ACK, 5001, 1101, 400),
    sent(46, ACK, 1101, 5401),
    sent(50, FIN | ACK, 1101, 5401),
    received(60, FIN | ACK, 5401, 1102),
    sent(61, ACK, 1102, 5402),
  ];
}

/** Connections to upstreams within ten minutes from a time on (milliseconds since the epoch). */
export function proxyCapture(start: number, upstreams: readonly Upstream[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.set([2, 0, 4, 0], 4);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(101, 20);
  let port = 20_000;
  const packets = upstreams.flatMap((one) => Array.from({ length: one.connections }, (_, at) => connection(start + (at * 600_000) / one.connections, port++, one)).flat());
  const records = packets.sort((a, b) => a.at - b.at).map((packet) => {
    const body = bytes(packet);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(packet.at / 1000), 0);
    record.writeUInt32LE(Math.floor(packet.at % 1000) * 1000, 4);
    record.writeUInt32LE(body.length, 8);
    record.writeUInt32LE(body.length, 12);
    return Buffer.concat([record, body]);
  });
  return Buffer.concat([header, ...records]);
}
