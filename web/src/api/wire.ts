// What the API sends, by the types that its OpenAPI description gives.

import type { components, operations } from "../generated/api";

type Schemas = components["schemas"];

/** Of `quic_closes_timeouts/share` with one series, `all`. */
export interface QuicShareAnswer {
  meta: Schemas["ShareMeta"];
  all: Schemas["QuicShares"];
}

export type TracedDatagrams = Schemas["TracedDatagrams"];
export type WatchedPlace = Schemas["WatchedPlace"];
export type Followers = Schemas["Followers"];
export type Note = Schemas["Note"];
export type NoteToKeep = Schemas["AnnotationToKeep"];
export type KeptNote = Schemas["KeptAnnotation"];
export type Meta = Schemas["Meta"] & Partial<Schemas["OwnMeta"]>;
export type CountsOfSeries = Schemas["CountOfSeries"];

/** Of `summary/{dimension}` and `timeseries_groups/{dimension}` with `counts=true`: shares by the names of series. */
export interface GroupsAnswer {
  meta: Meta;
  counts: Record<string, CountsOfSeries>;
  [series: string]: unknown;
}

/** A line of a ranking: of networks, or of countries. */
export type TopRow = Schemas["Numbers"] & Partial<Pick<Schemas["RankedAs"], "clientASN" | "clientASName">> & Partial<Pick<Schemas["RankedLocation"], "clientCountryAlpha2" | "clientCountryName">>;

export type Coverage = Schemas["Coverage"];
export type Location = Schemas["Location"];
export type Asn = Schemas["AsnDetails"];
export type Found = Schemas["Hit"];
export type Terms = Schemas["Terms"];
export type StageTerm = Schemas["StageTerm"];
export type Annotation = Schemas["KeptAnnotation"];
export type FoundEvent = Schemas["FoundEvent"];
export type Status = Schemas["StatusResult"];

export type ConnectionsAnswer = operations["connections"]["responses"]["200"]["content"]["application/json"]["result"];
/** Servers to which connections were opened. */
export type Upstreams = Schemas["Servers"];
export type Traced = Schemas["Traced"];
export type Connection = ConnectionsAnswer["connections"][number];
