// The API's routes and shapes over the made-up world. MOCK_DATA=full|sparse|empty.
import { type Country, counts, countries, type Network, networks, QUARTER, STAGES, type StageCounts } from "./world.ts";
import { signatureNames, terms } from "./terms.ts";

const DAY = 96 * QUARTER;
const WEEK = 7 * DAY;
const kind = process.env["MOCK_DATA"] ?? "full";
const scale = kind === "sparse" ? 0.004 : kind === "empty" ? 0 : 3;
const end = (): number => Math.floor(Date.now() / QUARTER) * QUARTER;
const iso = (time: number): string => new Date(time).toISOString().replace(".000", "");
const STEP: Record<string, number> = { "15m": QUARTER, "1h": 4 * QUARTER, "1d": DAY, "1w": WEEK };
const INTERVAL: Record<string, string> = { "15m": "FIFTEEN_MINUTES", "1h": "ONE_HOUR", "1d": "ONE_DAY", "1w": "ONE_WEEK" };

export interface Reply {
  status: number;
  body: unknown;
}
interface Series {
  name: string;
  from: number;
  to: number;
  who: Network[];
  stages: boolean[];
  completed: boolean;
  unanswered: boolean;
  signature: string[];
}
type Group = Map<string, Map<number, number>>;

const bad = (message: string): Reply => ({ status: 400, body: { success: false, errors: [{ code: 2001, message }], result: {} } });
const ok = (result: unknown): Reply => ({ status: 200, body: { success: true, errors: [], messages: [], result } });

function range(query: URLSearchParams, at: number): [number, number] {
  const start = query.getAll("dateStart")[at];
  if (start) return [Date.parse(start), Date.parse(query.getAll("dateEnd")[at] ?? start)];
  const match = /^(\d+)([dw])(control)?$/i.exec(query.getAll("dateRange")[at] || "7d");
  const length = Number(match?.[1]) * (match?.[2] === "w" ? WEEK : DAY);
  const to = end() - (match?.[3] ? Math.ceil(length / WEEK) * WEEK : 0);
  return [to - length, to];
}

function series(query: URLSearchParams): Series[] {
  const keys = ["name", "dateRange", "dateStart", "location", "asn", "continent", "stage", "signature", "handshake", "resets"];
  const n = Math.max(1, ...keys.map((key) => query.getAll(key).length));
  return Array.from({ length: n }, (_, at) => {
    const list = (key: string): string[] => (query.getAll(key)[at] ?? "").split(",").filter(Boolean);
    const [locations, asns, continents, stages] = [list("location"), list("asn"), list("continent"), list("stage")];
    const of = new Map(countries.map((country) => [country.alpha2, country.continent]));
    const who = networks.filter(
      (n) =>
        (!locations.length || locations.includes(n.country)) &&
        (!asns.length || asns.includes(String(n.asn))) &&
        (!continents.length || continents.includes(of.get(n.country) ?? "")),
    );
    const [from, to] = range(query, at);
    return {
      name: query.getAll("name")[at] || "",
      from,
      to,
      who,
      stages: STAGES.map((stage) => !stages.length || stages.includes(stage)),
      completed: query.getAll("handshake")[at] === "completed",
      unanswered: query.getAll("resets")[at] === "unanswered",
      signature: list("signature"),
    };
  });
}

function of(series: Series, network: Network, time: number): StageCounts {
  const c = counts(network, time, end(), scale);
  if (end() - time > 29 * DAY) return [0, 0, 0, 0, 0];
  if (series.completed) c[0] = 0;
  if (series.unanswered) {
    c[4] += Math.floor(c[3] * 0.8) + Math.floor(c[2] * 0.3);
    c[3] -= Math.floor(c[3] * 0.8);
    c[2] -= Math.floor(c[2] * 0.3);
  }
  return c;
}

