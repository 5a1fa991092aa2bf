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
export interface Terms {
  stages: StageTerm[];
  tags: TagTerm[];
  signatures: SignatureTerm[];
}

export interface Status {
  version: string;
  simulated: boolean;
  segments: number;
  packets: number;
  packetBytes: number;
  latestPacket: string | null;
  covered: { from: string; to: string } | null;
  windows: number;
  windowRange: { from: string; to: string } | null;
  updated: string | null;
  connections: number;
  excluded: Record<string, number>;
  nodes: { name: string; latestPacket: string }[];
  damaged: { name: string; why: string }[];
  geo: { source: string; date: string }[];
  connectionsAllowed: boolean;
}
