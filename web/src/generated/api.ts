// Written by web/scripts/types.mjs.
export interface paths {
    "/client/v4/cutshort/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/cutshort/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["event"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/cutshort/events/{id}/followers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["followers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/cutshort/outliers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["outliers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/cutshort/watched": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["watched"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/annotations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["annotations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/annotations/outages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["annotationsOutages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/annotations/outages/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["annotationsOutagesLocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/entities/asns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["entitiesAsns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/entities/asns/ip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["entitiesAsnOfIp"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/entities/asns/{asn}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["entitiesAsn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/entities/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["entitiesLocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/entities/locations/{alpha2}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["entitiesLocation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originConnections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/connections/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/coverage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originCoverage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/summary/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originSummaryByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/terms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTerms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/timeseries_groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTimeseriesGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/timeseries_groups/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTimeseriesGroupsByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/top/ases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTopAses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/top/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTopLocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/top/servers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTopServers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origin_resets_timeouts/top/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originTopByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origins": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["origins"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origins/summary/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originsSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origins/timeseries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originsTimeseries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origins/timeseries_groups/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originsTimeseriesGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/origins/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["originBySlug"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicConnections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/connections/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/coverage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicCoverage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/share": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicShare"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/summary/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicSummaryByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/terms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTerms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/timeseries_groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTimeseriesGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/timeseries_groups/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTimeseriesGroupsByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/top/ases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTopAses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/top/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTopLocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/quic_closes_timeouts/top/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["quicTopByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/search/global": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["searchGlobal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["connections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/connections/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/coverage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["coverage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["summary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/summary/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["summaryByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/terms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["terms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/timeseries_groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["timeseriesGroups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/timeseries_groups/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["timeseriesGroupsByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/top/ases": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["topAses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/top/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["topLocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/tcp_resets_timeouts/top/{dimension}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["topByDimension"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/traffic_anomalies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["trafficAnomalies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/client/v4/radar/traffic_anomalies/locations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["trafficAnomaliesLocations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AnnotationToKeep: {
            asns?: number[];
            dataSet?: string | null;
            description: string;
            /** Format: date-time */
            endDate?: string | null;
            eventType?: string | null;
            linkedUrl?: string | null;
            locations?: string[];
            outage?: components["schemas"]["Outage"] | null;
            scope?: string | null;
            /** Format: date-time */
            startDate: string;
        };
        Annotations: {
            annotations: components["schemas"]["KeptAnnotation"][];
        };
        Anomalies: {
            trafficAnomalies: components["schemas"]["Anomaly"][];
        };
        Anomaly: {
            asnDetails?: components["schemas"]["NetworkName"] | null;
            /** Format: date-time */
            endDate?: string | null;
            locationDetails?: components["schemas"]["PlaceName"] | null;
            originDetails?: string | null;
            /** Format: date-time */
            startDate: string;
            status: string;
            type: string;
            uuid: string;
            visibleInDataSources: string[];
        };
        AnomalyCounts: {
            trafficAnomalies: components["schemas"]["CountryCount"][];
        };
        Asn: {
            /** Format: int32 */
            asn: number;
            country: string;
            countryName: string;
            estimatedUsers: components["schemas"]["EstimatedUsers"];
            name: string;
            orgName: string;
            website: string;
        };
        AsnDetails: components["schemas"]["Asn"] & {
            /** Format: int32 */
            confidenceLevel: number;
            related: string[];
            source: string;
        };
        AsnList: {
            asns: components["schemas"]["Asn"][];
        };
        AsnOne: {
            asn: components["schemas"]["AsnDetails"];
        };
        Completed: {
            /** Format: int64 */
            connections: number;
            high: string;
            low: string;
            /** Format: int64 */
            matching: number;
            value: string;
        };
        ConfidenceInfo: {
            annotations: components["schemas"]["Note"][];
            /** Format: int32 */
            level: number;
        };
        CountColumns: components["schemas"]["Counts"] & {
            cutShort?: components["schemas"]["CutShort"] | null;
            high: string[];
            low: string[];
        };
        CountOfSeries: {
            groups: {
                [key: string]: components["schemas"]["CountColumns"];
            };
            total: components["schemas"]["Counts"];
        };
        CountryCount: {
            clientCountryAlpha2: string;
            clientCountryName: string;
            value: string;
        };
        Counts: {
            sampled: number[];
            weight: number[];
        };
        Coverage: {
            collected: string;
            complete: string;
            gaps: components["schemas"]["Gap"][];
            gapsOmitted: number;
            intervals?: components["schemas"]["CoveredIntervals"] | null;
            nodes: components["schemas"]["CoveredNode"][];
        };
        CoverageMeta: {
            aggInterval: string;
            dateRange: components["schemas"]["DateRange"][];
        };
        CoveredIntervals: {
            collected: string[];
            complete: string[];
            timestamps: string[];
        };
        CoveredNode: {
            collected: string;
            missing: string;
            name: string;
        };
        CutShort: components["schemas"]["Counts"] & {
            high: string[];
            low: string[];
            value: string[];
        };
        Damaged: {
            name: string;
            why: string;
        };
        DateRange: {
            /** Format: date-time */
            endTime: string;
            /** Format: date-time */
            startTime: string;
        };
        DifferentSignature: {
            /** Format: int32 */
            id?: number | null;
            /** Format: double */
            lift?: number | null;
            name: string;
            /** Format: double */
            part: number;
        };
        EstimatedUsers: {
            locations: string[];
        };
        EventList: {
            events: components["schemas"]["FoundEvent"][];
        };
        Excluded: {
            incomplete: string;
            multiple_syn: string;
            no_syn: string;
        };
        Followers: {
            exempt: components["schemas"]["NetworkName"][];
            following: components["schemas"]["NetworkName"][];
        };
        Found: {
            search: components["schemas"]["Hit"][];
        };
        FoundCorroboration: {
            /** Format: int64 */
            minutesApart?: number | null;
            signals: components["schemas"]["FoundSignal"][];
            source: string;
            verdict: string;
        };
        FoundEvent: {
            /** Format: date-time */
            alarm?: string | null;
            asn?: components["schemas"]["NetworkName"] | null;
            channel: string;
            /** Format: date-time */
            closed?: string | null;
            corroboration: components["schemas"]["FoundCorroboration"][];
            dataSet: string;
            /** Format: double */
            depth?: number | null;
            direction: string;
            /** Format: date-time */
            end?: string | null;
            episode: string;
            /** Format: double */
            evidence: number;
            /** Format: double */
            excess: number;
            id: string;
            links: components["schemas"]["SourceLink"][];
            location?: components["schemas"]["PlaceName"] | null;
            node?: string | null;
            /** Format: date-time */
            onset: string;
            /** Format: date-time */
            opened: string;
            partOf?: string | null;
            parts: string[];
            place: string;
            /** Format: double */
            points?: number | null;
            review?: components["schemas"]["FoundReview"] | null;
            /** Format: int32 */
            revision: number;
            server?: string | null;
            severity: string;
            state: string;
            summary: string;
            /** Format: date-time */
            updated: string;
        };
        FoundOutlier: {
            asn: components["schemas"]["NetworkName"];
            compared: number;
            /** Format: double */
            excess: number;
            /** Format: double */
            p: number;
            peers: string;
            /** Format: double */
            share: number;
            signatures: components["schemas"]["DifferentSignature"][];
            stage: string;
            summary: string;
            /** Format: double */
            usual: number;
            /** Format: double */
            z: number;
        };
        FoundReview: {
            /** Format: date-time */
            at: string;
            decision: string;
            note?: string | null;
        };
        FoundSignal: {
            /** Format: int64 */
            minutesApart?: number | null;
            place: string;
            says: string;
            signal: string;
            url?: string | null;
            verdict: string;
        };
        Gap: {
            /** Format: date-time */
            endTime: string;
            missing: string[];
            nothing: boolean;
            /** Format: date-time */
            startTime: string;
        };
        Health: {
            status: string;
        };
        Hit: {
            code: string;
            name: string;
            type: string;
        };
        ImpairedWindow: {
            about: string;
            how: string;
            /** Format: date-time */
            window: string;
        };
        KeptAnnotation: {
            asns: number[];
            asnsDetails: components["schemas"]["NetworkName"][];
            dataSource: string;
            description: string;
            /** Format: date-time */
            endDate?: string | null;
            entities: string[];
            eventType: string;
            geoIds: string[];
            id: string;
            linkedUrl?: string | null;
            locations: string[];
            locationsDetails: components["schemas"]["PlaceName"][];
            origins: string[];
            originsDetails: string[];
            outage?: components["schemas"]["Outage"] | null;
            scope?: string | null;
            /** Format: date-time */
            startDate: string;
            tags: string[];
        };
        KeptDataSet: {
            /** Format: int64 */
            connections: number;
            /** Format: date-time */
            coveredFrom?: string | null;
            /** Format: date-time */
            coveredTo?: string | null;
            directory: string;
            name: string;
            pending: number;
        };
        KeptSegment: {
            /** Format: date-time */
            from: string;
            id: string;
            new: boolean;
            /** Format: int64 */
            packets: number;
            /** Format: date-time */
            to: string;
        };
        LeftOut: {
            about: string;
            /** Format: int64 */
            count: number;
            name: string;
            share: string;
            title: string;
        };
        Live: {
            /** Format: date-time */
            coveredTo: string;
            /** Format: int64 */
            dropped: number;
            /** Format: date-time */
            heard: string;
            /** Format: int64 */
            lagSeconds: number;
            /** Format: int64 */
            leftOut: number;
            /** Format: date-time */
            leftOutFrom?: string | null;
            /** Format: date-time */
            leftOutTo?: string | null;
            loss: string;
            /** Format: int64 */
            lost: number;
            /** Format: int64 */
            received: number;
            /** Format: int64 */
            unwritten: number;
            /** Format: int64 */
            waiting: number;
        };
        Location: {
            alpha2: string;
            /** Format: int32 */
            confidenceLevel: number;
            continent: string;
            latitude: string;
            longitude: string;
            name: string;
            region: string;
            subregion: string;
        };
        LocationList: {
            locations: components["schemas"]["Location"][];
        };
        LocationOne: {
            location: components["schemas"]["Location"];
        };
        Meta: {
            aggInterval?: string | null;
            confidenceInfo: components["schemas"]["ConfidenceInfo"];
            dateRange: components["schemas"]["DateRange"][];
            /** Format: date-time */
            lastUpdated: string;
            normalization: string;
            units: components["schemas"]["Unit"][];
        };
        NamedTerm: {
            about: string;
            name: string;
            title: string;
        };
        NetworkName: {
            asn: string;
            location?: components["schemas"]["PlaceName"] | null;
            name: string;
        };
        Node: {
            /** Format: date-time */
            latestPacket?: string | null;
            live?: components["schemas"]["Live"] | null;
            name: string;
            /** Format: int64 */
            secondsAgo?: number | null;
        };
        Note: {
            dataSource: string;
            description: string;
            /** Format: date-time */
            endDate: string;
            eventType: string;
            isInstantaneous: boolean;
            linkedUrl: string;
            /** Format: date-time */
            startDate: string;
        };
        Numbers: {
            completed: components["schemas"]["Completed"];
            /** Format: int64 */
            connections: number;
            excluded: components["schemas"]["Excluded"];
            high: string;
            low: string;
            /** Format: int64 */
            matching: number;
            stages: components["schemas"]["StageShares"];
            value: string;
            /** Format: int64 */
            weight: number;
        };
        OneAnnotation: {
            annotation: components["schemas"]["KeptAnnotation"];
        };
        OneEvent: {
            event: components["schemas"]["FoundEvent"];
        };
        Origin: {
            regions: components["schemas"]["Region"][];
            slug: string;
        };
        OriginList: {
            origins: components["schemas"]["Origin"][];
        };
        OriginOne: {
            origin: components["schemas"]["Origin"];
        };
        Outage: {
            outageCause: string;
            outageType: string;
        };
        OutageCounts: {
            annotations: components["schemas"]["CountryCount"][];
        };
        OutlierList: {
            dateRange: components["schemas"]["DateRange"];
            outliers: components["schemas"]["FoundOutlier"][];
        };
        OwnMeta: {
            coverage: components["schemas"]["Coverage"][];
            /** Format: int64 */
            minSample?: number | null;
            networksFolded: boolean;
            pendingWindows: number;
            portsFolded: boolean;
            ranked?: components["schemas"]["RankedOf"][] | null;
            simulated: boolean;
        };
        Paging: {
            limit: number;
            more: boolean;
            offset: number;
        };
        PlaceName: {
            code: string;
            name: string;
        };
        Problem: {
            errors: {
                code: number;
                message: string;
            }[];
            messages: {
                code: number;
                message: string;
            }[];
            result: Record<string, never>;
            success: boolean;
        };
        QuicShares: {
            quic: number[];
            tcp: number[];
            timestamps: string[];
            value: string[];
        };
        RankedAs: components["schemas"]["Numbers"] & {
            /** Format: int32 */
            clientASN: number;
            clientASName: string;
        };
        RankedLocation: components["schemas"]["Numbers"] & {
            clientCountryAlpha2: string;
            clientCountryName: string;
        };
        RankedOf: {
            /** Format: int64 */
            minSample: number;
            /** Format: int64 */
            otherConnections: number;
            ranked: number;
            /** Format: int64 */
            scannerConnections: number;
            tooSmall: number;
            /** Format: int64 */
            tooSmallConnections: number;
            /** Format: int64 */
            unknownConnections: number;
        };
        RankedValue: components["schemas"]["Numbers"] & {
            name: string;
        };
        Ready: {
            ready: boolean;
            reasons: string[];
        };
        Region: {
            region: string;
        };
        RemovedAnnotation: {
            id: string;
        };
        ReviewToKeep: {
            decision: string;
            note?: string | null;
        };
        Server: {
            address?: string | null;
            asName?: string | null;
            /** Format: int32 */
            asn?: number | null;
            /** Format: int64 */
            connections: number;
            cutShort: string;
            emptyAnswers: string;
            /** Format: date-time */
            firstFailure?: string | null;
            gaveUp: string;
            /** Format: int64 */
            handshakeP50Us?: number | null;
            /** Format: int64 */
            handshakeP95Us?: number | null;
            /** Format: date-time */
            lastSuccess?: string | null;
            location?: string | null;
            name?: string | null;
            nodes: components["schemas"]["ServerNode"][];
            /** Format: int32 */
            port?: number | null;
            refused: string;
            stages: components["schemas"]["StageShares"];
            timeouts: string;
            unreachable: string;
            /** Format: int64 */
            weight: number;
        };
        ServerNode: {
            /** Format: int64 */
            connections: number;
            cutShort: string;
            node: string;
        };
        Servers: {
            meta: components["schemas"]["ServersMeta"];
            servers: components["schemas"]["Server"][];
        };
        ServersMeta: {
            addresses: boolean;
            /** Format: int64 */
            connections: number;
            dateRange: components["schemas"]["DateRange"][];
            /** Format: date-time */
            lastUpdated: string;
            pendingWindows: number;
            protectedAddresses: string[];
            servers: number;
        };
        ShareMeta: {
            aggInterval: string;
            dateRange: components["schemas"]["DateRange"][];
        };
        SignatureTerm: {
            about: string;
            causes: string[];
            /** Format: int32 */
            id: number;
            name: string;
            stage: string;
        };
        Source: {
            country: boolean;
            date: string;
            licence?: string | null;
            name: string;
            network: boolean;
            urls: string[];
        };
        SourceLink: {
            source: string;
            url: string;
        };
        StageShares: {
            later_in_flow: string;
            no_match: string;
            post_ack: string;
            post_psh: string;
            post_syn: string;
        };
        StageTerm: {
            about: string;
            causes: string[];
            dataName: string;
            name: string;
            title: string;
        };
        StatusResult: {
            connectionsAllowed: boolean;
            dataSets: components["schemas"]["KeptDataSet"][];
            exclusions: components["schemas"]["LeftOut"][];
            geo: components["schemas"]["Source"][];
            /** Format: date-time */
            geoRead: string;
            geoTrouble?: string | null;
            hints: string[];
            nodes: components["schemas"]["Node"][];
            simulated: boolean;
            /** Format: date-time */
            started: string;
            store: components["schemas"]["Stored"];
            version: string;
            windows: components["schemas"]["Windows"];
        };
        Stored: {
            /** Format: int64 */
            connectionBytes: number;
            copies: string;
            /** Format: date-time */
            coveredFrom?: string | null;
            /** Format: date-time */
            coveredTo?: string | null;
            damaged: components["schemas"]["Damaged"][];
            impaired: components["schemas"]["ImpairedWindow"][];
            /** Format: date-time */
            latestPacket?: string | null;
            /** Format: int64 */
            packetBytes: number;
            /** Format: int64 */
            packets: number;
            protectedAddresses: string[];
            /** Format: int64 */
            rollupBytes: number;
            /** Format: int64 */
            segments: number;
            tail: string;
        };
        TagTerm: {
            about: string;
            /** Format: int32 */
            bit: number;
            name: string;
            parent?: string | null;
            title: string;
        };
        Terms: {
            exclusions: components["schemas"]["NamedTerm"][];
            signatures: components["schemas"]["SignatureTerm"][];
            stages: components["schemas"]["StageTerm"][];
            tags: components["schemas"]["TagTerm"][];
            terminations: components["schemas"]["NamedTerm"][];
        };
        Traced: {
            packets: components["schemas"]["TracedPacket"][];
            reasons: string[];
            syn?: string | null;
        };
        TracedDatagram: {
            dcid?: number | null;
            /** Format: int32 */
            dcidLen: number;
            /** Format: int32 */
            ipId: number;
            isIcmp: boolean;
            isReceived: boolean;
            /** Format: int32 */
            len: number;
            meaning: string;
            packets: string[];
            /** Format: double */
            seconds: number;
            /** Format: int32 */
            ttl: number;
            version?: string | null;
        };
        TracedDatagrams: {
            datagrams: components["schemas"]["TracedDatagram"][];
            reasons: string[];
        };
        TracedPacket: {
            /** Format: int32 */
            ack: number;
            flags: string;
            /** Format: int32 */
            ipId: number;
            isReceived: boolean;
            isRepeat: boolean;
            meaning: string;
            /** Format: int32 */
            payload: number;
            /** Format: double */
            seconds: number;
            /** Format: int32 */
            seq?: number | null;
            /** Format: int32 */
            ttl: number;
        };
        Unit: {
            name: string;
            value: string;
        };
        Watched: {
            /** Format: date-time */
            asOf?: string | null;
            /** Format: int64 */
            places: number;
            watched: components["schemas"]["WatchedPlace"][];
        };
        WatchedPlace: {
            place: string;
            series: components["schemas"]["WatchedSeries"][];
        };
        WatchedSeries: {
            channel: string;
            /** Format: int32 */
            minutes?: number | null;
            status: string;
        };
        Windows: {
            /** Format: int64 */
            connections: number;
            /** Format: int64 */
            done: number;
            /** Format: date-time */
            from?: string | null;
            /** Format: date-time */
            lastUpdated?: string | null;
            /** Format: date-time */
            oldestPending?: string | null;
            pending: number;
            /** Format: date-time */
            to?: string | null;
            trouble?: string | null;
            worker: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    events: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["EventList"];
                        success: boolean;
                    };
                };
            };
        };
    };
    event: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["OneEvent"];
                        success: boolean;
                    };
                };
            };
        };
    };
    followers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Followers"];
                        success: boolean;
                    };
                };
            };
        };
    };
    outliers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["OutlierList"];
                        success: boolean;
                    };
                };
            };
        };
    };
    watched: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Watched"];
                        success: boolean;
                    };
                };
            };
        };
    };
    annotations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Annotations"];
                        success: boolean;
                    };
                };
            };
        };
    };
    annotationsOutages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Annotations"];
                        success: boolean;
                    };
                };
            };
        };
    };
    annotationsOutagesLocations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["OutageCounts"];
                        success: boolean;
                    };
                };
            };
        };
    };
    entitiesAsns: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["AsnList"];
                        success: boolean;
                    };
                };
            };
        };
    };
    entitiesAsnOfIp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["AsnOne"];
                        success: boolean;
                    };
                };
            };
        };
    };
    entitiesAsn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["AsnOne"];
                        success: boolean;
                    };
                };
            };
        };
    };
    entitiesLocations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["LocationList"];
                        success: boolean;
                    };
                };
            };
        };
    };
    entitiesLocation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["LocationOne"];
                        success: boolean;
                    };
                };
            };
        };
    };
    originConnections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            connections: {
                                /** @enum {string} */
                                addresses?: "truncated" | "encrypted";
                                as_name: string | null;
                                asn: number | null;
                                dst_ip: string;
                                dst_port: number;
                                first_us: number;
                                ip_version: number;
                                last_us: number;
                                location: string | null;
                                node: string;
                                packets: number;
                                rst_ip_id_delta: number | null;
                                rst_ttl_delta: number | null;
                                sample_rate: number;
                                signature: string | null;
                                signature_id: number | null;
                                silent_us: number;
                                src_ip: string;
                                src_port: number;
                                stage: string;
                                tags: string[];
                                termination: string;
                            }[];
                            paging: components["schemas"]["Paging"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originTrace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Traced"];
                        success: boolean;
                    };
                };
            };
        };
    };
    originCoverage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["CoverageMeta"];
                        } & {
                            [key: string]: components["schemas"]["Coverage"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originSummary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                later_in_flow: string;
                                no_match: string;
                                post_ack: string;
                                post_psh: string;
                                post_syn: string;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originSummaryByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            counts?: {
                                [key: string]: components["schemas"]["CountOfSeries"];
                            };
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: {
                                [key: string]: string;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originTerms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Terms"];
                        success: boolean;
                    };
                };
            };
        };
    };
    originTimeseriesGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                later_in_flow: string[];
                                no_match: string[];
                                post_ack: string[];
                                post_psh: string[];
                                post_syn: string[];
                                timestamps: string[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originTimeseriesGroupsByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            counts?: {
                                [key: string]: components["schemas"]["CountOfSeries"];
                            };
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: {
                                timestamps: string[];
                            } & {
                                [key: string]: string[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originTopAses: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedAs"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originTopLocations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedLocation"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originTopServers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Servers"];
                        success: boolean;
                    };
                };
            };
        };
    };
    originTopByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedValue"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    origins: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["OriginList"];
                        success: boolean;
                    };
                };
            };
        };
    };
    originsSummary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                [key: string]: string | null;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originsTimeseries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                timestamps: string[];
                            } & {
                                [key: string]: (string | null)[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originsTimeseriesGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                timestamps: string[];
                            } & {
                                [key: string]: (string | null)[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    originBySlug: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["OriginOne"];
                        success: boolean;
                    };
                };
            };
        };
    };
    quicConnections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            connections: {
                                /** @enum {string} */
                                addresses?: "truncated" | "encrypted";
                                as_name: string | null;
                                asn: number | null;
                                dst_ip: string;
                                dst_port: number;
                                first_us: number;
                                ip_version: number;
                                last_us: number;
                                location: string | null;
                                node: string;
                                packets: number;
                                sample_rate: number;
                                signature: string | null;
                                signature_id: number | null;
                                silent_us: number;
                                src_ip: string;
                                src_port: number;
                                stage: string;
                                tags: string[];
                                termination: string;
                            }[];
                            paging: components["schemas"]["Paging"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTrace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["TracedDatagrams"];
                        success: boolean;
                    };
                };
            };
        };
    };
    quicCoverage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["CoverageMeta"];
                        } & {
                            [key: string]: components["schemas"]["Coverage"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicShare: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["ShareMeta"];
                        } & {
                            [key: string]: components["schemas"]["QuicShares"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicSummary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                no_match: string;
                                post_answer: string;
                                post_handshake: string;
                                post_initial: string;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicSummaryByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            counts?: {
                                [key: string]: components["schemas"]["CountOfSeries"];
                            };
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: {
                                [key: string]: string;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTerms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Terms"];
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTimeseriesGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                no_match: string[];
                                post_answer: string[];
                                post_handshake: string[];
                                post_initial: string[];
                                timestamps: string[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTimeseriesGroupsByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            counts?: {
                                [key: string]: components["schemas"]["CountOfSeries"];
                            };
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: {
                                timestamps: string[];
                            } & {
                                [key: string]: string[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTopAses: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedAs"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTopLocations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedLocation"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    quicTopByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedValue"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    searchGlobal: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Found"];
                        success: boolean;
                    };
                };
            };
        };
    };
    status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["StatusResult"];
                        success: boolean;
                    };
                };
            };
        };
    };
    connections: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            connections: {
                                /** @enum {string} */
                                addresses?: "truncated" | "encrypted";
                                as_name: string | null;
                                asn: number | null;
                                dst_ip: string;
                                dst_port: number;
                                first_us: number;
                                ip_version: number;
                                last_us: number;
                                location: string | null;
                                node: string;
                                packets: number;
                                rst_ip_id_delta: number | null;
                                rst_ttl_delta: number | null;
                                sample_rate: number;
                                signature: string | null;
                                signature_id: number | null;
                                silent_us: number;
                                src_ip: string;
                                src_port: number;
                                stage: string;
                                tags: string[];
                                termination: string;
                            }[];
                            paging: components["schemas"]["Paging"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    trace: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Traced"];
                        success: boolean;
                    };
                };
            };
        };
    };
    coverage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["CoverageMeta"];
                        } & {
                            [key: string]: components["schemas"]["Coverage"];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    summary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                later_in_flow: string;
                                no_match: string;
                                post_ack: string;
                                post_psh: string;
                                post_syn: string;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    summaryByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            counts?: {
                                [key: string]: components["schemas"]["CountOfSeries"];
                            };
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: {
                                [key: string]: string;
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    terms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Terms"];
                        success: boolean;
                    };
                };
            };
        };
    };
    timeseriesGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"];
                        } & {
                            [key: string]: {
                                later_in_flow: string[];
                                no_match: string[];
                                post_ack: string[];
                                post_psh: string[];
                                post_syn: string[];
                                timestamps: string[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    timeseriesGroupsByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            counts?: {
                                [key: string]: components["schemas"]["CountOfSeries"];
                            };
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: {
                                timestamps: string[];
                            } & {
                                [key: string]: string[];
                            };
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    topAses: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedAs"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    topLocations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedLocation"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    topByDimension: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: {
                            meta: components["schemas"]["Meta"] & components["schemas"]["OwnMeta"];
                        } & {
                            [key: string]: components["schemas"]["RankedValue"][];
                        };
                        success: boolean;
                    };
                };
            };
        };
    };
    trafficAnomalies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["Anomalies"];
                        success: boolean;
                    };
                };
            };
        };
    };
    trafficAnomaliesLocations: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        errors: {
                            code: number;
                            message: string;
                        }[];
                        messages: {
                            code: number;
                            message: string;
                        }[];
                        result: components["schemas"]["AnomalyCounts"];
                        success: boolean;
                    };
                };
            };
        };
    };
}
