/** What the running service is told; a Configuration holds it. Durations in milliseconds. */
export interface ServiceSettings {
  readonly listen: { readonly host: string; readonly port: number };
  /** Where the forge sends webhooks to; undefined turns the redelivery sweep off. */
  readonly webhookUrl: string | undefined;
  readonly poll: number;
  readonly drift: number;
  /** Share: 0.1 is 10%. */
  readonly jitter: number;
  readonly sweep: number;
  readonly bodyLimit: number;
  readonly concurrency: number;
}

export const USUAL_SETTINGS: ServiceSettings = {
  listen: { host: '127.0.0.1', port: 8080 },
  webhookUrl: undefined,
  poll: 60_000,
  drift: 300_000,
  jitter: 0.1,
  sweep: 180_000,
  bodyLimit: 5 * 1024 * 1024,
  concurrency: 4,
};
