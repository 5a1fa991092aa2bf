// The five stages in the order in which they are shown everywhere, by the API's names.

const ALL = ["post_syn", "post_ack", "post_psh", "later_in_flow", "no_match"] as const;
export type Stage = (typeof ALL)[number];
export type Anomalous = Exclude<Stage, "no_match">;

/** Those of the data set that is shown. Nothing of QUIC is called cut short once data has been exchanged. */
export let STAGES: readonly Stage[] = ALL;
/** Those at which a connection was cut short. */
export let ANOMALOUS: readonly Anomalous[] = ["post_syn", "post_ack", "post_psh", "later_in_flow"];

/** One anomalous stage, or all of them. */
export type Metric = Anomalous | "any";

const TCP_TITLES: Record<Stage, string> = {
  post_syn: "Post-SYN",
  post_ack: "Post-ACK",
  post_psh: "Post-PSH",
  later_in_flow: "Later",
  no_match: "None",
};
const QUIC_TITLES: Record<Stage, string> = { ...TCP_TITLES, post_syn: "Post-Initial", post_ack: "Post-Answer", post_psh: "Post-Handshake" };
let TITLES = TCP_TITLES;

/** Shows the stages of QUIC, or those of TCP. */
export function useStages(isQuic: boolean): void {
  TITLES = isQuic ? QUIC_TITLES : TCP_TITLES;
  STAGES = isQuic ? ALL.filter((stage) => stage !== "later_in_flow") : ALL;
  ANOMALOUS = STAGES.filter((stage) => stage !== "no_match");
}

/** An answer about QUIC with the names that the same steps have on TCP, by which the page knows stages. */
export const withStagesOfTcp = (json: string): string =>
  json.replaceAll('"post_initial"', '"post_syn"').replaceAll('"post_answer"', '"post_ack"').replaceAll('"post_handshake"', '"post_psh"');

export const title = (stage: Stage): string => TITLES[stage];
/** The names of stages in a list as QUIC has them: the inverse. */
export const withStagesOfQuic = (list: string): string =>
  list.replaceAll("post_syn", "post_initial").replaceAll("post_ack", "post_answer").replaceAll("post_psh", "post_handshake");

export const metricTitle = (metric: Metric): string => (metric === "any" ? "Cut short" : TITLES[metric]);

/** What is ranked, in a sentence: `cut short at Post-ACK`. */
export const metricPhrase = (metric: Metric): string =>
  metric === "any" ? "cut short" : `cut short at ${TITLES[metric]}`;

/** The class that gives its colour. */
export const stageClass = (stage: Metric | Stage): string => `stage-${stage.replaceAll("_", "-")}`;

export const isAnomalous = (name: string): name is Anomalous => (ALL as readonly string[]).includes(name) && name !== "no_match";
