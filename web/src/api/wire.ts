// What the API sends, as far as the page reads it.

export interface Note {
  description: string;
  eventType: string;
  startDate: string;
  endDate: string;
  isInstantaneous: boolean;
  linkedUrl: string;
}

export interface Meta {
  confidenceInfo: { annotations: Note[]; level: number };
  dateRange: { startTime: string; endTime: string }[];
  lastUpdated: string;
  aggInterval?: string;
  pendingWindows?: number;
  networksFolded?: boolean;
  portsFolded?: boolean;
  simulated?: boolean;
  minSample?: number;
}

export interface Columns {
  sampled: number[];
  weight: number[];
  low: string[];
  high: string[];
}

export interface CountsOfSeries {
  total: { sampled: number[]; weight: number[] };
  groups: Record<string, Columns>;
}

/** Of `summary/{dimension}` and `timeseries_groups/{dimension}` with `counts=true`. */
export interface GroupsAnswer {
  meta: Meta;
  counts: Record<string, CountsOfSeries>;
  [series: string]: unknown;
}

interface Numbers {
  value: string;
  low: string;
  high: string;
  matching: number;
  connections: number;
}

export interface TopRow extends Numbers {
  clientASN?: number;
  clientASName?: string;
  clientCountryAlpha2?: string;
  clientCountryName?: string;
  completed: Numbers;
}

export interface Location {
  alpha2: string;
  name: string;
  continent: string;
  latitude: string;
  longitude: string;
}

export interface Asn {
  asn: number;
  name: string;
  country: string;
  countryName: string;
}

export interface Found {
  code: string;
  name: string;
  type: string;
}

export interface StageTerm {
  name: string;
  /** Its name in single connections. */
  data_name: string;
  title: string;
  about: string;
  causes: string[];
}
export interface TagTerm {
  bit: number;
  name: string;
  parent: string | null;
  about: string;
}
export interface SignatureTerm {
  id: number;
  name: string;
  stage: string;
  about: string;
  causes: string[];
}
export interface NamedTerm {
  name: string;
  about: string;
}
export interface Terms {
  stages: StageTerm[];
  terminations: NamedTerm[];
  exclusions: NamedTerm[];
  tags: TagTerm[];
  signatures: SignatureTerm[];
}

export interface Status {
  version: string;
  started: string;
  simulated: boolean;
  store: {
    segments: number;
    packets: number;
    packetBytes: number;
    connectionBytes: number;
    rollupBytes: number;
    coveredFrom: string | null;
    coveredTo: string | null;
    latestPacket: string | null;
    copies: string;
    damaged: { name: string; why: string }[];
  };
  nodes: { name: string; latestPacket: string; secondsAgo: number }[];
  windows: {
    done: number;
    from: string | null;
    to: string | null;
    pending: number;
    oldestPending: string | null;
    lastUpdated: string | null;
    connections: number;
    trouble: string | null;
  };
  exclusions: { name: string; about: string; count: number; share: string }[];
  geo: { name: string; date: string; licence: string | null; urls: string[]; country: boolean; network: boolean }[];
  connectionsAllowed: boolean;
  hints: string[];
}

/** One connection, with the fields of the exports. */
export interface Connection {
  first_us: number;
  last_us: number;
  node: string;
  src_ip: string;
  src_port: number;
  dst_ip: string;
  dst_port: number;
  ip_version: number;
  packets: number;
  stage: string;
  termination: string;
  tags: string[];
  signature: string | null;
  signature_id: number | null;
  location: string | null;
  asn: number | null;
  as_name: string | null;
  rst_ttl_delta: number | null;
  rst_ip_id_delta: number | null;
  silent_us: number;
  sample_rate: number;
}

export interface ConnectionsAnswer {
  connections: Connection[];
  paging: { offset: number; limit: number; more: boolean };
}
