// Reads events with the official TypeScript SDK of Cloudflare; the compiler checks that nothing else is read.
// usage: events.js BASE_URL, of a server that has found a shutdown of Iraq

import Cloudflare from 'cloudflare';

declare const process: { argv: string[]; exitCode?: number };

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const { radar } = new Cloudflare({ apiToken: 'x', baseURL: process.argv[2] ?? '', maxRetries: 0 });
const { trafficAnomalies } = await radar.trafficAnomalies.get({ limit: 10, dateRange: '7d' });
const [found] = trafficAnomalies;
check(trafficAnomalies.length === 1 && found !== undefined, 'one anomaly');
check(found?.type === 'LOCATION' && found.status === 'UNVERIFIED', `${found?.type} ${found?.status}`);
check(found?.locationDetails?.code === 'IQ' && found.asnDetails === null, 'of Iraq');
check(found?.endDate != null && found.startDate < found.endDate, 'with its end');
const counts = await radar.trafficAnomalies.locations.get({ status: 'UNVERIFIED' });
check(counts.trafficAnomalies[0]?.clientCountryAlpha2 === 'IQ', 'by country');
const { annotations } = await radar.annotations.list({ eventType: 'TRAFFIC_ANOMALY' });
check(annotations.length === 1 && annotations[0]?.id === found?.uuid, 'among the annotations');
const outages = await radar.annotations.outages.locations({ limit: 3 });
check(outages.annotations.length === 0, 'nobody has noted any outage');
console.log('typescript SDK reads events');