const PARTS: Record<string, [string, number][][]> = {
  termination: [
    [["reset", 0.5], ["timeout", 0.5]],
    [["reset", 0.3], ["timeout", 0.7]],
    [["reset", 0.6], ["timeout", 0.4]],
    [["reset", 1]],
    [["fin", 0.86], ["open", 0.12], ["server_reset", 0.02]],
  ],
  tag: [
    [["timeout", 0.5], ["reset", 0.5], ["single_rst", 0.4], ["single_rstack", 0.1], ["zmap", 0.2]],
    [["timeout", 0.7], ["reset", 0.3], ["single_rstack", 0.3]],
    [["timeout", 0.4], ["reset", 0.6], ["single_rst", 0.2], ["multiple_rsts", 0.2], ["acknumdiff", 0.1], ["acknumsame0", 0.1], ["single_rstack", 0.2], ["answered", 0.3]],
    [["reset", 1], ["fin", 0.4], ["single_rst", 0.6], ["single_rstack", 0.4], ["answered", 0.9]],
    [["answered", 0.9], ["syn_retransmitted", 0.03]],
  ],
  ip_version: STAGES.map(() => [["IPv4", 0.7], ["IPv6", 0.3]]),
  port: STAGES.map(() => [["443", 0.8], ["80", 0.15], ["8443", 0.05]]),
  node: STAGES.map(() => [["edge1", 0.6], ["edge2", 0.4]]),
};
PARTS["signature"] = STAGES.map((stage) => {
  const own = signatureNames.filter(([, s]) => s === stage);
  return own.length ? [...own.map(([name, ], i): [string, number] => [name!, 1.8 / own.length / (i + 2)]), ["none", 0.15]] : [["none", 1]];
});

function groupsAt(by: string, network: Network, c: StageCounts, add: (name: string, n: number) => void): void {
  const total = c[0] + c[1] + c[2] + c[3] + c[4];
  if (by === "location") return add(network.country, total);
  if (by === "as") return add(String(network.asn), total);
  if (by === "stage") return STAGES.forEach((stage, i) => add(stage, c[i]!));
  if (by === "exclusion") {
    add("connection", total);
    add("no_syn", total * 0.06);
    add("multiple_syn", total * 0.002);
    return add("incomplete", total * 0.004);
  }
  PARTS[by]?.forEach((parts, i) => parts.forEach(([name, share]) => add(name, Math.round(c[i]! * share))));
}

function count(one: Series, by: string, step: number): { times: number[]; totals: number[]; groups: [string, number[]][] } {
  const groups: Group = new Map();
  const totals = new Map<number, number>();
  const stride = step >= DAY ? 4 * QUARTER : QUARTER;
  for (let time = one.from; time < one.to; time += stride) {
    const bucket = Math.max(one.from, Math.floor(time / step) * step);
    for (const network of one.who) {
      const c = of(one, network, time).map((n, i) => (one.stages[i] ? n * (stride / QUARTER) : 0)) as StageCounts;
      const total = c[0] + c[1] + c[2] + c[3] + c[4];
      if (total) totals.set(bucket, (totals.get(bucket) ?? 0) + total);
      groupsAt(by, network, c, (name, n) => {
        const group = groups.get(name) ?? new Map<number, number>();
        group.set(bucket, (group.get(bucket) ?? 0) + n);
        groups.set(name, group);
      });
    }
  }
  const times = [...totals.keys()].sort((a, b) => a - b);
  const all = [...groups].map(([name, g]): [string, number[]] => [name, times.map((t) => g.get(t) ?? 0)]);
  const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
  if (by !== "stage") all.sort((a, b) => sum(b[1]) - sum(a[1]));
  return { times, totals: times.map((t) => totals.get(t) ?? 0), groups: all };
}

function wilson(k: number, n: number): [number, number] {
  if (!n) return [0, 100];
  const z = 1.96;
  const p = k / n;
  const mid = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = ((z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n));
  return [100 * Math.max(0, mid - half), 100 * Math.min(1, mid + half)];
}

const percent = (part: number, whole: number): string => String(Number(((100 * part) / (whole || 1)).toFixed(6)));

function meta(all: Series[], interval?: string): object {
  return {
    confidenceInfo: { annotations: scale ? notes() : [], level: kind === "sparse" ? 2 : 5 },
    dateRange: all.map((s) => ({ startTime: iso(s.from), endTime: iso(s.to) })),
    lastUpdated: iso(end()),
    normalization: "PERCENTAGE",
    units: [{ name: "*", value: "connections" }],
    ...(interval ? { aggInterval: INTERVAL[interval] } : {}),
    pendingWindows: 0,
    networksFolded: false,
    portsFolded: false,
    simulated: true,
  };
}

