// One way to ask the server: JSON in Radar's envelope, each answer kept for a minute.

import { withStagesOfQuic, withStagesOfTcp } from "../state/stage";

/** The page's directory: assets lie in `assets/` below it, embedded pages in `embed/`. */
export const ROOT = new URL(import.meta.env.DEV ? "/" : "../", import.meta.url);
const BASE = new URL("client/v4/radar/", ROOT);
const KEPT_MS = 60_000;
const MOST_KEPT = 200;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface Kept {
  at: number;
  answer: Promise<unknown>;
}
const kept = new Map<string, Kept>();

const TOKEN = "cutshort-token";

function token(): string | null {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

/** Keeps a token until the tab is closed. */
export function useToken(secret: string): void {
  sessionStorage.setItem(TOKEN, secret);
  forget();
}

export type Parameters = readonly (readonly [string, string])[];

/** The address of a question, for links to the raw answer. */
export function address(path: string, parameters: Parameters = []): URL {
  const url = new URL(path, BASE);
  for (const [key, value] of parameters) url.searchParams.append(key, key === "stage" && path.startsWith("quic_") ? withStagesOfQuic(value) : value);
  return url;
}

/** Asks; the same question within a minute is not asked twice. */
export function ask<T>(path: string, parameters: Parameters = []): Promise<T> {
  const url = address(path, parameters).href;
  const known = kept.get(url);
  if (known && Date.now() - known.at < KEPT_MS) return known.answer as Promise<T>;
  const answer = request<T>(url);
  kept.delete(url);
  kept.set(url, { at: Date.now(), answer });
  answer.catch(() => kept.delete(url));
  for (const [oldest] of kept) {
    if (kept.size <= MOST_KEPT) break;
    kept.delete(oldest);
  }
  return answer;
}

/** Forgets what was answered, so that a refresh asks again. */
export const forget = (): void => kept.clear();

interface Envelope<T> {
  success: boolean;
  errors?: { code: number; message: string }[];
  result: T;
}

async function request<T>(url: string): Promise<T> {
  return result(url, await get(url, "application/json"));
}

/** Changes something on the server, which needs a token with the scope `write`. */
export async function change<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const url = address(path).href;
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return result(url, await get(url, "application/json", { method, ...sent }));
}

async function result<T>(url: string, response: Response): Promise<T> {
  const body = (await response.text().then((text) => JSON.parse(url.includes("/quic_") ? withStagesOfTcp(text) : text), () => null).catch(() => null)) as Body<T>;
  if (response.ok && body?.success !== false && body?.result !== undefined) return body.result;
  throw refusal(response, body);
}

/** An answer in another format, as a file. */
export async function file(path: string, parameters: Parameters): Promise<Blob> {
  const response = await get(address(path, parameters).href, "*/*");
  if (response.ok) return response.blob();
  throw refusal(response, (await response.json().catch(() => null)) as Body<unknown>);
}

type Body<T> = (Partial<Envelope<T>> & { error?: string }) | null;

async function get(url: string, accept: string, more: { method?: string; body?: string; headers?: Record<string, string> } = {}): Promise<Response> {
  const secret = token();
  try {
    return await fetch(url, { ...more, headers: { accept, ...more.headers, ...(secret ? { authorization: `Bearer ${secret}` } : {}) } });
  } catch {
    throw new ApiError(0, "The server does not answer. Is cutshort still running?");
  }
}

const refusal = (response: Response, body: Body<unknown>): ApiError =>
  new ApiError(response.status, body?.errors?.[0]?.message ?? body?.error ?? `The server answered with status ${response.status}.`);
