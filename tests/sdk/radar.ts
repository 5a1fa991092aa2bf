// Reads the API with the official TypeScript SDK of Cloudflare: compiled strictly, then run.
// usage: radar.js BASE_URL EXPECTED, as radar.py

import Cloudflare from 'cloudflare';
// @ts-ignore: only this is used of Node, whose types are not needed.
import { readFileSync } from 'node:fs';

declare const process: { argv: string[]; exitCode?: number };

// A note of each kind stands at all times; "event" is an older name of GENERAL.
const EVENT_TYPES = ['GENERAL', 'OUTAGE', 'PARTIAL_PROJECTION', 'PIPELINE', 'TRAFFIC_ANOMALY'] as const;

type Expected = { start: string; end: string; shares: Record<string, number> };

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function addsUp(shares: string[]): void {
  const values = shares.map(Number);
  check(shares.every((share) => typeof share === 'string' && /^\d+(\.\d{1,6})?$/.test(share)), `shares: ${shares}`);
  check(values.every((value) => value >= 0 && value <= 100), `bounds: ${shares}`);
  check(Math.abs(values.reduce((sum, value) => sum + value, 0) - 100) < 1e-9, `sum: ${shares}`);
}

async function summary(client: Cloudflare, expected: Expected): Promise<void> {
  const range = { dateStart: [expected.start], dateEnd: [expected.end] };
  const { meta, summary_0, ...others } = await client.radar.tcpResetsTimeouts.summary(range);
  check(Object.keys(others).length === 0, 'nothing else is in the result');
  const { post_syn, post_ack, post_psh, later_in_flow, no_match, ...more } = summary_0;
  check(Object.keys(more).length === 0, 'a summary has five keys');
  addsUp([post_syn, post_ack, post_psh, later_in_flow, no_match]);
  for (const [stage, share] of Object.entries({ post_syn, post_ack, post_psh, later_in_flow, no_match })) {
    check(Math.abs(Number(share) - (expected.shares[stage] ?? NaN) * 100) < 1e-6, `${stage}: ${share}`);
  }
  const kinds = new Set(meta.confidenceInfo.annotations.map((note) => note.eventType));
  check(kinds.size === EVENT_TYPES.length && EVENT_TYPES.every((kind) => kinds.has(kind)), `kinds: ${[...kinds]}`);
  check([1, 2, 3, 5].includes(meta.confidenceInfo.level), `level ${meta.confidenceInfo.level}`);
  check(meta.dateRange.length === 1 && meta.units.length > 0, 'dateRange and units');
  const twice = { dateStart: [expected.start, expected.start], dateEnd: [expected.end, expected.end] };
  const rest = await client.radar.tcpResetsTimeouts.summary({ ...twice, location: ['-BR', 'AQ'] });
  const isLeftOut = rest.summary_0 !== undefined && !('summary_1' in rest);
  check(isLeftOut && rest.meta.dateRange.length === 2, 'a later series without a connection is left out');
}

async function timeseries(client: Cloudflare, expected: Expected): Promise<void> {
  const { meta, serie_0 } = await client.radar.tcpResetsTimeouts.timeseriesGroups({
    name: ['', 'previous'],
    dateStart: [expected.start, expected.start],
    dateEnd: [expected.end, expected.end],
    location: ['', '-US'],
    aggInterval: '15m',
  });
  const { timestamps, ...columns } = serie_0;
  check(timestamps.length > 0, 'there is data');
  check(Object.keys(columns).sort().join() === 'later_in_flow,no_match,post_ack,post_psh,post_syn', 'five columns');
  check(Object.values(columns).every((column) => column.length === timestamps.length), 'equal lengths');
  timestamps.forEach((_, at) => addsUp(Object.values(columns).map((column) => column[at] ?? '')));
  check(timestamps.every((time, at) => at === 0 || (timestamps[at - 1] ?? '') < time), 'times rise');
  check(meta.aggInterval === 'FIFTEEN_MINUTES' && meta.dateRange.length === 2, 'meta');
  const control = await client.radar.tcpResetsTimeouts.timeseriesGroups({ dateRange: ['3d', '3dcontrol'] });
  check(control.meta.dateRange.length === 2, 'control');
}

async function refused(client: Cloudflare): Promise<void> {
  try {
    await client.radar.tcpResetsTimeouts.summary({ dateRange: ['400d'] });
  } catch (error) {
    check(error instanceof Cloudflare.BadRequestError, 'a bad request is one');
    check((error as InstanceType<typeof Cloudflare.APIError>).errors[0]?.code === 2001, 'code 2001');
    return;
  }
  throw new Error('400d was answered');
}

async function main(baseURL: string, file: string): Promise<void> {
  const expected: Expected = JSON.parse(readFileSync(file, 'utf8'));
  const client = new Cloudflare({ apiToken: 'x', baseURL, maxRetries: 0 });
  await summary(client, expected);
  await timeseries(client, expected);
  await refused(client);
  const { location } = await client.radar.entities.locations.get('PT');
  check(location.name === 'Portugal', 'entities');
  console.log('TypeScript SDK reads summary, timeseries and entities');
}

main(process.argv[2] ?? '', process.argv[3] ?? '').catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