const notes = (): object[] => [
  {
    dataSource: "CONNECTION_ANOMALY", description: "Nationwide shutdown reported by the made-up press", eventType: "OUTAGE",
    startDate: iso(end() - 9 * DAY), endDate: iso(end() - 8 * DAY), isInstantaneous: false, linkedUrl: "https://example.org/pt",
  },
];

function grouped(query: URLSearchParams, by: string, inTime: boolean): Reply {
  const all = series(query);
  const length = all[0]!.to - all[0]!.from;
  const interval = query.get("aggInterval") || (length <= DAY ? "15m" : length <= 31 * DAY ? "1h" : "1d");
  const result: Record<string, unknown> = { meta: meta(all, inTime ? interval : undefined) };
  const countsOf: Record<string, object> = {};
  all.forEach((one, at) => {
    const { times, totals, groups } = count(one, by, inTime ? STEP[interval]! : Infinity);
    const name = one.name || `${inTime ? "serie" : "summary"}_${at}`;
    const shares = groups.map(([group, n]) => [group, n.map((c, i) => percent(c, totals[i]!))] as const);
    result[name] = inTime
      ? { timestamps: times.map(iso), ...Object.fromEntries(shares) }
      : Object.fromEntries(shares.map(([group, column]) => [group, column[0] ?? "0"]));
    countsOf[name] = {
      total: { sampled: totals, weight: totals },
      groups: Object.fromEntries(
        groups.map(([group, n]) => {
          const intervals = n.map((k, i) => wilson(k, totals[i]!));
          return [group, { sampled: n, weight: n, low: intervals.map(([a]) => String(a)), high: intervals.map(([, b]) => String(b)) }];
        }),
      ),
    };
  });
  if (query.get("counts") === "true") result["counts"] = countsOf;
  return ok(result);
}

function top(query: URLSearchParams, by: "as" | "location"): Reply {
  const all = series(query);
  const least = Number(query.get("minSample") ?? 100);
  const result: Record<string, unknown> = { meta: { ...meta(all), minSample: least } };
  all.forEach((one, at) => {
    const whole = count({ ...one, stages: STAGES.map(() => true) }, by, Infinity);
    const stages = query.getAll("stage")[at] ? one.stages : STAGES.map((s) => s !== "no_match");
    const part = new Map(count({ ...one, stages }, by, Infinity).groups);
    const rows = whole.groups.map(([key, [n = 0]]) => {
      const k = part.get(key)?.[0] ?? 0;
      const [low, high] = wilson(k, n);
      const named = by === "as"
          ? { clientASN: Number(key), clientASName: networks.find((x) => String(x.asn) === key)?.name ?? "" }
          : { clientCountryAlpha2: key, clientCountryName: countries.find((c) => c.alpha2 === key)?.name ?? "" };
      const numbers = { value: percent(k, n), low: String(low), high: String(high), connections: n, weight: n, matching: k };
      return { ...named, ...numbers, completed: numbers };
    });
    const name = one.name || `top_${at}`;
    result[name] = rows
      .filter((row) => row.connections >= least)
      .sort((a, b) => Number(b.low) - Number(a.low))
      .slice(0, Number(query.get("limit") ?? 5));
  });
  return ok(result);
}

const place = (c: Country): object => ({ ...c, latitude: String(c.latitude), longitude: String(c.longitude), region: "", subregion: "" });
const entity = (n: Network): object => ({
  asn: n.asn, name: n.name, country: n.country, countryName: countries.find((c) => c.alpha2 === n.country)?.name ?? "",
});

function search(query: URLSearchParams): Reply {
  const text = (query.get("query") ?? "").toLowerCase();
  const hit = (...words: string[]): boolean => words.some((word) => word.toLowerCase().includes(text));
  const locations = countries.filter((c) => hit(c.name) || c.alpha2.toLowerCase() === text);
  const asns = networks.filter((n) => hit(n.name, String(n.asn), `as${n.asn}`));
  return ok({
    search: [
      ...locations.map((c) => ({ code: c.alpha2, name: c.name, type: "location" })),
      ...asns.map((n) => ({ code: String(n.asn), name: n.name, type: "asn" })),
    ].slice(0, Number(query.get("limit") ?? 10)),
  });
}

