// Placeholder until schemas/ is generated: replaced by `npm run generate`.
export interface Capsule {
  readonly [key: string]: unknown;
}
