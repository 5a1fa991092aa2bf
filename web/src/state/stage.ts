// The five stages in the order in which they are shown everywhere, by the API's names.

export const STAGES = ["post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"] as const;
export type Stage = (typeof STAGES)[number];

/** Those at which a connection was cut short. */
export const ANOMALOUS = ["post_syn", "post_ack", "post_psh", "later_in_flow"] as const;
export type Anomalous = (typeof ANOMALOUS)[number];

/** One anomalous stage, or all of them. */
export type Metric = Anomalous | "any";

const TITLES: Record<Stage, string> = {
  post_syn: "Post-SYN",
  post_ack: "Post-ACK",
  post_psh: "Post-PSH",
  later_in_flow: "Later",
  no_match: "None",
};

export const title = (stage: Stage): string => TITLES[stage];
export const metricTitle = (metric: Metric): string => (metric === "any" ? "Cut short" : TITLES[metric]);

/** What is ranked, in a sentence: `cut short at Post-ACK`. */
export const metricPhrase = (metric: Metric): string =>
  metric === "any" ? "cut short" : `cut short at ${TITLES[metric]}`;

/** The class that gives its colour. */
export const stageClass = (stage: Metric | Stage): string => `stage-${stage.replaceAll("_", "-")}`;

export const isAnomalous = (name: string): name is Anomalous => (ANOMALOUS as readonly string[]).includes(name);