function status(): Reply {
  const now = end();
  const at = (time: number): string | null => (scale ? iso(time) : null);
  const n = (some: number): number => (scale ? some : 0);
  return ok({
    version: "0.1.0", started: iso(now), simulated: scale > 0,
    store: {
      segments: n(2688), packets: n(8_213_447), packetBytes: n(139_000_000), connectionBytes: n(44_000_000), rollupBytes: n(31_000_000),
      coveredFrom: at(now - 28 * DAY), coveredTo: at(now), latestPacket: at(now - 4000), copies: "0.12", damaged: [],
    },
    nodes: scale ? [{ name: "edge1", latestPacket: iso(now - 4000), secondsAgo: 4 }, { name: "edge2", latestPacket: iso(now - 3_600_000), secondsAgo: 3600 }] : [],
    windows: { done: n(2688), from: at(now - 28 * DAY), to: at(now), pending: 0, oldestPending: null, lastUpdated: at(now), connections: n(1_912_332), trouble: null },
    exclusions: [["no_syn", 21_932], ["multiple_syn", 812], ["incomplete", 2_114]].map(([name, c]) => ({ name, about: `Why ${name}.`, count: n(Number(c)), share: "1.1" })),
    geo: [{ name: "IP Geolocation by DB-IP", date: "2026-11-01", licence: "CC BY 4.0", urls: ["https://db-ip.com"], country: true, network: false }],
    connectionsAllowed: true, hints: scale ? [] : ["The store is empty: put captures in with 'cutshort import --data DIR FILES'."],
  });
}

function connections(q: URLSearchParams): Reply {
  const [one] = series(q);
  const [limit, offset] = [Number(q.get("limit") ?? 100), Number(q.get("offset") ?? 0)];
  const all = Array.from({ length: scale ? 240 : 0 }, (_, at) => {
    const network = one!.who[(at * 7) % one!.who.length]!;
    const [stage, termination, tags, signature] = ([
      ["post_ack", "timeout", ["timeout"], "SYN; ACK → ∅"],
      ["post_psh", "reset", ["reset", "single_rstack"], "PSH+ACK → RST+ACK"],
      ["none", "fin", ["answered"], null],
      ["post_syn", "reset", ["reset", "single_rst", "zmap"], "SYN → RST"],
    ] as const)[at % 4]!;
    return {
      first_us: (one!.to - at * 31_000) * 1000, last_us: (one!.to - at * 31_000 + 350) * 1000, node: "edge1", src_ip: `240.0.${at}.7`, src_port: 40_000 + at,
      dst_ip: "192.0.2.5", dst_port: 443, ip_version: 4, packets: 4, stage, termination, tags, signature, signature_id: signature ? 5 : null,
      location: network.country, asn: network.asn, as_name: network.name, rst_ttl_delta: termination === "reset" ? 64 : null, rst_ip_id_delta: null, silent_us: 4e8, sample_rate: 1,
    };
  });
  return ok({ connections: all.slice(offset, offset + limit), paging: { offset, limit, more: offset + limit < all.length } });
}

export function answer(url: URL): Reply {
  const path = url.pathname.replace("/client/v4/radar/", "");
  const q = url.searchParams;
  const own = /^tcp_resets_timeouts\/(summary|timeseries_groups)(?:\/(\w+))?$/.exec(path);
  if (own) return grouped(q, own[2] ?? "stage", own[1] === "timeseries_groups");
  switch (path) {
    case "tcp_resets_timeouts/top/ases": return top(q, "as");
    case "tcp_resets_timeouts/top/locations": return top(q, "location");
    case "tcp_resets_timeouts/terms": return ok(terms);
    case "tcp_resets_timeouts/connections": return connections(q);
    case "status": return status();
    case "search/global": return search(q);
    case "entities/locations": return ok({ locations: countries.map(place) });
    case "annotations/outages": return ok({ annotations: [] });
  }
  const location = /^entities\/locations\/(\w\w)$/.exec(path);
  const country = location && countries.find((c) => c.alpha2 === location[1]);
  if (country) return ok({ location: place(country) });
  const asn = /^entities\/asns\/(\d+)$/.exec(path);
  const network = asn && networks.find((n) => String(n.asn) === asn[1]);
  if (network) return ok({ asn: entity(network) });
  if (location || asn) return { status: 404, body: { error: "Not Found" } };
  return path.startsWith("tcp") ? bad(`no route ${path}`) : { status: 404, body: { success: false, errors: [{ code: 7003, message: "no route" }] } };
}
