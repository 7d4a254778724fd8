import type { SignatureCode, SignatureFinding } from '#model/signature-finding.ts';

export type Refusal = Extract<SignatureFinding, { kind: 'refused' }>;

const LONGEST_REASON = 500;

export function refuse(code: SignatureCode, reason: string): Refusal {
  return { kind: 'refused', code, reason: reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason };
}

export function isRefusal<T extends object>(found: T | Refusal): found is Refusal {
  return 'kind' in found && found.kind === 'refused';
}
